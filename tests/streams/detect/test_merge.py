"""Windows to whole ticks: what waits is kept, and the work is linear in the windows however far one source lags."""

import heapq
from itertools import pairwise

from schemas.windows import Sums, Window
from streams.detect import merge
from streams.detect.merge import TickMerger, united
from tests.support.detectors.subjects import successor_of
from tests.support.watchers import group


def window(source, tick, sources=2, groups=None):
    """Return a window of one source partition."""
    sums = [group(rates={"leak": Sums(3, 1, 3, 1)}, mixes={"tool": {"x": 2}}, guards={"ok": 4})]
    return Window(
        source_topic="i", source_topic_id="x", source_partition=source, source_partitions=sources, tick_seconds=10,
        first_tick=5, tick=tick, groups=sums if groups is None else groups,
    )  # fmt: skip


def test_the_merger_keeps_what_waits():
    """Windows that wait for another source are in the state, and come out whole afterwards."""
    merger, parts = TickMerger(), [window(source, 5) for source in (0, 1)]
    assert merger.add(parts[0])
    assert not list(merger.whole())
    merger = successor_of(TickMerger(), merger.state())
    assert not merger.add(parts[0])
    assert merger.add(parts[1])
    [(tick, [whole])] = merger.whole()
    assert (tick, whole.events, whole.rates["leak"], whole.mixes, whole.guards) == (
        5, 40, Sums(6, 2, 6, 2), {"tool": {"x": 4}}, {"ok": 8},
    )  # fmt: skip
    assert united(parts) == [whole]


class CountingHeap:
    """The heap of the standard library, counting how often it is asked."""

    def __init__(self):
        self.asked = 0

    def heappush(self, heap, item):
        """Push an item."""
        self.asked += 1
        heapq.heappush(heap, item)

    def heappop(self, heap):
        """Pop the least item."""
        self.asked += 1
        return heapq.heappop(heap)


def work(monkeypatch, ticks):
    """Return what it costs to take so many ticks of three sources, the third of which lags behind by all of them."""
    heap, looked = CountingHeap(), 0
    monkeypatch.setattr(merge, "heapq", heap)
    merger, out = TickMerger(), []
    for source in (0, 1, 2):
        for tick in range(ticks):
            merger.add(window(source, tick, 3))
            before = heap.asked
            out += [at for at, _ in merger.whole()]
            looked += heap.asked - before
    assert out == list(range(ticks))
    return heap.asked, looked


def test_a_lagging_partition_costs_a_look_a_window(monkeypatch):
    """Each tick enters and leaves the heap once, and nothing is looked at while the third source holds all back."""
    for ticks in (50, 100, 200):
        assert work(monkeypatch, ticks) == (2 * ticks, ticks)


def test_ticks_come_in_order_and_once():
    """However the sources interleave, whole ticks go forwards, and silent ones are left out."""
    merger, out = TickMerger(), []
    for tick in range(40):
        for source in (tick % 2, 1 - tick % 2):
            merger.add(window(source, tick, groups=[] if tick % 3 else None))
            out += [at for at, _ in merger.whole()]
    assert out == [tick for tick in range(40) if tick % 3 == 0]
    assert all(later > earlier for earlier, later in pairwise(out))
