"""What distribution is normal: counts for each band of six hours of the day, renewed from what has waited.

What may be part of a change is never learned: counts wait while the caller says that they are suspicious. The
reference in use is fixed for an hour, so that it is known before the events that are tested against it.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from detectors.base import Bools, Floats, Ints
from detectors.columns import Columns
from detectors.distributions.tilts import ALTERNATIVES, COARSE, tilted

BANDS: Final = 4
NEEDED: Final = 300.0
"""Events in a reference before it may be used."""

BAND_EVENTS: Final = 200.0
"""Pseudo events at the distribution of the whole day that the reference of a band begins with."""

HALF_LIFE_DAYS: Final = 14.0


class Reference(Columns, ABC):
    """The references of growable series, each a row of counts a band.

    Parameters
    ----------
    cells
        How many counts a band has: bins, or names.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = ("counts", "waiting", "usable", "renewed")

    def __init__(self, cells: int) -> None:
        self.counts: npt.NDArray[np.float32] = np.empty((0, BANDS, cells), np.float32)
        self.waiting: npt.NDArray[np.float32] = np.empty((0, BANDS, cells), np.float32)
        self.usable: Bools = np.empty(0, np.bool_)
        self.renewed: Ints = np.empty(0, np.int64)  # one more than the hour of the latest renewal

    def wait(self, rows: Ints, band: int, cells: Ints, amounts: Floats) -> None:
        """Let counts wait to be learned."""
        waiting: Any = self.waiting[:, band]
        np.add.at(waiting, (rows, cells), amounts)

    def due(self, rows: Ints, hour: int) -> Ints:
        """Return the series whose reference should be renewed: once an hour, and always while it is too thin."""
        return rows[(self.renewed[rows] != hour + 1) | ~self.usable[rows]]

    def renew(self, row: int, hour: int, inflation: float) -> None:
        """Take in what waits for a series; what was known before fades.

        `inflation` is how many events count for one, because they follow each other
        (`detectors.distributions.inflation`).
        """
        elapsed = max(hour + 1 - int(self.renewed[row]), 0) if self.renewed[row] else 0
        self.counts[row] *= 0.5 ** (elapsed / 24 / HALF_LIFE_DAYS)
        self.counts[row] += self.waiting[row]
        self.waiting[row] = 0
        self.renewed[row] = hour + 1
        if np.cumsum(self.counts[row], dtype=np.float64)[-1] >= NEEDED:  # a sum in this order, as the kernel has it
            whole = self.counts[row].sum(axis=0, dtype=np.float64)
            own = self.counts[row].astype(np.float64)
            self.derive(row, own + BAND_EVENTS * whole / whole.sum(), (own.sum(axis=1) + BAND_EVENTS) / inflation)
            self.usable[row] = True

    @abstractmethod
    def derive(self, row: int, counts: Floats, known: Floats) -> None:
        """Fix what follows from the counts of the bands, shape (bands, cells), for which `known` events speak."""

    def forget(self, row: int) -> None:
        """Learn a series anew."""
        for column in (self.counts, self.waiting, self.usable):
            column[row] = 0


class HistogramReference(Reference):
    """References of quantities, with the tables of `detectors.distributions.tilts`."""

    COLUMNS: ClassVar = (*Reference.COLUMNS, "coarse", "ratios", "score", "moments")

    def __init__(self, bins: int) -> None:
        super().__init__(bins)
        self.coarse: npt.NDArray[np.uint8] = np.empty((0, BANDS, bins), np.uint8)
        self.ratios: Floats = np.empty((0, BANDS, COARSE, ALTERNATIVES))
        self.score: Floats = np.empty((0, BANDS, COARSE))  # normal score of each quantile bin
        self.moments: Floats = np.empty((0, BANDS, 2))  # its mean and variance

    def derive(self, row: int, counts: Floats, known: Floats) -> None:
        """Fix the quantile bins of the bands, and their log ratios."""
        tables = tilted(counts, known)
        self.coarse[row], self.ratios[row], self.score[row] = tables.coarse, tables.ratios, tables.score
        self.moments[row, :, 0], self.moments[row, :, 1] = tables.mean, tables.variance
