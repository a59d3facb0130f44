"""What the whole fleet shows of a rate, told to each of its series a few times a day."""

import itertools
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from detectors.base import Bools, Ints
from detectors.rates.baseline import Baseline
from detectors.rates.detector import RateDetector
from detectors.rates.watch import TickFindings, TickSums

EVERY_HOURS: Final = 6


class Fleets:
    """Judges the sums of ticks, and at every turn of a quarter of a day lets series know what their fleet shows.

    The fleet of a rate is the wholes of all services; it speaks for these and for their parts.
    """

    def __init__(self, tick_seconds: int) -> None:
        self._every: Final = max(EVERY_HOURS * 3600 // tick_seconds, 1)
        self.turn = -1

    def judged(
        self,
        detector: RateDetector,
        sums: TickSums,
        metrics: Ints,
        whole: Bools,
        turned: Callable[[int, Baseline], None],
    ) -> TickFindings:
        """Return what ticks bring to light, as `RateDetector.update_ticks` does.

        Parameters
        ----------
        metrics, whole
            Of each series: the number of its rate, and whether it is that of a whole service.
        turned
            Is told of each turn: the tick, and what is known of all series before it.
        """
        found = []
        for part in self._parts(sums.ticks):
            first, last = part
            turn = int(sums.ticks[first]) // self._every
            if turn != self.turn:
                self.turn = turn
                turned(int(sums.ticks[first]), detector.baseline)
                for metric in np.unique(metrics).tolist():
                    rows = np.flatnonzero(metrics == metric)
                    detector.baseline.learn_fleet(rows[whole[rows]], rows, int(sums.ticks[first]))
            found.append(detector.update_ticks(_some(sums, first, last)))
        return found[0] if len(found) == 1 else _joined(found)

    def _parts(self, ticks: Ints) -> Iterator[tuple[int, int]]:
        """Yield from which tick to before which the quarter of a day is the same."""
        bounds = np.flatnonzero(np.diff(ticks // self._every, prepend=-1, append=-1)).tolist()
        yield from itertools.pairwise(bounds)


def _some(sums: TickSums, first: int, last: int) -> TickSums:
    """Return the sums from one tick to before another."""
    starts = sums.starts[first : last + 1]
    cells = slice(starts[0], starts[-1])
    rows, trials, flagged, limits = sums.rows[cells], sums.trials[cells], sums.flagged[cells], sums.limits[cells]
    return TickSums(sums.ticks[first:last], starts - starts[0], rows, trials, flagged, limits)


def _joined(parts: list[TickFindings]) -> TickFindings:
    return TickFindings(
        [alarm for part in parts for alarm in part.alarms],
        [recovery for part in parts for recovery in part.recoveries],
        *(np.concatenate(columns) for columns in zip(*(part[2:] for part in parts), strict=True)),
    )
