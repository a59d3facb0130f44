"""Quantities (latency, tokens, scores): tells when their distribution has moved.

A series keeps a reference histogram for each band of six hours of the day (`detectors.distributions.reference`). Its
eleven quantile bins are tested against fixed *tilts* (`detectors.distributions.tilts`): the reference times exp(t z),
with z the normal score of the bin, for four sizes up and four down, and exp(s (z^2 - 1) / 2) for a wider spread. For
counts c in the bins and a tilt q of the reference p, log L = sum c log(q/p): whatever the distribution, E[L] = 1 while
it is p.

Three corrections keep the promise in practice. The reference is known from n0 events only: each tilt is discounted for
it. Events follow each other: log L is divided by the measured variance inflation (`detectors.distributions.inflation`).
And what may be a change is not learned: a histogram waits until the evidence is low again.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt

from detectors.base import Floats, Ints
from detectors.columns import Columns
from detectors.distributions.distribution import DistributionDetector, Judging
from detectors.distributions.reference import HistogramReference
from detectors.distributions.returning import BACK
from detectors.distributions.tilts import ALTERNATIVES, TILTS, median

RECENT: Final = 20.0
"""Events after which the histogram of the latest events has lost half of what it knew."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A quantity is distributed differently, or (`back`) as it was again.

    `median` and `before` are bins: of the latest events, and of the reference. `events` is how many of the latest
    there are, faded. `direction` is where most
    of the mass went; ``wider`` says that only the spread grew.
    """

    series: int
    tick: int
    onset_tick: int
    e_value: float
    promise: float
    direction: Literal["up", "down", "wider"]
    median: int
    before: int
    events: int
    back: bool = False


class _Recent(Columns):
    """The histogram of the latest events of each series."""

    COLUMNS: ClassVar = ("counts",)

    def __init__(self, bins: int) -> None:
        self.counts: npt.NDArray[np.float32] = np.empty((0, bins), np.float32)


class QuantityDetector(DistributionDetector[HistogramReference, Shift]):
    """The detector of all quantities of a partition.

    Parameters
    ----------
    tick_seconds
        Length of a tick, for the hour of the day.
    bins
        How many bins a histogram has.

    Notes
    -----
    A series of 160 bins takes 12 kB. State grows with series, never with traffic.

    Examples
    --------
    >>> detector = QuantityDetector(tick_seconds=10, bins=40)
    >>> detector.grow(1)
    >>> rng, found = np.random.default_rng(1), []
    >>> for tick in range(5000):
    ...     values = rng.normal(20 if tick < 4500 else 23, 4, 10).astype(int).clip(0, 39)
    ...     bins, counts = np.unique(values, return_counts=True)
    ...     found += detector.update(tick, np.zeros(len(bins), int), bins, counts.astype(float), 1e5)
    >>> [(shift.direction, 4500 <= shift.tick < 4540) for shift in found]
    [('up', True)]
    """

    VERSION = 1
    KIND = "quantity detector"

    def __init__(self, tick_seconds: int, bins: int) -> None:
        self._recent: Final = _Recent(bins)
        super().__init__(tick_seconds, bins, ALTERNATIVES, HistogramReference(bins))

    def _compiled_form(self, kernel: ModuleType) -> tuple[Judging, Any]:
        tables = self._reference
        own = kernel.Histograms(tables.coarse, tables.ratios, tables.score, tables.moments, self._recent.counts)
        return kernel.judge_quantities, own

    def _plain(self, tick: int, cells: tuple[Ints, Ints, Floats], promise: float) -> list[Shift]:
        self.tick = tick
        rows, at = np.unique(cells[0], return_inverse=True)
        self._renew(rows, tick)
        band = self._band(tick)
        usable = self._reference.usable[rows]
        ratios, score = self._log_ratios(rows, at, cells, band)
        shifts = self._score(tick, rows, ratios, usable, promise)
        self._learn(rows, at, cells, band, score)
        return shifts

    def _log_ratios(
        self, rows: Ints, at: Ints, cells: tuple[Ints, Ints, Floats], band: int
    ) -> tuple[Floats, tuple[Floats, Floats]]:
        """Return tempered log L, shape (rows, tilts), and deviation and variance of the normal score of the tick."""
        series, bins, counts = cells
        reference = self._reference
        coarse = reference.coarse[series, band, bins]
        ratios = np.zeros((len(rows), ALTERNATIVES))
        np.add.at(ratios, at, counts[:, None] * reference.ratios[series, band, coarse])
        n = np.bincount(at, counts, len(rows))
        mean, variance = reference.moments[rows, band].T
        score = np.bincount(at, counts * reference.score[series, band, coarse], len(rows)) - n * mean
        return ratios / self._inflation.factor(rows)[:, None], (score, n * variance)

    def _score(
        self, tick: int, rows: Ints, ratios: Floats, usable: npt.NDArray[np.bool_], promise: float
    ) -> list[Shift]:
        is_open = self._returns.is_open(rows)
        watched, followed = rows[usable & ~is_open], rows[usable & is_open]
        statistic = self._evidence.add(tick, watched, ratios[usable & ~is_open])
        alarming = np.flatnonzero(statistic >= promise)
        back = self._returns.follow(followed, ratios[usable & is_open])
        return [
            *(self._raise(tick, int(watched[at]), float(statistic[at]), promise) for at in alarming),
            *(self._close(tick, int(followed[at])) for at in back),
        ]

    def _raise(self, tick: int, row: int, statistic: float, promise: float) -> Shift:
        tilt, onset = self._evidence.strongest(row)
        shift = self._shift(row, tick, onset, statistic, promise, tilt, back=False)
        self._open(row, tilt)
        return shift

    def _close(self, tick: int, row: int) -> Shift:
        tilt = int(self._returns.alternative[row]) - 1
        shift = self._shift(row, tick, tick, float(np.exp(BACK)), 0.0, tilt, back=True)
        self._begin_anew(row)
        return shift

    def _shift(
        self, row: int, tick: int, onset: int, e_value: float, promise: float, tilt: int, *, back: bool
    ) -> Shift:
        recent = self._recent.counts[row]
        direction: Literal["up", "down", "wider"] = "wider"
        if tilt < len(TILTS):
            direction = "up" if TILTS[tilt] > 0 else "down"
        return Shift(
            series=row,
            tick=tick,
            onset_tick=onset,
            e_value=min(e_value, 1e300),
            promise=promise,
            direction=direction,
            median=median(recent),
            before=median(self._reference.counts[row].sum(axis=0)),
            events=int(recent.sum()),
            back=back,
        )

    def _begin_anew(self, row: int) -> None:
        super()._begin_anew(row)
        self._recent.counts[row] = 0

    def _learn(
        self, rows: Ints, at: Ints, cells: tuple[Ints, Ints, Floats], band: int, score: tuple[Floats, Floats]
    ) -> None:
        series, bins, counts = cells
        quiet = ~self._returns.is_open(rows)
        self._recent.counts[rows] *= np.exp2(-np.bincount(at, counts) / RECENT)[:, None].astype(np.float32)
        np.add.at(self._recent.counts, (series, bins), counts)
        calm = quiet & self._reference.usable[rows]
        self._inflation.learn(rows[calm], score[0][calm], score[1][calm])
        taken = quiet[at]
        self._reference.wait(series[taken], band, bins[taken], counts[taken])

    def _parts(self) -> dict[str, Columns]:
        return {**super()._parts(), "recent_": self._recent}
