"""When a change of distribution is over: the reference explains what comes better than the alternative that alarmed.

The evidence is a CUSUM of -log L of that alternative. While the change lasts, it takes at least `e^BACK` ticks on
average to come to `BACK` (Lorden, "Procedures for reacting to a change in distribution", 1971).
"""

from typing import ClassVar, Final

import numpy as np

from detectors.base import Bools, Floats, Ints
from detectors.columns import Columns

BACK: Final = float(np.log(1e4))


class Returns(Columns):
    """Which series have an open finding, by which alternative, and how far each is on its way back."""

    COLUMNS: ClassVar = ("alternative", "height")

    def __init__(self) -> None:
        self.alternative: Ints = np.empty(0, np.int64)  # one more than the alternative, 0 where nothing is open
        self.height: Floats = np.empty(0)

    def is_open(self, rows: Ints) -> Bools:
        """Tell which series have an open finding."""
        return np.asarray(self.alternative[rows] > 0)

    def start(self, row: int, alternative: int) -> None:
        """Open a finding."""
        self.alternative[row], self.height[row] = alternative + 1, 0

    def end(self, row: int) -> None:
        """Close a finding."""
        self.alternative[row] = self.height[row] = 0

    def follow(self, rows: Ints, log_ratios: Floats) -> Ints:
        """Take log L of open series, shape (series, alternatives), and return the places in `rows` that are back."""
        gain = -np.take_along_axis(log_ratios, self.alternative[rows, None] - 1, axis=1)[:, 0]
        self.height[rows] = np.maximum(self.height[rows] + gain, 0)
        return np.flatnonzero(self.height[rows] >= BACK)
