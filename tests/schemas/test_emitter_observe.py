"""A call that is observed is told of as it went, whatever became of it."""

import asyncio

import pytest
from openai import BadRequestError
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from schemas.emitter import Emitter
from schemas.events import AgentStep, Event, Retrieval
from schemas.wire import decoder

decode = decoder(Event)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def sent():
    """What was sent."""
    return []


@pytest.fixture
def emitter(sent):
    """An emitter of the service chat."""
    return Emitter(lambda *record: sent.append(record), source="shop", service_name="chat")


def events(emitter, sent):
    """Return what was sent when all was, decoded."""
    emitter.close()
    return [decode(value, 2**62) for _, value, _ in sent]


def test_a_call_is_timed_and_named_before_it_ends(emitter, sent):
    """The event has a duration, the time to the first chunk, what was added, and the id known from the beginning."""
    with emitter.observe(session_id="s", request_model="gpt-4o") as call:
        call.first_chunk()
        call.add(response_id="r1", finish_reasons=["tool_calls"])
        known = call.event_id
    [event] = events(emitter, sent)
    assert (event.event_id, event.service_name, event.response_id) == (known, "chat", "r1")
    assert 0 <= event.time_to_first_chunk_ms <= event.duration_ms
    assert (event.finish_reason_norm, event.outcome, event.error_type) == ("tool_call", None, None)


def test_an_error_is_told_and_goes_on(emitter, sent):
    """Outcome and type of the error are in the event, and the caller gets its exception."""
    with pytest.raises(TimeoutError, match="too slow"), emitter.observe():
        raise TimeoutError("too slow")
    [event] = events(emitter, sent)
    assert (event.outcome, event.error_type) == ("error", "TimeoutError")


def test_what_the_service_says_goes_before_what_the_end_seems_to_be(emitter, sent):
    """An exception of its own guard is a block where the service says so."""
    call = emitter.observe().add(outcome="blocked", error_type=None)
    with pytest.raises(RuntimeError), call:
        raise RuntimeError("guard")
    [event] = events(emitter, sent)
    assert (event.outcome, event.error_type) == ("blocked", None)


def test_a_providers_filter_that_raises_is_no_error(emitter, sent):
    """The SDK's 400 of Azure's content filter is `filtered`, with what the filter found."""
    body = {"code": "content_filter", "innererror": {"content_filter_result": {
        "violence": {"filtered": True, "severity": "high"}}}}  # fmt: skip
    error = BadRequestError.__new__(BadRequestError)
    error.body = body
    with pytest.raises(BadRequestError), emitter.observe():
        raise error
    [event] = events(emitter, sent)
    assert (event.outcome, event.outcome_source, event.error_type) == ("filtered", "provider_filter", None)
    assert [(one.layer, one.action, one.findings[0].category) for one in event.guards] == [
        ("input", "blocked", "content.vcr")
    ]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_what_ends_from_outside_is_cancelled(emitter, sent, ending):
    """No error of the call, and it goes on."""
    with pytest.raises(ending), emitter.observe():
        raise ending
    [event] = events(emitter, sent)
    assert (event.outcome, event.error_type) == ("cancelled", None)


@pytest.mark.kafka  # a loop of asyncio has a socket pair of its own
async def test_calls_of_tasks_are_told_apart(emitter, sent):
    """Each task's call has its own fields and duration; one that is cancelled says so."""

    async def call(number, seconds):
        async with emitter.observe(session_id=str(number)):
            await asyncio.sleep(seconds)

    tasks = [asyncio.create_task(call(number, seconds)) for number, seconds in enumerate((0, 0, 60))]
    await asyncio.gather(*tasks[:2])
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert {(event.session_id, event.outcome) for event in events(emitter, sent)} == {
        ("0", None), ("1", None), ("2", "cancelled"),
    }  # fmt: skip


def test_steps_and_searches_are_observed_too(emitter, sent):
    """A step has a status in place of an outcome; a search has its duration."""
    with emitter.observe(AgentStep, step_kind="execute_tool", tool_name="search"):
        pass
    with pytest.raises(OSError, match="gone"), emitter.observe(AgentStep, step_kind="execute_tool"):
        raise OSError("gone")
    with emitter.observe(Retrieval, data_source_id="kb") as search:
        search.add(returned_count=3)
    done, failed, found = events(emitter, sent)
    assert [(step.status, step.error_type) for step in (done, failed)] == [("ok", None), ("error", "OSError")]
    assert (found.returned_count, found.duration_ms is not None) == (3, True)


def test_nothing_that_a_service_adds_can_raise(emitter, sent):
    """A field that does not exist is refused and counted, outside of the service."""
    with emitter.observe(session_id="s") as call:
        call.add(no_such_field=1)
    assert emitter.counts.refused == 1
    [lost] = events(emitter, sent)
    assert (lost.refused, lost.service_name) == (1, "chat")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (PARENT, ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")),
        (PARENT.encode(), ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")),
        ("cc" + PARENT[2:] + "-of-a-later-version", ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")),
        ("ff" + PARENT[2:], (None, None)),
        (PARENT.replace("b7ad6b7169203331", "0" * 16), (None, None)),
        (PARENT.upper(), (None, None)),
        ("nonsense", (None, None)),
        (7, (None, None)),
    ],
)
def test_the_header_of_a_trace_gives_trace_and_parent(emitter, sent, header, expected):
    """As W3C writes it; what is no such header is left out."""
    emitter.inference(traceparent=header)
    [event] = events(emitter, sent)
    assert (event.trace_id, event.parent_span_id, event.span_id) == (*expected, None)


def test_the_current_span_of_opentelemetry_is_the_parent(emitter, sent):
    """Two calls under one span are two events of one trace; a trace of the event's own goes before it."""
    context = SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False)
    with trace.use_span(NonRecordingSpan(context)):
        emitter.inference()
        emitter.inference()
        emitter.inference(trace_id="own")
    first, second, own = events(emitter, sent)
    assert first.event_id != second.event_id
    assert {(event.trace_id, event.parent_span_id) for event in (first, second)} == {
        (f"{0xABC:032x}", f"{0xDEF:016x}")
    }  # fmt: skip
    assert (own.trace_id, own.parent_span_id) == ("own", None)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"outcome": "success"}, ("completed", None, None)),
        ({"outcome": "FAILED"}, ("error", None, None)),
        ({"outcome": "our own word"}, ("our own word", None, None)),
        ({"finish_reasons": ["stop"]}, (None, None, "stop")),
        ({"finish_reasons": ["content_filter"]}, ("filtered", "provider_filter", "content_filter")),
        ({"finish_reasons": ["guardrail_intervened"]}, ("blocked", "guardrail", "content_filter")),
        ({"finish_reasons": ["refusal"]}, ("refused", "provider_refusal", "content_filter")),
        ({"finish_reasons": ["SAFETY"], "outcome": "blocked"}, ("blocked", None, "content_filter")),
        ({"finish_reasons": ["stop", "content_filter"]}, (None, None, None)),
        ({"finish_reason_norm": "end_turn"}, (None, None, "stop")),
        ({"finish_reason_norm": "unheard of"}, (None, None, "unheard of")),
    ],
)
def test_the_well_known_spellings_of_vendors_are_taken(emitter, sent, fields, expected):
    """Outcomes and reasons to finish become ours; the native reasons stay; choices that differ say nothing together."""
    emitter.inference(**fields)
    [event] = events(emitter, sent)
    assert (event.outcome, event.outcome_source, event.finish_reason_norm) == expected
    assert event.finish_reasons == fields.get("finish_reasons")
