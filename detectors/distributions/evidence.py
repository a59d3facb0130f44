"""Evidence for a few fixed alternatives over many series: Shiryaev-Roberts sums, and where each excursion began.

M <- (1 + M) L for each alternative; the statistic is the mean of the M. With E[L | past] <= 1 while nothing has
changed, the mean number of updates until the statistic reaches A is at least A (Shin, Ramdas and Rinaldo,
"E-detectors", NEJSDS 2023, section 3). Beside it runs Page's CUSUM of log L, whose last zero estimates the onset.
"""

from typing import ClassVar, Final

import numpy as np

from detectors.base import Floats, Ints
from detectors.columns import Columns
from detectors.rates.likelihood import shiryaev_roberts

SUSPICIOUS: Final = np.log(50.0)
"""Height of a CUSUM from which on nothing is learned: fifty to one that something has changed."""


class Evidence(Columns):
    """The evidence of all series.

    Parameters
    ----------
    alternatives
        How many there are.
    """

    COLUMNS: ClassVar = ("sums", "height", "since")

    def __init__(self, alternatives: int) -> None:
        self.sums: Floats = np.empty((0, alternatives))
        self.height: Floats = np.empty((0, alternatives))
        self.since: Ints = np.empty((0, alternatives), np.int64)

    def add(self, tick: int, rows: Ints, log_ratios: Floats) -> Floats:
        """Take log L of each series and alternative, shape (series, alternatives), and return the statistics."""
        self.sums[rows] = sums = shiryaev_roberts(self.sums[rows], log_ratios)
        before = self.height[rows]
        self.since[rows] = np.where(before <= 0, tick, self.since[rows])
        self.height[rows] = np.maximum(before + log_ratios, 0)
        statistic: Floats = sums.mean(axis=1)
        return statistic

    def suspicious(self, rows: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Tell which series may be in the middle of a change."""
        return np.asarray(self.height[rows].max(axis=1) >= SUSPICIOUS)

    def strongest(self, row: int) -> tuple[int, int]:
        """Return the alternative with the most evidence, and the tick its excursion began in."""
        best = int(np.argmax(self.height[row]))
        return best, int(self.since[row, best])

    def clear(self, row: int) -> None:
        """Begin anew."""
        for column in (self.sums, self.height, self.since):
            column[row] = 0
