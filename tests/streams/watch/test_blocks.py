"""All ticks that close together are counted in one pass, and come out as if each had been counted by hand."""

import itertools

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.metrics import RATES
from streams.watch.reduce import reduce_block
from streams.watch.sessions import Memory
from streams.watch.ticks import PartitionTicks
from tests.support.watch.oracle import LATENESS, MEMORY, SECOND, TICK, Event, batch, windows

BITS = st.integers(0, 2 ** len(RATES) - 1)
EVENTS = st.lists(
    st.builds(
        Event,
        second=st.integers(0, 200),
        group=st.integers(0, 2),
        session=st.integers(0, 4),
        trace=st.integers(0, 3),
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
).map(lambda events: [event._replace(number=number) for number, event in enumerate(events)])
END = Event(100_000, 0, 9, 9, 0, 0, False, None, None, (), (), False, -1)


@settings(max_examples=200, deadline=None)
@given(events=EVENTS, cuts=st.lists(st.integers(0, 50), max_size=5))
def test_a_block_counts_what_one_would_count_by_hand(events, cuts):
    """However a log is cut, its windows are, byte for byte, those that an oracle without arrays counts tick by tick."""
    ticks, memory, found = PartitionTicks(TICK * SECOND, LATENESS * SECOND), Memory(MEMORY), {}
    edges = [0, *sorted({min(cut, len(events)) for cut in cuts}), len(events)]
    for part in [*(events[a:b] for a, b in itertools.pairwise(edges) if a < b), [END]]:
        ticks.add(batch(part))
        found |= reduce_block(ticks.close(), memory)
    expected = windows(events)
    assert list(found) == list(expected)
    assert {tick: msgspec.json.encode(groups) for tick, groups in found.items()} == {
        tick: msgspec.json.encode(groups) for tick, groups in expected.items()
    }
