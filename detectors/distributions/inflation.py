"""How much more counts scatter than independent events would: the variance inflation that tempers a likelihood.

Events that come in bursts or follow each other (a slow minute, a chatty session) make each look like several. The
squared deviation of a block of ticks, over what independence allows, averages to 1 without dependence; it is
averaged for blocks of 1, 6 and 36 ticks, and the largest average counts, never less than 1. Dividing the log ratio
by it ("tempering") is what keeps the promise of a test under dependence (a quasi-likelihood; McCullagh and Nelder,
"Generalized linear models", 1989, section 9.2).
"""

from typing import ClassVar, Final

import numpy as np

from detectors.base import Floats, Ints
from detectors.columns import Columns

BLOCKS: Final = np.array([1, 6, 36])
PSEUDO_BLOCKS: Final = 20.0
HALF_LIFE_BLOCKS: Final = 5_000.0
MOST: Final = 9.0
"""No block counts for more than so many times the inflation so far: a change must not pass for scatter."""

_WIDE: Final = len(BLOCKS)


class Inflation(Columns):
    """The measured variance inflation of many series, of statistics with a known variance."""

    COLUMNS: ClassVar = ("deviation", "variance", "ticks", "ratio", "weight")

    def __init__(self) -> None:
        self.deviation: Floats = np.empty((0, _WIDE))
        self.variance: Floats = np.empty((0, _WIDE))
        self.ticks: Ints = np.empty((0, _WIDE), np.int64)
        self.ratio: Floats = np.empty((0, _WIDE))
        self.weight: Floats = np.empty((0, _WIDE))

    def factor(self, rows: Ints) -> Floats:
        """Return the inflation of each series, at least 1."""
        average = (self.ratio[rows] + PSEUDO_BLOCKS) / (self.weight[rows] + PSEUDO_BLOCKS)
        highest: Floats = np.maximum(average.max(axis=1), 1.0)
        return highest

    def learn(self, rows: Ints, deviation: Floats, variance: Floats) -> None:
        """Take the deviation of a tick from its expectation, and the variance that independence gives it."""
        self.deviation[rows] += deviation[:, None]
        self.variance[rows] += variance[:, None]
        self.ticks[rows] += 1
        full = (self.ticks[rows] >= BLOCKS) & (self.variance[rows] > 0)
        most = MOST * self.factor(rows)[:, None]
        squared = np.minimum(self.deviation[rows] ** 2 / np.maximum(self.variance[rows], 1e-12), most) * full
        fade = np.where(full, 0.5 ** (1 / HALF_LIFE_BLOCKS), 1.0)
        self.ratio[rows] = self.ratio[rows] * fade + squared
        self.weight[rows] = self.weight[rows] * fade + full
        for column in (self.deviation, self.variance, self.ticks):
            column[rows] = np.where(full, 0, column[rows])
