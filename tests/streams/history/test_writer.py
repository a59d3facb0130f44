"""Exact history on the real engine."""

import uuid

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.events import AgentStep, Inference, Retrieval
from schemas.tables import BASES
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from streams.store.client import rows
from tests.streams.events.test_decode import NOW_MS, Record
from tests.streams.events.test_flags import guard

pytestmark = pytest.mark.store

ROLLUPS = ("service_minutes", "stage_minutes", "category_minutes", "service_hours", "stage_hours")


def event(number):
    """Return the event of an offset: kinds, minutes and verdicts vary with it."""
    base = {
        "event_id": str(number), "source": "s", "service_name": f"svc{number % 2}", "model_version": "m@1",
        "time_unix_nano": (NOW_MS + (number * 7_000) % 180_000) * 1_000_000,
    }  # fmt: skip
    results = [guard("content.ncr") if number % 5 == 0 else guard("qual.refusal", verdict="allow")] * (number % 3)
    if number % 7 == 3:
        return AgentStep(**base, step_kind="execute_tool", guards=results or None)
    if number % 11 == 4:
        return Retrieval(**base, labels={"a": "b"})
    return Inference(**base, guards=results or None, duration_ms=100.0 + number, usage_input_tokens=number)


def batch(first, end, topic_id="id", partition=0):
    """Return the rows of the events of offsets first to end, and where they come from."""
    records = [Record(encode(event(number))) for number in range(first, end)]
    origin = Origin("inference.v1", topic_id, partition, np.arange(first, end))
    decoded = events_decoder()(records)
    return origin, [part for columns in decoded.kinds.values() for part in rows_of(columns, origin)]


def write(writer, first, end, topic_id="id", partition=0):
    """Write the events of offsets first to end."""
    return writer.write(*batch(first, end, topic_id, partition))


def contents(client):
    """Return the counts of all tables without merging, and both rollups as readers see them."""
    counts = {table.name: rows(client, f"SELECT count() FROM {table.name}")[0][0] for table in BASES}
    services = rows(client, "SELECT * FROM service_minutes_now ORDER BY ALL")
    return counts, services, rows(client, "SELECT * FROM category_minutes_now ORDER BY ALL")


def fresh_group_by(client):
    """Return what the rollups must say, from the base rows."""
    union = " UNION ALL ".join(
        f"SELECT time, service_name, flagged, trials FROM {name}"
        for name in ("inferences", "agent_steps", "retrievals")
    )
    return rows(
        client,
        "SELECT toStartOfMinute(time)::DateTime('UTC') AS minute, service_name, count(), countIf(bitTest(flagged, 0)), "
        f"countIf(bitTest(trials, 4)) FROM ({union}) GROUP BY minute, service_name ORDER BY ALL",
    )


def rolled_up(client):
    """Return the same from the rollups."""
    return rows(
        client,
        "SELECT minute, service_name, sum(events), sum(unsafe_attempted), sum(refusal_trials) FROM service_minutes_now "
        "GROUP BY minute, service_name ORDER BY ALL",
    )


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40), st.booleans()), max_size=5))
def test_any_repeats_and_any_batching_give_the_same_rows_and_rollups(client, steps):
    """Batches repeated from any earlier offset, in other cuts, by a new process or the same, change nothing."""
    topic_id = uuid.uuid4().hex  # each example its own topic
    end = 0
    before = contents(client)[0]["inferences"]
    writer = HistoryWriter(client)
    for back, size, restart in [*steps, (0, 10, True)]:
        if restart:
            writer = HistoryWriter(client)
        first = max(end - back, 0) if restart else end
        write(writer, first, first + size, topic_id)
        end = max(end, first + size)
    stored = rows(client, "SELECT kafka_offset FROM (SELECT kafka_offset, kafka_topic_id FROM inferences UNION ALL "
                          "SELECT kafka_offset, kafka_topic_id FROM agent_steps UNION ALL "
                          "SELECT kafka_offset, kafka_topic_id FROM retrievals) WHERE kafka_topic_id = {t:String}",
                  {"t": topic_id})  # fmt: skip
    assert sorted(offset for (offset,) in stored) == list(range(end))
    assert contents(client)[0]["inferences"] > before
    assert rolled_up(client) == fresh_group_by(client)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 25)), min_size=1, max_size=4), max_size=3))
