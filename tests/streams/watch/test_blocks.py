"""All ticks that close together are counted in one pass, and come out as if each had been counted by hand."""

import itertools

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.metrics import RATES
from streams.events.flags import BIT
from streams.policy.policy import Policy
from streams.watch.memory import Memory
from streams.watch.names import Names
from streams.watch.reduce import reduce_block
from streams.watch.single.odd import OddWatch
from streams.watch.single.sampler import ReviewWatch
from streams.watch.single.traces import OpenTraces
from streams.watch.ticks import PartitionTicks
from tests.support.watch.oracle import LATENESS, MEMORY, SECOND, TICK, Event, batch, windows

BITS = st.integers(0, 2 ** len(RATES) - 1)
ANY_ORDER = st.lists(
    st.builds(
        Event,
        second=st.integers(0, 24).map(lambda at: 8 * at),
        group=st.integers(0, 2),
        session=st.integers(0, 4),
        trace=st.integers(0, 2),
        trials=BITS,
        flagged=BITS | st.just(0),
        call=st.booleans(),
        latency=st.none() | st.sampled_from([0.0, 3.0, 900.0, 5e4]),
        score=st.none() | st.sampled_from([0.0, 0.25, 0.91, 1.0]),
        labels=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), max_size=2).map(tuple),
        statuses=st.lists(st.integers(0, 5), max_size=2).map(tuple),
        vector=st.booleans(),
        number=st.just(0),
    ),
    min_size=1,
    max_size=50,
)
EVENTS = st.builds(
    lambda events, step: [
        event._replace(number=number)
        for number, event in enumerate(sorted(events, key=lambda event: event.second // step))
    ],
    ANY_ORDER,
    st.sampled_from([1, 20, 1_000]),
)  # in order, somewhat late, or in any order
CUTS = st.lists(st.integers(0, 50), max_size=5)
END = Event(100_000, 0, 9, 9, 0, 0, False, None, None, (), (), False, -1)


def blocks(events, cuts):
    """Yield what closes together of a log that is cut into batches."""
    ticks = PartitionTicks(TICK * SECOND, LATENESS * SECOND)
    edges = [0, *sorted({min(cut, len(events)) for cut in cuts}), len(events)]
    for part in [*(events[a:b] for a, b in itertools.pairwise(edges) if a < b), [END]]:
        ticks.add(batch(part))
        yield ticks.close()


@settings(max_examples=200, deadline=None)
@given(events=EVENTS, cuts=CUTS)
def test_a_block_counts_what_one_would_count_by_hand(events, cuts):
    """However a log is cut, its windows are, byte for byte, those that an oracle without arrays counts tick by tick."""
    memory, found = Memory(MEMORY, 10), {}
    for block in blocks(events, cuts):
        found |= reduce_block(block, memory)
    expected = windows(events)
    assert list(found) == list(expected)
    assert {tick: msgspec.json.encode(groups) for tick, groups in found.items()} == {
        tick: msgspec.json.encode(groups) for tick, groups in expected.items()
    }


@settings(max_examples=100, deadline=None)
@given(events=EVENTS, cuts=CUTS)
def test_what_looks_at_single_events_does_not_see_how_a_log_was_cut(events, cuts):
    """Names, open traces, the events that wait for their minute and the strata are the same, bit for bit."""
    whole, in_parts = single_watchers(events, []), single_watchers(events, cuts)
    assert whole.keys() == in_parts.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(in_parts[name], array, err_msg=name)


def test_a_trace_that_goes_on_in_the_tick_that_would_end_it_is_not_over():
    """Wherever the log is cut in that tick, the trace is one of two steps: a batch that ends ends no trace."""
    tool = Event(0, 0, 0, 0, BIT["denied_tool"], 0, False, 5.0, None, (), (), False, 0)
    calls = [tool._replace(second=4 * number, trace=1, call=True, number=number) for number in range(1, 25)]
    log = [tool, *calls[:10], tool._replace(second=44, number=50), *calls[10:]]
    for cut in range(len(log)):
        ticks, traces, over = PartitionTicks(TICK * SECOND, LATENESS * SECOND), OpenTraces(MEMORY), []
        for part in [log[:cut], log[cut:], [END]]:
            ticks.add(batch(part)) if part else None
            over += traces.add(ticks.close())
        assert [(trace.steps, trace.event_id) for _, trace in over] == [(2, "e0")]


def single_watchers(events, cuts):
    """Return the state of all who look at single events, after a log."""
    names, odd, review = Names(TICK), OddWatch(TICK, MEMORY, 1.0, Policy()), ReviewWatch(TICK, 1.0, Policy())
    for block in blocks(events, cuts):
        named = names.admitted(block)
        odd.judge(named)
        review.judge(named)
    watchers = {"names": names, "odd": odd, "review": review}
    return {name + key: array for name, watcher in watchers.items() for key, array in watcher.state().items()}
