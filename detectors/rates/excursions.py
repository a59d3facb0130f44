"""Where a rise began: one CUSUM for each multiplier, with the sums since it last stood at zero."""

from typing import ClassVar, Final, NamedTuple

import numpy as np

from detectors.base import Bools, Floats, Ints
from detectors.columns import Columns
from detectors.rates.likelihood import MULTIPLIERS

HELD_BY_MATURE: Final = 1
HELD_BY_YOUNG: Final = 2
"""Index of the multiplier whose excursion holds learning back: 1.5 for a series whose level is known well, else 2.

A level that is still a rough guess must be allowed to correct itself: held back by 1.5 from the start, a tenth too
low a guess would be frozen and become a false alarm.
"""

_WIDE: Final = len(MULTIPLIERS)


class Excursion(NamedTuple):
    """The first tick of an excursion, and its sums."""

    tick: int
    trials: float
    flagged: float


class Excursions(Columns):
    """The running excursions of all series: S <- max(0, S + log L) (Page 1954)."""

    COLUMNS: ClassVar = ("height", "since", "trials", "flagged")

    def __init__(self) -> None:
        self.height: Floats = np.empty((0, _WIDE))
        self.since: Ints = np.empty((0, _WIDE), np.int64)
        self.trials: Floats = np.empty((0, _WIDE))
        self.flagged: Floats = np.empty((0, _WIDE))

    def carry_on(self, tick: int, rows: Ints, trials: Floats, flagged: Floats, log_ratios: Floats) -> None:
        """Add a tick; where a CUSUM stood at zero, its excursion begins with it."""
        before = self.height[rows]
        starting = before <= 0
        self.since[rows] = np.where(starting, tick, self.since[rows])
        self.trials[rows] = np.where(starting, 0, self.trials[rows]) + trials[:, None]
        self.flagged[rows] = np.where(starting, 0, self.flagged[rows]) + flagged[:, None]
        self.height[rows] = np.maximum(before + log_ratios, 0)

    def holding(self, rows: Ints, mature: Bools) -> tuple[Bools, Ints]:
        """Tell which series are in an excursion that holds learning back, and since when they may have waited."""
        holder = np.where(mature, HELD_BY_MATURE, HELD_BY_YOUNG)
        since = np.minimum(self.since[rows, HELD_BY_MATURE], self.since[rows, HELD_BY_YOUNG])
        return np.asarray(self.height[rows, holder] > 0), since

    def strongest(self, row: int) -> Excursion:
        """Return the excursion of the multiplier with the most evidence."""
        best = int(np.argmax(self.height[row]))
        return Excursion(int(self.since[row, best]), float(self.trials[row, best]), float(self.flagged[row, best]))

    def clear(self, row: int) -> None:
        """End all excursions of a series."""
        for column in (self.height, self.since, self.trials, self.flagged):
            column[row] = 0
