"""Counts by series and cell (a bin, a slot): of many ticks in order with the thresholds of each, and the latest."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.base import Floats, Ints
from detectors.budget import thresholds
from detectors.distributions.distribution import TableSums
from streams.findings.series import SeriesBook
from streams.kafka.checkpoints import Arrays


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


class LatestCounts:
    """The counts of the latest ticks with data of each series, to tell what there is now beside what was.

    Parameters
    ----------
    cells
        How many a series has.
    """

    KEPT: Final = 24
    """Ticks of a series."""

    def __init__(self, cells: int) -> None:
        self._ticks: Ints = np.empty((0, self.KEPT), np.int64)
        self._counts: npt.NDArray[np.uint32] = np.empty((0, self.KEPT, cells), np.uint32)

    def note(self, tick: int, rows: Ints, cells: Ints, counts: Floats) -> None:
        """Take all counts of a tick, in the order of their series."""
        new = int(rows.max(initial=-1)) + 1 - len(self._ticks)
        if new > 0:
            self._ticks = np.concatenate([self._ticks, np.full((new, self.KEPT), -1, np.int64)])
            self._counts = np.concatenate([self._counts, np.zeros((new, *self._counts.shape[1:]), np.uint32)])
        own, of = np.unique(rows, return_inverse=True)
        oldest = self._ticks[own].argmin(axis=1)
        self._ticks[own, oldest], self._counts[own, oldest] = tick, 0
        self._counts[rows, oldest[of], cells] = counts

    def since(self, row: int, tick: int) -> Floats:
        """Return the counts of a series by cell, from a tick on as far as they are kept."""
        return np.asarray(self._counts[row, self._ticks[row] >= tick].sum(axis=0, dtype=np.float64))

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"ticks": self._ticks.copy(), "counts": self._counts.copy()}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._ticks, self._counts = state["ticks"].astype(np.int64), state["counts"].astype(np.uint32)


def _ints(numbers: Sequence[int]) -> Ints:
    return np.array(numbers, np.int64)
