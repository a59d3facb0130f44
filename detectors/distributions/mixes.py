"""Mixes (categories, models, tools, languages): tells when the shares of names have changed, or a new name has come.

Each series has slots for the names it knows, and slot 0 for every name it does not. For counts c of n in a tick and
the shares p that are normal, the alternatives are "slot j has m times its share, the others give way":
q = min(m p, 1/2 + p/2) and log L = c_j log(q/p) + (n - c_j) log((1-q)/(1-p)), for m = 2 and 5 (5 and 20 for slot 0).
E[L] = 1 while the
shares are p. As with quantities, shares known from n0 counts are discounted, counts that scatter more than they should
temper, and what may be a change waits (`detectors.distributions.reference`).

Falls have no alternatives of their own: where one share falls, others rise.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Final

import numpy as np

from detectors.base import Bools, Floats, Ints
from detectors.distributions.distribution import DistributionDetector, Judging
from detectors.distributions.reference import BANDS, Reference
from detectors.distributions.returning import BACK

MULTIPLIERS: Final = np.array([2.0, 5.0])
NEW_MULTIPLIERS: Final = np.array([5.0, 20.0])
"""Of slot 0: nothing new has come yet, so what comes is a multiple of next to nothing."""

PSEUDO: Final = 0.5
"""Pseudo counts of every slot in use, the one for new names among them."""

COMMON: Final = 0.005
"""Slots with a smaller share say nothing about the scatter of counts."""

CARE: Final = 1.0
_WIDE: Final = len(MULTIPLIERS)


@dataclass(frozen=True, slots=True)
class Swing:
    """The share of a slot has risen from `before` to about `times` of it, or (`back`) is as it was.

    Slot 0 stands for names that the series did not know. `shares` are those of all slots that are normal.
    """

    series: int
    tick: int
    onset_tick: int
    e_value: float
    promise: float
    slot: int
    times: float
    before: float
    back: bool = False
    shares: tuple[float, ...] = ()


class _Shares(Reference):
    COLUMNS: ClassVar = (*Reference.COLUMNS, "share", "known", "used")

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.share: Floats = np.empty((0, BANDS, slots))
        self.known: Floats = np.empty((0, BANDS))
        self.used: Bools = np.empty((0, slots), np.bool_)

    def derive(self, row: int, counts: Floats, known: Floats) -> None:
        counts = np.where(self.used[row], counts + PSEUDO, 0.0)
        self.share[row] = counts / counts.sum(axis=1, keepdims=True)
        self.known[row] = known


class MixDetector(DistributionDetector[_Shares, Swing]):
    """The detector of all mixes of a partition.

    Parameters
    ----------
    tick_seconds
        Length of a tick, for the hour of the day.
    slots
        Slots of each series, the one for new names among them; at least 2.

    Examples
    --------
    >>> detector = MixDetector(tick_seconds=10, slots=4)
    >>> detector.grow(1)
    >>> for slot in (1, 2, 3):
    ...     detector.use(0, slot)
    >>> rng, found = np.random.default_rng(1), []
    >>> for tick in range(3000):
    ...     counts = rng.multinomial(20, [0, 0.6, 0.37, 0.03] if tick < 2500 else [0, 0.57, 0.37, 0.06])
    ...     seen = np.flatnonzero(counts)
    ...     found += detector.update(tick, np.zeros(len(seen), int), seen, counts[seen], 1e5)
    >>> [(swing.slot, swing.times, 2500 <= swing.tick < 2600) for swing in found]
    [(3, 2.0, True)]
    """

    VERSION = 1
    KIND = "mix detector"

    def __init__(self, tick_seconds: int, slots: int) -> None:
        super().__init__(tick_seconds, slots, slots * _WIDE, _Shares(slots))
        self._multipliers: Final = np.tile(MULTIPLIERS, (slots, 1))
        self._multipliers[0] = NEW_MULTIPLIERS
        self._signs: Final = np.where(np.arange(slots) % 2, 1.0, -1.0)

    def grow(self, count: int) -> None:
        """Add series, with slot 0 alone in use."""
        super().grow(count)
        self._reference.used[len(self) - count :, 0] = True

    def use(self, series: int, slot: int, seen: float = 0.0) -> None:
        """Give a slot to a name that was counted `seen` times among the unknown, as of the next renewal."""
        self._reference.used[series, slot] = True
        for counts in (self._reference.counts[series], self._reference.waiting[series]):
            unknown = float(counts[:, 0].sum())
            moved = counts[:, 0] * (min(seen / unknown, 1.0) if unknown else 0.0)
            counts[:, slot] += moved
            counts[:, 0] -= moved
            seen -= float(moved.sum())

    def _compiled_form(self, kernel: ModuleType) -> tuple[Judging, Any]:
        reference = self._reference
        own = kernel.Shares(reference.share, reference.known, reference.used, self._multipliers, self._signs)
        return kernel.judge_mixes, own

    def _plain(self, tick: int, of_tick: tuple[Ints, Ints, Floats], promise: float) -> list[Swing]:
        cells, slot, amounts = of_tick
        self.tick = tick
        rows, at = np.unique(cells, return_inverse=True)
        table = np.zeros((len(rows), self.cells))
        np.add.at(table, (at, slot), amounts)
        self._renew(rows, tick)
        band = self._band(tick)
        usable = self._reference.usable[rows]
        found = self._score(tick, rows[usable], table[usable], band, promise)
        taken = ~self._returns.is_open(cells)
        self._reference.wait(cells[taken], band, slot[taken], amounts[taken])
        return found

    def _score(self, tick: int, rows: Ints, table: Floats, band: int, promise: float) -> list[Swing]:
        ratios = self._log_ratios(rows, table, band)
        self._learn_scatter(rows, table, band)
        is_open = self._returns.is_open(rows)
        watched, followed = rows[~is_open], rows[is_open]
        used = self._reference.used[watched].sum(axis=1)
        statistic = self._evidence.add(tick, watched, ratios[~is_open]) * self.cells / np.maximum(used, 1)
        alarming = np.flatnonzero(statistic >= promise)
        back = self._returns.follow(followed, ratios[is_open])
        return [
            *(self._raise(tick, int(watched[at]), float(statistic[at]), promise, band) for at in alarming),
            *(self._close(tick, int(followed[at]), band) for at in back),
        ]

    def _log_ratios(self, rows: Ints, table: Floats, band: int) -> Floats:
        """Return tempered log L, shape (rows, slots x multipliers); slots that are not in use never gain."""
        share = self._reference.share[rows, band][:, :, None]
        several = (share > 0) & (share < 1)  # where one slot is all there is, nothing can be a multiple of it
        safe = np.where(several, share, 0.5)
        raised = np.minimum(safe * self._multipliers, 0.5 + safe / 2)
        n = table.sum(axis=1)[:, None, None]
        count = table[:, :, None]
        ratios = count * np.log(raised / safe) + (n - count) * (np.log1p(-raised) - np.log1p(-safe))
        known = self._reference.known[rows, band][:, None, None]
        low = (1 + CARE * np.sqrt(safe * known + 1)) / known  # by how much a share may be higher than it looks
        ratios -= n * np.log1p(low * (raised - safe) / (safe * (1 - safe)))
        ratios /= self._inflation.factor(rows)[:, None, None]
        whole: Floats = np.where(several, ratios, -np.inf).reshape(len(rows), self.cells * _WIDE)
        return whole

    def _learn_scatter(self, rows: Ints, table: Floats, band: int) -> None:
        """Learn how much one contrast of the common slots scatters, while no finding is open."""
        calm = ~self._returns.is_open(rows)
        share, counts = self._reference.share[rows, band][calm], table[calm]
        weight = np.where(share >= COMMON, self._signs / np.sqrt(np.maximum(share, COMMON)), 0.0)
        n = counts.sum(axis=1)
        mean = (weight * share).sum(axis=1)
        variance = n * np.maximum((weight**2 * share).sum(axis=1) - mean**2, 0)
        self._inflation.learn(rows[calm], (weight * counts).sum(axis=1) - n * mean, variance)

    def _raise(self, tick: int, row: int, statistic: float, promise: float, band: int) -> Swing:
        alternative, onset = self._evidence.strongest(row)
        self._open(row, alternative)
        return self._swing(row, tick, onset, min(statistic, 1e300), promise, alternative, band)

    def _close(self, tick: int, row: int, band: int) -> Swing:
        alternative = int(self._returns.alternative[row]) - 1
        self._begin_anew(row)
        return self._swing(row, tick, tick, float(np.exp(BACK)), 0.0, alternative, band, back=True)

    def _swing(
        self, row: int, tick: int, onset: int, e_value: float, promise: float, alternative: int, band: int,
        *, back: bool = False,
    ) -> Swing:  # fmt: skip
        slot, size = divmod(alternative, _WIDE)
        shares = tuple(self._reference.share[row, band].tolist())
        times = float(self._multipliers[slot, size])
        return Swing(row, tick, onset, e_value, promise, slot, times, shares[slot], back, shares)
