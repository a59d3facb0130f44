"""Guard a model behind an OpenAI-style API: OPENAI_BASE_URL=... python examples/guard_client.py BROKER QUESTION"""

import sys
import time

from openai import OpenAI

from schemas.emitter import Emitter
from schemas.guards import GuardFinding, GuardResult

with Emitter.to_kafka(sys.argv[1], source="shop/assistant") as emitter:
    asked, began = [{"role": "user", "content": sys.argv[2]}], time.monotonic()
    reply = OpenAI().chat.completions.create(model="gpt-4o", messages=asked)
    took, text = (time.monotonic() - began) * 1_000, reply.choices[0].message.content
    verdict, action = ("block", "replaced") if "@" in text else ("allow", "none")  # your guard here
    found = [GuardFinding(category="sec.data_leakage.pii", severity=3)] if verdict == "block" else None
    said = {"layer": "output", "status": "ok", "mode": "enforce", "verdict": verdict, "action": action}
    guards = [GuardResult(guard_name="pii", findings=found, **said)]
    known = {"service_name": "assistant", "session_id": "s1", "request_model": "gpt-4o", "response_id": reply.id}
    emitter.inference(outcome="completed", duration_ms=took, output_chars=len(text), guards=guards, **known)
    print("I may not say that." if verdict == "block" else text)
