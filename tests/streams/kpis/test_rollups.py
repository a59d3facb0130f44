"""What the KPIs read, from events through the history writer: exact, with repeats, and without the probes."""

from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.events import AgentStep, GuardVerdict, Inference, Retrieval, StageLatency
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from streams.store.client import rows
from tests.streams.events.test_decode import NOW_MS, Record
from tests.streams.events.test_flags import guard
from tests.support.histories import FILLED

pytestmark = pytest.mark.store

BASES = ("inferences", "agent_steps", "retrievals", "guard_verdicts", "category_minutes", "stage_minutes")

results = st.builds(
    lambda name, category, **fields: msgspec.structs.replace(guard(category, **fields), guard_name=name),
    name=st.sampled_from(["g", "h"]),
    category=st.sampled_from(["content.ncr", "sec.jailbreak", "qual.refusal"]),
    status=st.sampled_from(["ok", "ok", "timeout"]),
    severity=st.integers(0, 4),
    action=st.sampled_from(["none", "blocked"]),
)


@st.composite
def events(draw):
    """Return events of every kind; some of them probes."""
    found = []
    for number in range(draw(st.integers(1, 14))):
        base = {
            "event_id": str(number), "source": "s", "service_name": draw(st.sampled_from("ab")), "model_version": "m",
            "time_unix_nano": (NOW_MS - draw(st.sampled_from([0, 30_000, 5_000_000]))) * 1_000_000,
            "probe_id": draw(st.sampled_from([None, None, "p", "q"])),
        }  # fmt: skip
        guards = draw(st.lists(results, max_size=2)) or None
        ms = draw(st.sampled_from([None, 3.0, 700.0]))
        kind = draw(st.integers(0, 5))
        if kind == 0:
            found.append(AgentStep(**base, step_kind="execute_tool", duration_ms=ms, status="error", guards=guards))
        elif kind == 1:
            found.append(Retrieval(**base, duration_ms=ms, guards=guards))
        elif kind == 2:
            found.append(GuardVerdict(**base, guard=draw(results)))
        else:
            outcome = draw(st.sampled_from(["completed", "blocked", "error", "refused"]))
            stages = StageLatency(ingest=ms, action=1.0) if draw(st.booleans()) else None
            found.append(Inference(**base, outcome=outcome, duration_ms=ms, stage_latency_ms=stages, guards=guards))
    return found


