"""The recorded outage and the recorded leak, sent as OTLP; `make otlp-week` plays the whole week."""

import json
from datetime import datetime
from importlib import resources

import pytest

from tests.chain.otlp_week import both, week

pytestmark = pytest.mark.faults

ANSWERS = json.loads((resources.files("streams.demo.recorded") / "answers.json").read_text())
CHANGES = [answer for answer in ANSWERS if answer["kind"] in ("provider_outage", "pii_leak")]
AFTER_NANO = 3 * 3_600 * 10**9


def nano(text):
    """Return a time in Unix nanoseconds."""
    return int(datetime.fromisoformat(text).timestamp()) * 10**9


def test_otlp_gives_the_incidents_of_the_canonical_events(broker, tmp_path):
    """Through the receiver and every worker: the same findings, and the same steps of the same incidents."""
    services = {change["service"] for change in CHANGES}
    end = max(nano(change["end"]) for change in CHANGES) + AFTER_NANO
    events = [event for event in week() if event.service_name in services and event.time_unix_nano < end]
    canonical, otlp = both(broker, tmp_path / "chains", events)
    assert otlp == canonical
    detected = {(step[3], *step[4]) for step in canonical[1] if step[1] == "detected"}
    assert detected >= {("error", "code-assist"), ("leak", "helpdesk-eu")}
