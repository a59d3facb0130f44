"""A probe is stored, and counts nowhere."""

import numpy as np
import pytest

from schemas.events import AgentStep, GuardVerdict, Inference, Retrieval
from schemas.fields import NANO
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.events.flags import event_flags
from streams.history.rows import Origin, rows_of
from streams.watch.counting import countable
from streams.watch.memory import Memory
from streams.watch.reduce import reduce_block
from streams.watch.single.severe import severe_findings
from streams.watch.ticks import PartitionTicks
from tests.streams.events.test_decode import NOW_MS, Record
from tests.streams.events.test_flags import guard

BASE = {"source": "s", "time_unix_nano": NOW_MS * 1_000_000, "service_name": "x", "model_version": "m"}
ATTACK = guard("sec.jailbreak", severity=4)


def events(**fields):
    """Return an event of each kind that may carry a probe, each with a finding of critical severity."""
    return [
        Inference(event_id="1", guards=[ATTACK], duration_ms=5.0, **BASE, **fields),
        AgentStep(event_id="2", step_kind="execute_tool", tool_name="t", guards=[ATTACK], **BASE, **fields),
        Retrieval(event_id="3", data_source_id="d", guards=[ATTACK], **BASE, **fields),
        GuardVerdict(event_id="4", guard=ATTACK, **BASE, **fields),
    ]


def decoded(sent):
    """Return events as the workers decode them."""
    return events_decoder()([Record(encode(event)) for event in sent])


def windows(sent):
    """Return what watch counts of events, after an event that closes their tick."""
    mark = Inference(event_id="9", **(BASE | {"time_unix_nano": (NOW_MS + 60_000) * 1_000_000}))
    found = decoded([*sent, mark])
    flags = {kind: event_flags(columns) for kind, columns in found.kinds.items()}
    ticks = PartitionTicks(10 * NANO, 10 * NANO)
    written = np.full(len(sent) + 1, NOW_MS + 60_000)
    ticks.add(countable(found, flags, written))
    return [groups for _, groups in reduce_block(ticks.close(), Memory(3, 10))]


def test_the_same_events_without_a_probe_are_counted():
    """What the other tests say of probes would show, were they not probes."""
    ((group, agents),) = windows(events())
    assert "t" in agents.mixes["agent_step\x1f"]
    assert group.events == 4
    assert group.rates["injection_flag"].flagged_events == 3
    assert group.mixes["category"]
    assert group.guards["ok"] == 4


def test_a_probe_is_in_no_window():
    """Neither rate, nor quantity, nor mix, nor guard result, nor event count of a window knows a probe."""
    assert windows(events(probe_id="p")) == []


def test_a_probe_beside_users_changes_nothing():
    """The window of users is the same whether probes came between them or not."""
    probes = [event for event in events(probe_id="p") if not isinstance(event, GuardVerdict)]
    assert windows([*probes, *events()]) == windows(events())


@pytest.mark.parametrize("index", range(4))
def test_a_probe_is_no_severe_event(index):
    """An attack of our own pages nobody."""
    columns = next(iter(decoded([events(probe_id="p")[index]]).kinds.values()))
    assert severe_findings(columns, event_flags(columns).guards) == []


@pytest.mark.parametrize("index", range(4))
def test_rows_of_a_probe_are_there_and_are_trials_of_nothing(index):
    """Each row names its probe, also those of its guard results, and has no bits."""
    columns = next(iter(decoded([events(probe_id="p")[index]]).kinds.values()))
    stored = list(rows_of(columns, Origin("inference.v1", "id", 0, np.arange(1))))
    assert len(stored) == (1 if index == 3 else 2)
    for rows in stored:
        row = rows.columns.to_pylist()[0]
        assert (row["probe_id"], row["trials"], row["flagged"]) == ("p", 0, 0)