def write(client, sent):
    """Store events, the first half twice, by two processes."""
    records = [Record(encode(event)) for event in sent]
    for first, end in ((0, len(records) // 2), (0, len(records))):
        origin = Origin("inference.v1", "id", 0, np.arange(first, end))
        decoded = events_decoder()(records[first:end])
        stored = [part for columns in decoded.kinds.values() for part in rows_of(columns, origin)]
        HistoryWriter(client).write(origin, stored)


def hour_of(event):
    """Return service and hour of an event."""
    return event.service_name, event.time_unix_nano // 3_600_000_000_000


def guards_of(event):
    """Return the guard results of an event."""
    return [event.guard] if isinstance(event, GuardVerdict) else event.guards or []


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=events())
def test_rollups_are_what_a_loop_over_the_events_counts(store, sent):
    """Outputs by the guards that were ok, what was served, harm by axis, stages and probes, by the hour."""
    for name in {*FILLED, *BASES}:
        store.command(f"TRUNCATE TABLE {name}")
    write(store, sent)
    users = [event for event in sent if not event.probe_id]
    outputs, served, events = Counter(), Counter(), Counter()
    for event in users:
        events[hour_of(event)] += 1
        if isinstance(event, Inference) and event.outcome != "error":
            named = "\x1f".join(sorted({result.guard_name for result in guards_of(event) if result.status == "ok"}))
            outputs[*hour_of(event), named] += 1
            served[*hour_of(event), named] += event.outcome != "blocked"
    hour = "service_name, toInt64(intDiv(toUnixTimestamp(hour), 3600))"
    stored = rows(store, f"SELECT {hour}, events, outputs_by_guards, served_by_guards, safety_by_harm, "
                         "security_by_harm, unsafe_by_harm FROM service_hours_now WHERE events > 0")  # fmt: skip

    def unfolded(index):
        return Counter({(*row[:2], key): count for row in stored for key, count in row[index].items()})

    assert {tuple(row[:2]): row[2] for row in stored} == dict(events)
    assert (unfolded(3), +unfolded(4)) == (outputs, +served)
    assert tuple(unfolded(index) for index in (5, 6, 7)) == harms(users)
    assert_stages(store, hour, users)
    assert_probes(store, sent)


def harms(users):
    """Return how many events are how harmful, by the hour: in safety, in security, and in either."""
    found = Counter(), Counter(), Counter()
    for event in users:
        outcome = getattr(event, "outcome", None)
        if outcome == "error":
            continue
        levels = [[0], [0]]
        for result in guards_of(event):
            [finding] = result.findings
            axis = {"content.ncr": 0, "sec.jailbreak": 1, "qual.refusal": None}[finding.category]
            if result.status == "ok" and (axis is not None or not finding.severity):
                stopped = result.action == "blocked" or outcome == "blocked"
                levels[axis if finding.severity else 0].append(1 if stopped else 2 + finding.severity)
        worst = [max(of_axis) for of_axis in levels]
        for counter, level in zip(found, (*worst, max(worst)), strict=True):
            if level:
                counter[*hour_of(event), level] += 1
    return found


def assert_stages(store, hour, users):
    """Stages of users: how many, and how many failed."""
    stages, failed = Counter(), Counter()
    for event in users:
        if isinstance(event, Retrieval) and event.duration_ms is not None:
            stages[*hour_of(event), "retrieval"] += 1
        elif isinstance(event, AgentStep):
            stages[*hour_of(event), "action"] += event.duration_ms is not None
            failed[*hour_of(event), "action"] += 1
        elif isinstance(event, Inference):
            stages[*hour_of(event), "inference"] += event.duration_ms is not None
            failed[*hour_of(event), "inference"] += event.outcome == "error"
            if event.stage_latency_ms:
                stages[*hour_of(event), "action"] += 1
                stages[*hour_of(event), "ingest"] += event.stage_latency_ms.ingest is not None
    found = rows(store, f"SELECT {hour}, stage, arraySum(mapValues(bins)), failed FROM stage_hours FINAL")
    assert +Counter({tuple(row[:3]): row[3] for row in found}) == +stages
    assert +Counter({tuple(row[:3]): row[4] for row in found}) == +failed


def assert_probes(store, sent):
    """Probes by what was sent, detected by any result that stopped them or flagged them as about security."""
    probes = {(event.probe_id, event.service_name) for event in sent
              if event.probe_id and not isinstance(event, GuardVerdict)}  # fmt: skip
    detected = {
        event.probe_id for event in sent for result in guards_of(event)
        if result.status == "ok" and (result.findings[0].category == "sec.jailbreak" or result.action == "blocked")
    }  # fmt: skip
    found = rows(store, "SELECT probe_id, service_name, detected FROM probes_now")
    assert {(probe, service): bool(hit) for probe, service, hit in found} == {
        (probe, service): probe in detected for probe, service in probes
    }


def test_probes_are_in_no_rollup_of_users(store):
    """A history of probes alone leaves every rollup but their own without a row that counts."""
    for name in {*FILLED, *BASES}:
        store.command(f"TRUNCATE TABLE {name}")
    sent = [Inference(event_id=str(number), source="s", service_name="a", time_unix_nano=NOW_MS * 1_000_000,
                      probe_id=str(number), guards=[guard("sec.jailbreak")], duration_ms=1.0)
            for number in range(4)]  # fmt: skip
    write(store, sent)
    for name in ("service_minutes", "service_hours", "stage_minutes", "stage_hours", "category_minutes"):
        assert rows(store, f"SELECT count() FROM {name}") == [(0,)], name
    assert rows(store, "SELECT count() FROM inferences FINAL") == [(4,)]
    assert rows(store, "SELECT count(), countIf(detected) FROM probes_now") == [(4, 4)]
