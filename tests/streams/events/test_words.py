"""Unknown words are kept, stored and counted; nothing is refused for one."""

import numpy as np
import pytest
from prometheus_client import REGISTRY

from schemas.events import AgentStep, Event, GuardVerdict, Inference, Retrieval, RetrievedDocument
from schemas.guards import GuardFinding, GuardResult
from schemas.wire import decoder, encode
from streams.events.decode import events_decoder
from streams.events.flags import event_flags
from streams.events.words import note_words
from streams.history.rows import Origin, rows_of
from streams.watch.counting import countable
from tests.streams.events.test_decode import NOW_MS, Record

BASE = {"event_id": "1", "source": "s", "time_unix_nano": NOW_MS * 1_000_000, "service_name": "x"}
FINDING = GuardFinding(category="S10", score_kind="stars")
GUARD = GuardResult(
    guard_name="g", layer="w", status="w", verdict="w", action="w", mode="w", fail_mode="w", findings=[FINDING]
)
COMMON = {"deployment_variant": "w", "ingest_dialect": "w"}
EVENTS = [
    Inference(**BASE, **COMMON, outcome="w", finish_reason_norm="tool_calls", outcome_source="w", capture_mode="w",
              guards=[GUARD]),
    AgentStep(**BASE, **COMMON, step_kind="w", tool_tier="w", authorization="w", approver_kind="w", status="w",
              guards=[GUARD]),
    Retrieval(**BASE, **COMMON, documents=[RetrievedDocument(id="d", trust="w")], guards=[GUARD]),
    GuardVerdict(**BASE, **COMMON, guard=GUARD),
]  # fmt: skip
OF_GUARDS = ("layer", "status", "verdict", "action", "mode", "fail_mode")


def count(field):
    """Return how many unknown words of a field were counted."""
    return REGISTRY.get_sample_value("watchkeeper_unknown_words_total", {"field": field}) or 0.0


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_unknown_words_are_kept_counted_and_refuse_nothing(event):
    """Every field of an open vocabulary takes a word of its own, in every place where events are read."""
    assert decoder(Event)(encode(event), NOW_MS * 1_000_000) == event
    fields = [f"guard.{name}" for name in OF_GUARDS] + ["finding.category", "finding.score_kind"]
    fields += [name for name in event.__struct_fields__ if getattr(event, name) in ("w", "tool_calls")]
    before = {field: count(field) for field in fields}
    decoded = events_decoder()([Record(encode(event))])
    [columns] = decoded.kinds.values()
    flags = event_flags(columns)
    note_words(columns, flags.guards)
    assert {field: count(field) - before[field] for field in fields} == dict.fromkeys(fields, 1.0)
    assert list(rows_of(columns, Origin("t", "i", 0, np.array([1]))))
    batch = countable(decoded, {type(event): flags}, np.array([NOW_MS]))
    assert not batch.events.flagged.any()
    assert len(batch.guards.row) == 0 or set(batch.guards.name) == {5}


def test_known_words_are_not_counted():
    """Words of the vocabularies, absent ones and empty ones are no unknown words."""
    before = count("outcome")
    for word in ("completed", "unknown", "", None):
        [columns] = events_decoder()([Record(encode(Inference(**BASE, outcome=word)))]).kinds.values()
        note_words(columns, event_flags(columns).guards)
    assert count("outcome") == before
