"""Sums that may be part of a rise wait here and are learned only when it has proven to be none.

They wait by hour of the day, so that what is learned after hours still counts for the hours it came from; an
excursion of more than a day puts the same hours of several days together.
"""

from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from detectors.base import Floats, Ints
from detectors.columns import Columns
from detectors.rates.baseline import Baseline

_DAY: Final = 24


class Quarantine(Columns):
    """The waiting sums of all series, shape (series, 24 hours)."""

    COLUMNS: ClassVar = ("trials", "flagged")

    def __init__(self) -> None:
        self.trials: npt.NDArray[np.float32] = np.empty((0, _DAY), np.float32)
        self.flagged: npt.NDArray[np.float32] = np.empty((0, _DAY), np.float32)

    def hold(self, hour: int, rows: Ints, trials: Floats, flagged: Floats) -> None:
        """Let the sums of a tick wait."""
        self.trials[rows, hour % _DAY] += trials
        self.flagged[rows, hour % _DAY] += flagged

    def release(self, baseline: Baseline, tick: int, rows: Ints, since: Ints) -> None:
        """Let a baseline learn what waits for some series.

        Parameters
        ----------
        since
            The tick from which on each of them has waited.
        """
        trials = self.trials[rows].sum(axis=1, dtype=np.float64)
        flagged = self.flagged[rows].sum(axis=1, dtype=np.float64)
        baseline.learn(rows, tick, trials, flagged)
        now = baseline.hour_of(tick)
        waited = np.minimum(now - baseline.hours_of(since), _DAY - 1)
        some = np.repeat(rows, waited + 1)
        ages = np.arange(len(some)) - np.repeat(np.cumsum(waited + 1) - waited - 1, waited + 1)
        hours, slots = now - ages, (now - ages) % _DAY
        baseline.learn_hours(
            some, tick, hours, self.trials[some, slots].astype(float), self.flagged[some, slots].astype(float)
        )
        self.drop(rows)

    def drop(self, rows: Ints) -> None:
        """Forget what waits for some series."""
        self.trials[rows] = 0
        self.flagged[rows] = 0
