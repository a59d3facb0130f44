"""Whatever a span says, it is read without an error, and what is told is good by the contract."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Event
from schemas.wire import decoder
from streams.dialects.otlp import LogRecord, Traces, translate
from streams.dialects.otlp.mapping.extras import _READERS
from streams.dialects.otlp.records import Origin, SpanEvent
from streams.dialects.otlp.tables.aliases import FLATTENED, KNOWN
from streams.dialects.otlp.tables.words import OPERATIONS, SPAN_KINDS
from tests.support.otlp import START, span

LATER = 1_900_000_000_000_000_000
DECODE = decoder(Event)

words = st.sampled_from(
    [
        *OPERATIONS,
        *SPAN_KINDS,
        *("stop", "refusal", "SAFETY", "fail", "true", "pre_call", "tools/call", "{}", "[]", "None", "0", "{'a': 1}"),
        '{"messages": [{"role": "user", "content": null}]}',
        '[{"parts": [{"type": "text", "content": 7}]}]',
    ]
)
plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | words
    | st.text(max_size=300)
    | st.binary()
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
parts = st.sampled_from(
    ["0.message.content", "1.message.role", "0.document.id", "x.message", "0", "00.finish_reason", "9999999.a"]
)
keys = st.one_of(
    st.sampled_from(sorted(KNOWN)),
    st.builds(str.__add__, st.sampled_from([start for starts in FLATTENED.values() for start in starts]), parts),
    st.text(max_size=20),
)
attributes = st.dictionaries(keys, values, max_size=8)
ids = st.sampled_from(["", *(digit * 16 for digit in "123")])
events = st.lists(st.builds(SpanEvent, st.sampled_from(sorted(_READERS)), st.just(START), attributes), max_size=2)


@st.composite
def spans(draw):
    made = span(
        draw(ids),
        draw(ids),
        trace=draw(st.sampled_from(["", "a" * 32, "b" * 32])),
        end=draw(st.integers(-5, 50)),
        name=draw(words | st.sampled_from(["raw_gen_ai_request", "handoff to x"])),
        scope=draw(st.sampled_from(["", "litellm", "openinference.x", "opentelemetry.instrumentation.botocore"])),
        status=draw(st.integers(0, 2)),
        status_message=draw(words),
        attributes=draw(attributes),
    )
    made.events.extend(draw(events))
    made.origin.resource.update(draw(attributes))
    return made


logs = st.builds(
    LogRecord,
    st.sampled_from(["", "a" * 32, "b" * 32]),
    ids,
    st.just(START),
    st.sampled_from([*sorted(_READERS), "other"]),
    values,
    attributes,
    st.just(Origin({"service.name": "shop"})),
)


@given(st.lists(spans(), max_size=3), st.lists(logs, max_size=2))
@settings(max_examples=80)
def test_spans_and_logs_of_any_kind_become_events_of_the_contract(some, beside):
    """Attributes of any name and kind, ids that are missing or circular, and any status raise nothing."""
    told = translate(some, beside).events
    for event in told:
        DECODE(json.dumps(event).encode(), LATER)
    assert len({event["event_id"] for event in told}) == len(told)
    assert translate(some, beside).events == told


@given(st.lists(spans(), max_size=2), st.lists(logs, max_size=2))
@settings(max_examples=40)
def test_state_of_anything_can_be_kept(some, beside):
    """Whatever waits can be written to a checkpoint and read again."""
    traces, resumed = Traces(), Traces()
    traces.add([*some, *beside], 0)
    resumed.restore(traces.state())
    assert resumed.close() == traces.close()
