"""Send an event with a guard's verdict: python examples/send_event.py BROKER"""

import sys

from schemas.emitter import Emitter  # services install the small wheel: from watchkeeper_events.emitter import Emitter
from schemas.guards import GuardFinding, GuardResult

with Emitter.to_kafka(sys.argv[1], source="shop/assistant") as emitter:
    finding = GuardFinding(category="sec.data_leakage.pii", severity=3)
    guard = GuardResult(
        guard_name="pii", layer="output", status="ok", verdict="flag", action="none", findings=[finding]
    )
    emitter.inference(service_name="assistant", session_id="s1", request_model="gpt-4o", guards=[guard])
