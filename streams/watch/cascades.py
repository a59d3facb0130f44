"""Does one unsafe step follow another? Steps of a trace in their order, also across ticks.

How many unsafe steps there are comes in bursts and must not feed a rate test. Whether an unsafe step is followed
by another one, given that the trace goes on at all, is a coin of its own each time.
"""

from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.metrics import CASCADING
from schemas.windows import Sums
from streams.events.flags import BIT
from streams.watch.batches import EVENT, Int64s, UInt64s
from streams.watch.blocks import Block, Cells
from streams.watch.sessions import FlaggedSessions

UNSAFE: Final = sum(BIT[name] for name in CASCADING)

Bools = npt.NDArray[np.bool_]


def cascade_sums(block: Block, cells: Cells, traces: FlaggedSessions) -> dict[int, Sums]:
    """Return, by cell, the steps that follow an unsafe step of their trace, and those of them unsafe again.

    Parameters
    ----------
    block, cells
        The events of some ticks; within a tick steps follow each other by their times.
    traces
        Remembers the traces whose latest step was unsafe.
    """
    columns, index = block.batch.events, block.index()
    bad = (columns.flagged & UNSAFE) > 0
    order = np.lexsort((cells.of, bad, columns.time, index, columns.trace))
    order = order[columns.role[order] == EVENT]  # a verdict is no step of its own
    if not len(order):
        return {}
    trace, tick, unsafe = columns.trace[order], index[order], bad[order]
    starts = np.flatnonzero(np.concatenate([[True], (trace[1:] != trace[:-1]) | (tick[1:] != tick[:-1])]))
    last = unsafe[np.append(starts[1:] - 1, len(trace) - 1)]
    before = np.concatenate([[False], unsafe[:-1]])
    before[starts] = _followed(trace[starts], block.ticks[tick[starts]], last, traces)
    traces.end(int(block.ticks[-1]))
    return _sums(cells.of[order], before, before & unsafe, len(cells))


def _followed(trace: UInt64s, tick: Int64s, last: Bools, traces: FlaggedSessions) -> Bools:
    """Return whether a trace's latest step was unsafe before each of its ticks, and remember what its `last` step was.

    Traces that neither were nor became unsafe say nothing and are not looked at.
    """
    followed = np.zeros(len(trace), bool)
    known = np.fromiter((key in traces for key in trace.tolist()), bool, len(trace))
    telling = np.flatnonzero(known | np.isin(trace, trace[last]))
    telling = telling[np.lexsort((trace[telling], tick[telling]))]
    steps = zip(*(of[telling].tolist() for of in (np.arange(len(trace)), trace, tick, last)), strict=True)
    for now, of_tick in groupby(steps, key=lambda step: step[2]):
        for at, key, _, unsafe in of_tick:
            followed[at] = traces.flagged_before(key, now)
            if unsafe:
                traces.remember(key, now)
            else:
                traces.forget(key)
        traces.end(now)
    return followed


def _sums(cell: Int64s, tried: Bools, hit: Bools, cells: int) -> dict[int, Sums]:
    trials = np.bincount(cell[tried], minlength=cells)
    flagged = np.bincount(cell[hit], minlength=cells)
    return {
        index: Sums(int(trials[index]), int(flagged[index]), int(trials[index]), int(flagged[index]))
        for index in np.flatnonzero(trials).tolist()
    }
