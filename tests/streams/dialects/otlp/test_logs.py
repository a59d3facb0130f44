"""Logs that belong to spans: waited for where a call does not say how it ended, and only there."""

import pytest

from streams.dialects.otlp import LogRecord, Rules, Traces
from tests.support.otlp import START, span

A, B = "a" * 16, "b" * 16
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 3}


def test_a_call_that_says_not_how_it_ended_waits_for_its_log():
    """Spans and logs are exported apart: a filter that only the log tells is seen, whichever comes first."""
    call = span(A, attributes=CHAT)
    choice = LogRecord(call.trace_id, A, START, "gen_ai.choice", {"finish_reason": "content_filter"}, {}, call.origin)
    rules = Rules(settle_nano=2_000)
    for first, second in ((call, choice), (choice, call)):
        traces = Traces(rules)
        assert traces.add([first], 1_000) == []
        assert traces.add([second], 2_500) == []
        (event,) = traces.add([], 2_501)
        assert event["outcome"] == "filtered"
    traces = Traces(rules)
    traces.add([call], 1_000)
    assert traces.add([], 2_999) == []
    (event,) = traces.add([], 3_000)
    assert event["outcome"] == "completed"


def test_an_objection_waits_for_no_log():
    """A guard that objects is out at once, with the id of the call that waits; one that does not goes with the call."""
    guard = {"gen_ai.operation.name": "apply_guardrail", "gen_ai.guardrail.component.name": "shield"}
    for value, types in (("flag", ["guard_verdict"]), ("allow", [])):
        traces = Traces(Rules(settle_nano=2_000))
        judged = span(B, A, attributes=guard | {"gen_ai.guardrail.result.value": value})
        traces.add([span(A, attributes=CHAT), judged], 1_000)
        events = traces.add([], 1_001)
        assert [event["event_type"].split(".")[2] for event in events] == types
        assert all(event["target_event_id"] == f"{judged.trace_id}-{A}" for event in events)
        later = traces.add([], 3_000)
        assert [event["event_type"].split(".")[2] for event in later] == ["inference"]
        assert len(later[0].get("guards", [])) == (value == "allow")


@pytest.mark.parametrize(
    "said",
    [{"gen_ai.response.finish_reasons": ["stop"]}, {"error.type": "429", "status": 2},
     {"watchkeeper.outcome": "blocked"}, {"gen_ai.operation.name": "embeddings"}],
)  # fmt: skip
def test_a_call_that_says_how_it_ended_does_not_wait(said):
    """By a finish reason, an error or an outcome; an embedding ends in one way only."""
    traces, said = Traces(Rules(settle_nano=2_000)), dict(said)
    traces.add([span(A, status=said.pop("status", 0), attributes=CHAT | said)], 1_000)
    assert len(traces.add([], 1_001)) == 1
