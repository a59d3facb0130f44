"""Telemetry that real libraries sent becomes events that say what really happened, as far as spans say it."""

import json
from collections import Counter

import pytest

from schemas.events import Event
from schemas.wire import decoder
from streams.dialects.otlp import Span, translate
from tests.support.otlp import NAMES, counted, records, truth, unsaid

KNOWN = (
    *("calls", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "refusals", "filtered_finish"),
    *("tools_run", "tools_failed", "handoffs", "retrievals", "guardrail_trips", "moderation_flagged"),
)
LATER = 1_900_000_000_000_000_000


def translated(name):
    found = records(name)
    spans = [record for record in found if isinstance(record, Span)]
    return translate(spans, [record for record in found if not isinstance(record, Span)])


def expected(scenario, gaps):
    """Return what is to be told of a scenario: the truth, but for what is named as unsaid."""
    counts = Counter({key: scenario["truth"].get(key, 0) for key in KNOWN})
    counts["failed"] = scenario["truth"].get("client_errors", 0)
    for gap in gaps:
        if scenario["name"] in gap["scenarios"]:
            for key, value in gap["told"].items():
                counts[key] = value
    return +counts


@pytest.mark.parametrize("name", NAMES)
def test_each_scenario_is_told_as_it_happened_but_for_what_is_named_as_unsaid(name):
    """Calls, tokens, tools, refusals, filters, blocks and errors of each scenario are those of the ledger."""
    events = translated(name).events
    scenarios, gaps = truth(name), unsaid(name)["unsaid"]
    known = {trace for scenario in scenarios for trace in scenario["trace_ids"]}
    stray = [event for event in events if event["trace_id"] not in known]
    told = {one["name"]: counted(e for e in events if e["trace_id"] in one["trace_ids"]) for one in scenarios}
    wanted = {one["name"]: expected(one, gaps) for one in scenarios}
    if stray:  # embeddings of litellm run after their scenario, in a trace that no one noted
        told["embed"] = counted(stray)
    assert told == wanted


@pytest.mark.parametrize("name", NAMES)
def test_sessions_and_users_are_those_that_were_served(name):
    """Where spans name a session or a user, it is the right one; where they name none, none is made up."""
    events, said = translated(name).events, unsaid(name)
    for scenario in truth(name):
        served = [event for event in events if event["trace_id"] in scenario["trace_ids"]]
        for field, kind in (("session_id", "session"), ("user_pseudo_id", "user")):
            named = said[f"{kind}s"] is True or (said[f"{kind}s"] and scenario["name"] in said[f"{kind}s"])
            wanted = {scenario[kind]} if named and served and scenario[kind] else {None}
            assert {event.get(field) for event in served} == (wanted if served else set()), scenario["name"]


@pytest.mark.parametrize("name", NAMES)
def test_what_no_span_counted_is_absent_and_never_zero(name):
    """A call that failed, or whose stream counted nothing, has no token counts."""
    decode = decoder(Event)
    for event in translated(name).events:
        decode(json.dumps(event).encode(), LATER)
        if event.get("outcome") == "error" and not event.get("usage_input_tokens"):
            assert not any(key.startswith("usage_") for key in event), event["event_id"]


@pytest.mark.parametrize("name", NAMES)
def test_no_text_passes_the_door(name):
    """Nothing that was said to a model or by it stands in the events, unless it is asked for."""
    told = json.dumps(translated(name).events)
    for text in ("capital of France", "Help me", "shop assistant.", "A-404", "18 degrees"):
        assert text not in told