def test_groups_of_any_partitions_give_what_single_batches_give(client, groups):
    """Batches of several partitions that are written together leave the rows and rollups of each written by itself."""
    together, alone = uuid.uuid4().hex, uuid.uuid4().hex
    ends = dict.fromkeys(range(3), 0)
    writer, single = HistoryWriter(client), HistoryWriter(client)
    for group in groups:
        batches = []
        for partition, size in group:
            place = ends[partition], ends[partition] + size
            batches.append(batch(*place, together, partition))
            write(single, *place, alone, partition)
            ends[partition] += size
        writer.write_all(batches)
    for name in (*(table.name for table in BASES), *(f"{rollup} FINAL" for rollup in ROLLUPS)):
        query = (
            f"SELECT * EXCEPT (kafka_topic_id, version) FROM {name} WHERE kafka_topic_id = {{t:String}} ORDER BY ALL"
        )
        assert rows(client, query, {"t": together}) == rows(client, query, {"t": alone}), name


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(1, 40), st.sampled_from(["wait", "roll up", "kill"])), max_size=6))
def test_rows_are_stored_while_others_are_rolled_up(client, steps):
    """Rows that a rollup sees before their turn, and rows stored without one before a kill, are counted once."""
    topic_id, done, end, waiting = uuid.uuid4().hex, 0, 0, []
    writer, summing = HistoryWriter(client), HistoryWriter(client)
    for size, then in [*steps, (10, "roll up"), (7, "kill"), (20, "roll up")]:
        if then == "kill":  # what was not rolled up was not acknowledged, and comes again
            writer, summing, waiting, end = HistoryWriter(client), HistoryWriter(client), [], done
        fresh = batch(end, end + size, topic_id)
        writer.store([fresh])
        if then == "roll up":
            summing.roll_up(waiting)
            waiting, done = [], end
        waiting.append(fresh)
        end += size
    summing.roll_up(waiting)
    assert rolled_up(client) == fresh_group_by(client)


def test_an_insert_cut_in_the_middle_is_completed(client):
    """Rows missing from a half-stored batch are filled in, the others left alone, in each table by itself."""
    write(HistoryWriter(client), 0, 60)
    expected = contents(client)
    client.command("DELETE FROM inferences WHERE kafka_offset % 4 = 1")
    client.command("DELETE FROM guard_verdicts WHERE kafka_offset < 20")
    client.command("TRUNCATE TABLE service_minutes")
    written = write(HistoryWriter(client), 0, 60)
    assert written.left_out > 0
    assert contents(client) == expected


def test_a_recreated_topic_starts_over(client):
    """Offset 0 of a topic with another id is another record."""
    writer = HistoryWriter(client)
    write(writer, 0, 10, "one")
    write(writer, 0, 10, "two")
    counts, _, _ = contents(client)
    assert counts["inferences"] + counts["agent_steps"] + counts["retrievals"] == 20


def test_findings_and_verdicts_are_rows_of_their_own(client):
    """Each guard result is a row with its index, its findings parallel arrays."""
    write(HistoryWriter(client), 0, 30)
    found = rows(
        client,
        "SELECT kafka_offset, kafka_index, findings_category, finding_counts, guard_name FROM guard_verdicts "
        "WHERE kafka_offset = 5 ORDER BY kafka_index",
    )
    assert found == [(5, 0, ["content.ncr"], [1], "g"), (5, 1, ["content.ncr"], [1], "g")]
    assert rows(client, "SELECT labels FROM retrievals LIMIT 1") == [({"a": "b"},)]
