"""Agent traces that are not over yet: bounded, told when they are over, and the same by a successor."""

import numpy as np
import pytest

from streams.watch.blocks import Block
from streams.watch.single.traces import OpenTraces
from tests.streams.watch.test_ticks import batch
from tests.support.detectors.subjects import successor_of


def take(traces, tick, trace, steps=True):
    """Give one event of a trace, a step or a call; return what is over by then."""
    events = batch([(tick, 0, trace, 0, 0)])
    events.events.call[:] = not steps
    over = traces.add(Block(np.array([tick]), np.array([0, 1]), events))
    return ["e" + each.event_id.split("/")[0] for _, each in over]


def test_open_traces_are_bounded(monkeypatch):
    """More open traces than there is room for close the ones that were silent longest."""
    monkeypatch.setattr("streams.watch.single.traces.CAPACITY", 3)
    traces = OpenTraces(30)
    assert [name for tick in range(6) for name in take(traces, tick, tick)] == ["e0", "e1", "e2"]


@pytest.mark.parametrize("cut", [0, 1, 2, 5])
def test_a_trace_is_told_once_it_is_over(cut):
    """It is over after its idle time, not before, also for a successor; a call by itself is no trace."""
    traces, over = OpenTraces(3), []
    for tick, (trace, steps) in enumerate([(1, True), (2, False), (1, True), (7, True), (8, True), (9, True)]):
        if tick == cut:
            traces = successor_of(OpenTraces(3), traces.state())
        over.append(take(traces, tick, trace, steps))
    assert over == [[], [], [], [], [], ["e0"]]
