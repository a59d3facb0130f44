"""The compiled form of how `detectors.river.vote` adds up ticks; feeding River is left to the plain form."""

from typing import NamedTuple

from detectors.base import Bools, Floats, Ints
from detectors.compiled.loops import compiled

_NEVER = -1


class Cells(NamedTuple):
    """The sums of ticks, where those of each begin, the expected rates beside them, and which of them count."""

    ticks: Ints
    starts: Ints
    rows: Ints
    trials: Floats
    flagged: Floats
    expected: Floats
    chosen: Bools


@compiled
def add(cells: Cells, sums: Floats, since: Ints, every: int, start: int) -> int:
    """Add cells from one on, and return the first that makes a value complete; without any, how many there are."""
    for number in range(len(cells.ticks)):
        tick = cells.ticks[number]
        for at in range(max(cells.starts[number], start), cells.starts[number + 1]):
            if not cells.chosen[at]:
                continue
            row, n = cells.rows[at], cells.trials[at]
            if since[row] == _NEVER:
                since[row] = tick
            sums[row, 0] += n
            sums[row, 1] += cells.flagged[at]
            sums[row, 2] += n * cells.expected[at]
            if tick - since[row] >= every - 1:
                return at
    return len(cells.rows)
