"""Windows are a function of the log, and within the lateness bound not even of its order."""

import itertools

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.windows import MAX_GROUPS, OTHER, GroupSums
from streams.events.labels import SEPARATOR, Named
from streams.events.versions import FIXED
from streams.watch.batches import KEYS, MEASURES, Batch, EventColumns, Shown
from streams.watch.memory import Memory
from streams.watch.reduce import reduce_block
from streams.watch.sessions import CAPACITY, FlaggedSessions
from streams.watch.ticks import PartitionTicks

SECOND = 1_000_000_000
TICK, LATENESS = 10 * SECOND, 20 * SECOND
BASE = 1_770_000_000 * SECOND

events = st.lists(
    st.tuples(
        st.integers(0, 300), st.integers(0, 2), st.integers(0, 5), st.integers(0, 511), st.integers(0, 3)
    ),  # seconds, group, session, flagged, categories
    min_size=1,
    max_size=60,
)


def batch(rows) -> Batch:
    """Return events as the counting gives them."""
    data = np.array([row[:4] for row in rows], np.int64).reshape(-1, 4)
    repeats = [index for index, row in enumerate(rows) for _ in range(row[4])]
    shown = [label for row in rows for label in range(row[4], 0, -1)]
    order = list(dict.fromkeys(shown))  # a batch numbers the names as it meets them
    labels = Named(np.array(repeats, np.int64), np.array([order.index(label) for label in shown], np.int64))
    guards = Named(np.array(repeats, np.int64), np.array(shown, np.int64))
    count = len(rows)
    measures = np.full((count, len(MEASURES)), np.nan, np.float32)
    measures[:, 0], measures[:, 2] = data[:, 0] + 1, data[:, 0]
    ids = pa.array(["/".join(map(str, row)) for row in rows])
    columns = EventColumns(
        time=BASE + data[:, 0] * SECOND,
        group=data[:, 1],
        row=np.arange(count),
        session=data[:, 2].astype(np.uint64),
        trace=data[:, 2].astype(np.uint64),
        trials=np.full(count, 511, np.uint32),
        flagged=data[:, 3].astype(np.uint32),
        call=np.ones(count, np.uint8),
        measures=measures,
        late=np.zeros(count, np.uint8),
        counted=np.ones(count, np.uint8),
        risk=np.zeros(len(rows), np.float32),
        source=np.zeros(count, np.int64),
        asked=np.full(count, -1, np.int64),
        sure=np.full(count, FIXED, np.uint8),
        keys=np.zeros((count, KEYS), np.uint64),
        role=np.zeros(count, np.uint8),
    )
    groups = [("t", "a", "1", ""), ("t", "b", "1", ""), ("u", "b", "2", "canary")]
    names = [f"mix{label}{SEPARATOR}name" for label in order]
    return Batch(columns, groups, guards, labels, names, Shown(ids, ids, ids))


def windows(batches) -> dict[int, list[GroupSums]]:
    """Return all windows of a log, its end marked."""
    ticks, memory = PartitionTicks(TICK, LATENESS), Memory(3, 10)
    found = {}
    for part in [*batches, batch([(100_000, 0, 9, 0, 0)])]:
        ticks.add(part)
        closed = dict(reduce_block(ticks.close(), memory))
        assert not found.keys() & closed.keys()
        found |= closed
    return found


def wire(found) -> dict[int, bytes]:
    """Return windows as they are sent: two dicts of one content are equal in any order, their bytes are not."""
    return {tick: msgspec.json.encode(groups) for tick, groups in found.items()}


def cut(rows, cuts):
    """Return rows in batches."""
    edges = [0, *sorted({min(point, len(rows)) for point in cuts}), len(rows)]
    return [batch(rows[a:b]) for a, b in itertools.pairwise(edges) if a < b]


@settings(max_examples=150)
@given(rows=events, cuts=st.lists(st.integers(0, 60), max_size=6))
def test_any_batching_gives_the_same_windows(rows, cuts):
    """However a log is cut into batches, also with late events, its windows are the same to the byte."""
    assert wire(windows(cut(rows, cuts))) == wire(windows([batch(rows)]))


