"""What the detectors of quantities and of mixes have in common: growth, the life of a finding, and their state."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar, Final, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from detectors import columns
from detectors.base import Floats, Ints, State, StateError, checked_cells, checked_tick
from detectors.columns import Columns, check_version, check_whole
from detectors.compiled import kernels
from detectors.distributions.evidence import Evidence
from detectors.distributions.inflation import Inflation
from detectors.distributions.reference import BANDS, Reference
from detectors.distributions.returning import Returns

Judging = Callable[..., int]
Cells = tuple[Ints, Ints, Floats]
"""Series, cells and counts."""

R = TypeVar("R", bound=Reference)


class Found(Protocol):
    """What a tick brings to light."""

    @property
    def tick(self) -> int:
        """The tick."""

    @property
    def back(self) -> bool:
        """Whether it is as it was again."""


F = TypeVar("F", bound=Found)


class TableSums(NamedTuple):
    """Counts of ticks one after the other: the ticks, where the cells of each begin and the last ends, and the cells.

    The cells of a tick are in the order of their series, and each tick has a threshold.
    """

    ticks: Ints
    starts: Ints
    rows: Ints
    cells: Ints
    counts: Floats
    promises: Floats


class DistributionDetector(ABC, Generic[R, F]):
    """Evidence, scatter, reference and open findings of growable series of tables of counts.

    Parameters
    ----------
    tick_seconds
        Length of a tick, for the hour of the day.
    cells
        How many cells a table has.
    """

    VERSION: ClassVar[int]
    KIND: ClassVar[str]

    def __init__(self, tick_seconds: int, cells: int, alternatives: int, reference: R) -> None:
        self.tick_seconds: Final = tick_seconds
        self.cells: Final = cells
        self.tick = -1
        self._evidence: Final = Evidence(alternatives)
        self._inflation: Final = Inflation()
        self._returns: Final = Returns()
        self._reference: Final = reference

    def __len__(self) -> int:
        return len(self._reference)

    def grow(self, count: int) -> None:
        """Add series."""
        for part in self._parts().values():
            part.extend(count)

    def is_open(self, series: int) -> bool:
        """Tell whether a finding of a series is open."""
        return bool(self._returns.alternative[series] > 0)

    def accept(self, series: int) -> None:
        """Take the change for the new normal: close the finding, and learn the reference anew."""
        self._begin_anew(series)
        self._reference.forget(series)

    def _begin_anew(self, row: int) -> None:
        self._evidence.clear(row)
        self._returns.end(row)

    def _open(self, row: int, alternative: int) -> None:
        """Open a finding; what has waited is part of the change and will never be learned."""
        self._evidence.clear(row)
        self._returns.start(row, alternative)
        self._reference.waiting[row] = 0

    def update(self, tick: int, series: Ints, cells: Ints, counts: Floats, promise: float) -> list[F]:
        """Score the counts of a tick, then learn from them.

        Parameters
        ----------
        tick
            Number of the tick, counted from the Unix epoch; never lower than before.
        series, cells, counts
            The filled cells (bins, or slots) of all series, shape (cells,); a series' whole tick comes in one call.
        promise
            Threshold A in active ticks.

        Raises
        ------
        ValueError
            Where time goes backwards, a cell is not known, or a count is not a whole number above 0.
        """
        given = _as_it_stands(tick, series, cells, counts, promise)
        if given is not None and (found := self._compiled(given)) is not None:
            return found
        tick = checked_tick(tick, self.tick)
        return self._plain(tick, checked_cells(series, cells, counts, len(self), self.cells), promise)

    def update_ticks(self, sums: TableSums) -> list[F]:
        """Score the counts of ticks, each with some and in order, and learn from each before the next.

        It is the same as `update` for each; what that refuses is refused when the ticks before it are done.
        """
        found = self._compiled(sums)
        if found is None:
            found = []
            for number, tick in enumerate(sums.ticks.tolist()):
                part = slice(sums.starts[number], sums.starts[number + 1])
                promise = float(sums.promises[number])
                found += self.update(tick, sums.rows[part], sums.cells[part], sums.counts[part], promise)
        return found

    def _compiled(self, sums: TableSums) -> list[F] | None:
        """Judge ticks with the kernel, and one by one what it leaves over; None where it cannot take them."""
        kernel = kernels.kernel("distributions")
        if kernel is None:
            return None
        size = len(sums.rows) + 1
        cells = kernel.Cells(*sums[2:5], np.zeros(size, np.int64), np.zeros(size, np.int64))
        seconds = sums.ticks * self.tick_seconds
        moments = kernel.Moments(*sums[:2], seconds // 3600, seconds // (86_400 // BANDS) % BANDS, sums.promises)
        count = kernel.usable(cells, moments, max(self.tick, 0), (len(self), self.cells))
        return None if count < 0 else self._judged(kernel, cells, moments, count)

    def _judged(self, kernel: ModuleType, cells: Any, moments: Any, count: int) -> list[F]:
        (judge, own), common = self._compiled_form(kernel), self._common(kernel)
        at, found = 0, []
        while (at := judge(kernel.LOOPS, common, own, cells, moments, (at, count))) < count:
            number = at if at >= 0 else -1 - at
            one, of = slice(cells.starts[number], cells.starts[number + 1]), cells.of[number]
            tick = int(moments.ticks[of])
            if at < 0:
                self._renew(cells.rows[one][:1], tick)
            else:
                found += self._plain(
                    tick, (cells.rows[one], cells.at[one], cells.counts[one]), float(moments.promises[of])
                )
            at = number if at < 0 else number + 1
        self.tick = max(self.tick, *moments.ticks[-1:].tolist())
        return sorted(found, key=lambda each: (each.tick, each.back))

    @abstractmethod
    def _compiled_form(self, kernel: ModuleType) -> tuple[Judging, Any]:
        """Return what judges ticks, and the columns that it needs beside the common ones."""

    @abstractmethod
    def _plain(self, tick: int, cells: Cells, promise: float) -> list[F]:
        """Judge the cells of a tick, in the order of their series."""

    def _common(self, kernel: ModuleType) -> Any:
        reference = self._reference
        columns = (*self._evidence.all_columns(), *self._inflation.all_columns(), self._returns.alternative)
        return kernel.Common(*columns, *(getattr(reference, name) for name in Reference.COLUMNS))

    def _band(self, tick: int) -> int:
        return int(tick * self.tick_seconds // (86_400 // BANDS)) % BANDS

    def _renew(self, rows: Ints, tick: int) -> None:
        """Let the references of calm series take in what waits for them."""
        hour = tick * self.tick_seconds // 3600
        due = self._reference.due(rows, hour)
        due = due[~self._evidence.suspicious(due) & ~self._returns.is_open(due)]
        inflation = self._inflation.factor(due)
        for row, factor in zip(due.tolist(), inflation.tolist(), strict=True):  # once an hour, not once a tick
            self._reference.renew(row, hour, factor)

    def _parts(self) -> dict[str, Columns]:
        return {
            "evidence_": self._evidence,
            "inflation_": self._inflation,
            "returns_": self._returns,
            "reference_": self._reference,
        }

    def state(self) -> State:
        """Return everything as flat arrays, with a version."""
        own = {"tick": np.array([self.tick]), "settings": np.array([self.tick_seconds, self.cells])}
        return {"version": np.array([self.VERSION]), **own, **columns.stored(self._parts())}

    def restore(self, state: State) -> None:
        """Take over what `state` returned.

        Raises
        ------
        StateError
            Where it is of another version or other settings, or not whole. Nothing is changed then.
        """
        check_version(state, self.VERSION, self.KIND)
        check_whole(state, ("tick", "settings"), self.KIND)
        if state["settings"].tolist() != [self.tick_seconds, self.cells]:
            raise StateError(f"{self.KIND} state was kept with other settings; set them back or start without it")
        columns.restore(self._parts(), state)
        self.tick = int(state["tick"][0])


def _as_it_stands(tick: int, series: Ints, cells: Ints, counts: Floats, promise: float) -> TableSums | None:
    """Return the counts of a tick where they are arrays as they stand, None where they have to be looked at first."""
    given: list[Any] = [np.asarray(each) for each in (series, cells, counts)]
    if [each.dtype.char for each in given] != ["l", "l", "d"] or given[0].ndim != 1:
        return None
    if not given[0].shape == given[1].shape == given[2].shape:
        return None
    rows, at, amounts = map(np.ascontiguousarray, given)
    return TableSums(
        np.array([tick], np.int64), np.array([0, len(rows)]), rows, at, amounts, np.array([float(promise)])
    )
