"""What means something else than it seems to is a reason not to trust the hour of its service."""

from datetime import UTC, datetime

import pytest

from schemas.traps import SESSION_TRACES
from streams.store.client import rows
from tests.streams.intake.doctor import sick
from tests.streams.intake.doctor.test_doctor import write
from tests.support.dashboards.history import put
from tests.support.histories import judge

NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
NANO = int(NOON.timestamp()) * 10**9

TRAPS = {
    "durations": "durations look like seconds: the median call writes 55556 tokens a second",
    "tokens": "input tokens without those of the cache: 40 of 40 calls",
    "severities": "a severity scale that is not ours: 2 and 4, never 1 or 3",
    "sessions": f"one session for all: it holds {SESSION_TRACES} of {SESSION_TRACES} calls",
    "well": "",
}


def events():
    """Return an hour of services, each wrong in one way, and of one that is well."""
    made = [event for name in ("durations", "tokens", "well") for event in sick.events(name, NANO)]
    made += [sick.call(n, NANO, service_name="sessions", event_id=f"s{n}", session_id="project")
             for n in range(SESSION_TRACES)]  # fmt: skip
    for n in range(sick.COUNT):
        graded = sick.finding(severity=2 if n % 2 else 4)
        made.append(sick.call(n, NANO, service_name="severities", event_id=f"g{n}", guards=graded))
    return made


@pytest.mark.store
def test_the_hour_of_a_service_with_a_trap_is_not_trusted(client):
    """Seconds, one session, a foreign scale and tokens without the cache each are a reason, with their numbers."""
    write(client, events())
    hour = {"hour": NOON.replace(minute=0), "events": 100, "calls": 100, "version": 1,
            "outputs_by_guards": {"g": 100}, "served_by_guards": {"g": 100}}  # fmt: skip
    put(client, "service_hours", *(hour | {"service_name": name, "kafka_topic_id": name} for name in TRAPS))
    client.command("SYSTEM REFRESH VIEW trap_hours_seen")
    client.command("SYSTEM WAIT VIEW trap_hours_seen")
    judge(client)
    found = rows(
        client, "SELECT service_name, trust, trust_reason FROM trust_hours WHERE window_start = '2026-03-02 12:00:00'"
    )
    assert {name: (trust, reason) for name, trust, reason in found} == {
        name: ("untrusted" if reason else "trusted", reason) for name, reason in TRAPS.items()
    }


@pytest.mark.store
def test_people_who_talk_much_are_no_trap(client):
    """One user who begins many traces in an otherwise quiet hour is a session, not all traffic."""
    write(client, [sick.call(n, NANO, session_id="ann") for n in range(SESSION_TRACES - 1)])
    put(client, "service_hours", {"hour": NOON.replace(minute=0), "service_name": "well", "events": 99, "version": 1})
    assert rows(client, "SELECT trap FROM telemetry_traps") == [("",)]
