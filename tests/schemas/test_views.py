"""The views for analysts say what the tables hold."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.metrics import RATES
from streams.store.client import rows

pytestmark = pytest.mark.store

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def put(client, table, **row):
    """Insert a row, the rest of it by default."""
    client.insert(table, [list(row.values())], column_names=list(row))


def test_events_names_the_rates_of_their_bits(client):
    """Each bit is the rate of its place; a flag that does not count is left out, and a verdict inside an event too."""
    names = [rate.name for rate in RATES]
    for bit in range(len(names)):
        put(
            client,
            "agent_steps",
            time=AT,
            trials=1 << bit,
            flagged=(1 << len(names)) - 1,
            kafka_offset=bit,
            tool_name=names[bit],
        )
    put(client, "guard_verdicts", time=AT, trials=1, flagged=1, event_kind="inference", guard_name="inside")
    found = rows(client, "SELECT kind, name, counted_in, flagged_in FROM events ORDER BY kind, name")
    assert found == sorted(
        [("agent_step", name, [name], [name]) for name in names] + [("guard_verdict", "inside", [], [])]
    )


def test_events_holds_a_repeated_row_once(client):
    """Nobody has to write FINAL."""
    for _ in range(2):
        put(client, "inferences", time=AT, kafka_offset=7)
    assert rows(client, "SELECT count() FROM events") == [(1,)]


def test_incidents_has_times_durations_people_and_notices(client):
    """One row per incident, from its transitions and what was delivered of them."""
    said = [("detected", 0, "system", ""), ("acknowledged", 60, "human", "kim"), ("closed", 600, "human", "lee")]
    for transition, second, kind, actor in said:
        at = AT + timedelta(seconds=second)
        put(client, "incident_transitions", incident_id="i", event_id=transition, transition=transition, time=at,
            transition_time=at, actor_kind=kind, actor_id=actor, service_name="shop", services=["shop"],
            finding_id="f" if kind == "system" else "", onset_time=AT - timedelta(seconds=30))  # fmt: skip
    put(client, "deliveries", incident_id="i", event_id="d", receiver="chat", status="delivered", time=AT)
    found = rows(
        client,
        "SELECT state, seconds_to_detect, seconds_to_acknowledge, seconds_to_mitigate, seconds_to_close, findings,"
        " actors, notices_delivered, receivers FROM incidents",
    )
    assert found == [("closed", 30, 60, None, 600, ["f"], ["kim", "lee"], 1, ["chat"])]
