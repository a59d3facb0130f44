"""Does one unsafe step follow another? Steps of a trace in their order, also across ticks.

How many unsafe steps there are comes in bursts and must not feed a rate test. Whether an unsafe step is followed
by another one, given that the trace goes on at all, is a coin of its own each time.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.windows import Sums
from streams.events.flags import BIT
from streams.watch.sessions import FlaggedSessions
from streams.watch.ticks import EventColumns

UNSAFE: Final = BIT["unsafe_attempted"] | BIT["leak"] | BIT["denied_tool"] | BIT["error"]


def cascade_sums(columns: EventColumns, groups: int, tick: int, traces: FlaggedSessions) -> dict[int, Sums]:
    """Return, by group, the steps that follow an unsafe step of their trace, and those of them unsafe again.

    Parameters
    ----------
    columns
        The events of a tick, in any order: steps follow each other by their times.
    groups
        How many groups there are.
    tick
        Its number.
    traces
        Remembers the traces whose latest step was unsafe.
    """
    bad = (columns.flagged & UNSAFE) > 0
    order = np.lexsort((columns.group, bad, columns.time, columns.trace))
    trace, unsafe = columns.trace[order], bad[order]
    first = np.concatenate([[True], trace[1:] != trace[:-1]])
    starts = np.flatnonzero(first)
    before = np.concatenate([[False], unsafe[:-1]])
    before[starts] = traces.repeated(trace[starts], tick)
    last = unsafe[np.append(starts[1:] - 1, len(trace) - 1)]
    traces.forget(trace[starts][~last])
    traces.remember(trace[starts][last], tick)
    return _sums(columns.group[order], before, before & unsafe, groups)


def _sums(
    group: npt.NDArray[np.int64], tried: npt.NDArray[np.bool_], hit: npt.NDArray[np.bool_], groups: int
) -> dict[int, Sums]:
    trials = np.bincount(group[tried], minlength=groups)
    flagged = np.bincount(group[hit], minlength=groups)
    return {
        index: Sums(int(trials[index]), int(flagged[index]), int(trials[index]), int(flagged[index]))
        for index in np.flatnonzero(trials).tolist()
    }
