"""Counts by series and cell (a bin, a slot) of many ticks, added up and in order, with the thresholds of each tick."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from detectors.base import Ints
from detectors.budget import thresholds
from detectors.distributions.distribution import TableSums
from streams.findings.series import SeriesBook


class TableCounts:
    """Counts as they come: tick after tick, a cell as often as it comes."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.cells: list[int] = []
        self.amounts: list[int] = []
        self._ticks: Final[list[int]] = []
        self._ends: Final[list[int]] = []

    def end(self, tick: int) -> None:
        """What came since the last end belongs to a tick; one without counts is left out."""
        if len(self.rows) > (self._ends[-1] if self._ends else 0):
            self._ticks.append(tick)
            self._ends.append(len(self.rows))

    def sums(self, book: SeriesBook, cells: int, tickets: float) -> TableSums | None:
        """Return the counts added up, where there are any, and let a book note their series.

        Parameters
        ----------
        book
            Knows the series, and how active they are.
        cells
            How many a series has.
        tickets
            Budget of alarms a day.
        """
        if not self._ticks:
            return None
        size = len(book)
        of = np.repeat(np.arange(len(self._ticks)), np.diff(self._ends, prepend=0))
        keys = (of * size + _ints(self.rows)) * cells + _ints(self.cells)
        keys, which = np.unique(keys, return_inverse=True)
        series = np.unique(keys // cells)
        ticks, numbers = _ints(self._ticks), np.arange(len(self._ticks) + 1)
        activity = book.activities(ticks, np.searchsorted(series, numbers * size), series % size)
        return TableSums(
            ticks, np.searchsorted(keys, numbers * size * cells), keys // cells % size, keys % cells,
            np.bincount(which, np.array(self.amounts, np.float64), len(keys)).astype(np.float64),
            thresholds(activity[0], activity[1], np.array([tickets])),
        )  # fmt: skip


def _ints(numbers: Sequence[int]) -> Ints:
    return np.array(numbers, np.int64)
