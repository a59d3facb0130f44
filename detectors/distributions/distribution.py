"""What the detectors of quantities and of mixes have in common: growth, the life of a finding, and their state."""

from abc import ABC
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, ClassVar, Final, Generic, TypeVar

import numpy as np

from detectors import columns
from detectors.base import Floats, Ints, State, StateError
from detectors.columns import Columns, check_version, check_whole
from detectors.distributions.evidence import Evidence
from detectors.distributions.inflation import Inflation
from detectors.distributions.reference import BANDS, Reference
from detectors.distributions.returning import Returns

Judging = Callable[..., int]
Cells = tuple[Ints, Ints, Floats]
"""Series, cells and counts."""

R = TypeVar("R", bound=Reference)


class DistributionDetector(ABC, Generic[R]):
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

    def _ready(self, kernel: ModuleType, tick: int, series: Ints, cells: Ints, counts: Floats) -> Any:
        """Return the cells of a tick as the kernel takes them, or None where they have to be put in order first."""
        given = [np.asarray(each) for each in (series, cells, counts)]
        if [each.dtype.char for each in given] != ["l", "l", "d"] or tick < max(self.tick, 0):
            return None
        if not given[0].shape == given[1].shape == given[2].shape or given[0].ndim != 1:
            return None
        found = kernel.Cells(*map(np.ascontiguousarray, given), np.zeros(len(series) + 1, np.int64))
        return found if kernel.usable(found, len(self), self.cells) else None

    def _left(self, kernel: ModuleType, judge: Judging, own: Any, cells: Any, moment: Any) -> Iterator[Cells]:
        """Judge the series of a tick, and yield the cells of each that is left to the plain form."""
        self.tick, tick = moment.tick, moment.tick
        common = self._common(kernel)
        if kernel.due(common, cells, tick * self.tick_seconds // 3600):
            self._renew(np.unique(cells.rows), tick)
        at = 0
        while cells.starts[(at := judge(kernel.LOOPS, common, own, cells, moment, at))] < len(cells.rows):
            one = slice(cells.starts[at], cells.starts[at + 1])
            yield cells.rows[one], cells.at[one], cells.counts[one]
            at += 1

    def _common(self, kernel: ModuleType) -> Any:
        reference = self._reference
        columns = (*self._evidence.all_columns(), *self._inflation.all_columns(), self._returns.alternative)
        return kernel.Common(*columns, reference.waiting, reference.usable, reference.renewed)

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