@settings(max_examples=150)
@given(rows=events, data=st.data())
def test_any_order_within_the_lateness_bound_gives_the_same_windows(rows, data):
    """Events that come at most the lateness bound out of order give the windows of the ordered log."""
    rows = sorted(rows)
    jitter = data.draw(st.lists(st.integers(0, LATENESS // SECOND), min_size=len(rows), max_size=len(rows)))
    arrived = [row for _, row in sorted(zip([r[0] + j for r, j in zip(rows, jitter, strict=True)], rows, strict=True))]
    assert wire(windows([batch(arrived)])) == wire(windows([batch(rows)]))


@settings(max_examples=100)
@given(rows=events, cuts=st.lists(st.integers(0, 60), max_size=3))
def test_every_event_counts_exactly_once(rows, cuts):
    """Early, late or in time, each event is in one window, and the late ones are counted as late."""
    found = windows(cut(rows, cuts))
    assert sum(group.events for groups in found.values() for group in groups) == len(rows)
    newest, late = None, 0
    for second, *_ in rows:
        closed = -1 if newest is None else (newest - LATENESS // SECOND + 1_770_000_000) // 10
        late += (second + 1_770_000_000) // 10 < closed
        newest = second if newest is None else max(newest, second)
    assert sum(group.late for groups in found.values() for group in groups) == late


@settings(max_examples=60)
@given(rows=events, cuts=st.lists(st.integers(1, 59), min_size=1, max_size=3), kill=st.integers(0, 3))
def test_a_successor_publishes_the_same_windows(rows, cuts, kill):
    """Taken up behind the last acknowledged batch with the stored watermark, the rest comes out the same."""
    batches = [*cut(rows, cuts), batch([(100_000, 0, 9, 0, 0)])]
    expected = windows(cut(rows, cuts))
    ticks, memory, found, held = PartitionTicks(TICK, LATENESS), Memory(3, 10), {}, []
    saved = (-1, None, None, memory.state())
    for number, part in enumerate(batches[: kill + 1]):
        held.append((number, ticks.add(part), ticks.newest))
        found |= reduce_block(ticks.close(), memory)
        while held and held[0][1] < ticks.first_open:
            number_done, _, newest = held.pop(0)
            saved = (number_done, newest, ticks.first_open, memory.state())
    successor, memory = PartitionTicks(TICK, LATENESS), Memory(3, 10)
    successor.newest, successor.first_open = saved[1], saved[2]
    memory.restore(saved[3])
    for part in batches[saved[0] + 1 :]:
        successor.add(part)
        for tick, groups in reduce_block(successor.close(), memory):
            assert found.setdefault(tick, groups) == groups
    assert wire(found) == wire(expected)


def test_a_session_counts_once_a_tick_and_is_remembered():
    """Ten flagged events of one session are one trial, and in the next ticks none."""
    found = windows([batch([(0, 0, 1, 1, 0)] * 10 + [(10, 0, 1, 1, 0), (40, 0, 1, 1, 0)])])
    sums = [groups[0].rates["unsafe_attempted"] for groups in list(found.values())[:3]]
    assert [(item.trials, item.flagged, item.events) for item in sums] == [(1, 1, 10), (0, 0, 1), (1, 1, 1)]


def test_ten_thousand_new_series_in_a_tick_are_bounded_and_counted():
    """Of ten thousand groups the largest are kept by name, and the rest is summed as one."""
    rows = [(0, index, index, 0, 0) for index in range(10_000)] + [(0, 7, 1, 0, 0)] * 3
    part = batch(rows)
    groups = [("t", f"s{index:05}", "", "") for index in range(10_000)]
    part = Batch(part.events, groups, part.guards, part.labels, part.label_names, part.shown)
    ticks = PartitionTicks(TICK, LATENESS)
    ticks.add(part)
    ticks.newest += 10 * TICK
    [(_, groups)] = reduce_block(ticks.close(), Memory(3, 10))
    assert len(groups) == MAX_GROUPS + 1
    assert sum(group.events for group in groups) == len(rows)
    other = next(group for group in groups if group.service_name == OTHER[1])
    assert other.events == 10_000 - MAX_GROUPS
    assert next(group for group in groups if group.service_name == "s00007").events == 4


def test_flagged_sessions_are_bounded():
    """More flagged sessions than the memory holds push out the oldest, and that is counted."""
    sessions = FlaggedSessions(100)
    for tick in range(4):
        for key in range(tick * 30_000, (tick + 1) * 30_000):
            sessions.remember(key, tick)
        sessions.end(tick)
    assert sessions.forgotten == 120_000 - CAPACITY
    assert not sessions.flagged_before(5, 4)
    assert sessions.flagged_before(119_999, 4)


@pytest.mark.parametrize("count", [0, 1])
def test_an_event_that_is_not_counted_only_moves_time(count):
    """A time mark closes ticks and appears in none."""
    ticks = PartitionTicks(TICK, LATENESS)
    ticks.add(batch([(0, 0, 1, 0, 0)]))
    mark = batch([(500, 0, 1, 0, 0)])
    mark.events.counted[:] = count
    assert (ticks.add(mark) is None) == (count == 0)
    assert len(ticks.close()) == 1
    ticks.newest += 100 * TICK
    assert len(ticks.close()) == count
