"""However spans arrive, a trace comes to the same events."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.dialects.otlp import Rules, Traces, translate
from tests.support.otlp import NAMES, records, span

SECOND = 1_000_000_000
WAIT = 10 * SECOND


def in_batches(found, cuts, now=0):
    """Return the events of records that come in batches, all at one moment."""
    traces, events, start = Traces(), [], 0
    for cut in [*sorted(cuts), len(found)]:
        events += traces.add(found[start:cut], now)
        start = cut
    return events + traces.add((), now + 1) + traces.close()


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=8)
def test_events_do_not_depend_on_batches_nor_on_order_within_a_moment(name, data):
    """Cut anywhere, and in any order, the records of one moment give the same events with the same ids."""
    found = records(name)
    whole = in_batches(found, [])
    cuts = data.draw(st.lists(st.integers(0, len(found)), max_size=6))
    assert in_batches(found, cuts) == whole
    spans = [record for record in found if hasattr(record, "parent_span_id")]
    if len(spans) == len(found):  # messages of a prompt come in their order
        random.Random(data.draw(st.integers())).shuffle(spans)
        assert in_batches(spans, cuts) == whole


@pytest.mark.parametrize("name", NAMES)
def test_a_restored_state_goes_on_as_if_nothing_had_happened(name):
    """State taken after any record gives, with the rest of the records, the events of an unbroken run."""
    found = records(name)
    straight, broken = Traces(), Traces()
    for position, record in enumerate(found):
        now = position * SECOND // 4
        assert broken.add([record], now) == straight.add([record], now)
        resumed = Traces()
        resumed.restore(broken.state())
        broken = resumed
    assert broken.close() == straight.close()


def test_a_state_of_other_make_is_refused():
    """Bytes that are no state, or one of another format, are named as such."""
    with pytest.raises(ValueError, match="no state"):
        Traces().restore(b"\x91")


def call(span_id, parent="", **given):
    return span(span_id, parent, **({"gen_ai__operation__name": "chat", "gen_ai__request__model": "m"} | given))


def test_a_child_waits_for_its_root_and_takes_over_its_session():
    """A call that arrives before its root is told when the root has come, with the root's session and user."""
    traces = Traces()
    assert traces.add([call("2" * 16, "1" * 16)], 0) == []
    assert traces.add([span("1" * 16, name="request", session__id="s-1", user__id="u-1")], 5 * SECOND) == []
    (event,) = traces.add((), 5 * SECOND + 1)
    assert (event["session_id"], event["user_pseudo_id"]) == ("s-1", "u-1")
    assert traces.close() == []


def test_a_root_that_never_comes_is_waited_for_so_long_and_no_longer():
    """After the patience a span is told with what is known."""
    traces = Traces(Rules(wait_nano=WAIT))
    traces.add([call("2" * 16, "1" * 16)], 0)
    assert traces.add((), WAIT - 1) == []
    assert len(traces.add((), WAIT)) == 1


def test_a_child_that_comes_after_its_root_still_takes_over_its_session():
    """What a finished trace said is remembered for those that come late."""
    traces = Traces()
    traces.add([span("1" * 16, name="request", session__id="s-1")], 0)
    traces.add([call("2" * 16, "1" * 16)], SECOND)
    (event,) = traces.add((), 2 * SECOND)
    assert event["session_id"] == "s-1"


def test_the_inner_of_two_spans_of_a_call_that_comes_late_is_not_told_again():
    """A call is counted once even where its inner span comes after the outer one was told."""
    traces = Traces()
    traces.add([call("1" * 16)], 0)
    assert len(traces.add((), 1)) == 1
    traces.add([call("2" * 16, "1" * 16)], SECOND)
    assert traces.add((), 2 * SECOND) + traces.close() == []


def test_a_span_that_two_exporters_sent_is_told_once():
    """The same span is the same span, whoever sends it."""
    traces = Traces()
    traces.add([call("1" * 16), call("1" * 16)], 0)
    events = traces.add([call("1" * 16)], SECOND)
    assert len(events + traces.add((), 2 * SECOND) + traces.close()) == 1


def test_memory_is_bounded_and_what_makes_room_is_told():
    """With more spans than may be remembered, the oldest traces are told at once; none is lost."""
    traces = Traces(Rules(most_spans=10))
    events = []
    for number in range(50):
        events += traces.add([call("2" * 16, "1" * 16, trace=f"{number:032x}")], number)
    assert len(events) == 40
    assert len({event["event_id"] for event in events + traces.close()}) == 50


def test_what_is_old_is_forgotten():
    """The state of an assembler that has told everything comes back to what it was."""
    traces = Traces()
    empty = len(traces.state())
    for number in range(100):
        traces.add([call("1" * 16, trace=f"{number:032x}")], number * SECOND)
    traces.add((), 200 * SECOND)
    traces.add((), 400 * SECOND)
    assert len(traces.state()) <= empty + 20


def test_a_circle_of_parents_comes_to_an_end():
    """Spans that are each other's parents are told after the patience."""
    events = translate([call("1" * 16, "2" * 16), call("2" * 16, "1" * 16)]).events
    assert {event["event_id"][-16:] for event in events} <= {"1" * 16, "2" * 16}
