"""Trials and flagged of the rates of ticks, by series: the wholes of services, and their tenants' versions."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from detectors.base import Bools, Floats, Ints
from schemas.metrics import WATCHED
from schemas.windows import GroupSums
from streams.detect.owed import Owed
from streams.detect.watcher import Tick
from streams.kafka.checkpoints import Arrays

KNOWN: Final = frozenset(rate.name for rate in WATCHED)
MOST_KINDS: Final = 20_000
"""Kinds of groups, by name and rates, whose rows are remembered."""

Rows = Callable[[GroupSums, str], tuple[tuple[int, int], bool]]
"""Gives the rows of the whole and of the group itself, -1 for none, and whether these are places of their own."""


class RateCells(NamedTuple):
    """The sums of those ticks that have any: where each tick stands among all, where its cells begin, and the cells."""

    numbers: Ints
    ticks: Ints
    starts: Ints
    rows: Ints
    trials: Floats
    flagged: Floats

    def of_cells(self) -> Ints:
        """Return, for each cell, which of `ticks` it belongs to."""
        return np.repeat(np.arange(len(self.ticks)), np.diff(self.starts))


class RateSums:
    """Adds up the rates of ticks.

    Parameters
    ----------
    rows
        Says where the counts of a group and rate belong.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows: Final = rows
        self._owed: Final = Owed()
        self._kinds: dict[tuple[str, ...], Ints] = {}  # rows of wholes and of groups themselves

    def of(self, ticks: Sequence[Tick]) -> RateCells:
        """Return the sums of ticks, with what was owed to their series, and meet those that are new."""
        kinds: list[Ints] = []
        widths, tried, bad = [], [], []
        for _, sums in ticks:
            width = 0
            for group in sums:
                if not group.rates:
                    continue
                of_rates = group.rates.values()
                trials, flagged = [one.trials for one in of_rates], [one.flagged for one in of_rates]
                name = (group.tenant_id, group.service_name, group.model_version, *group.rates)
                found = self._kinds.get(name)
                kinds.append(self._met(name, group, trials, flagged) if found is None else found)
                width += len(trials)
                tried.append(trials)
                bad.append(flagged)
            widths.append(width)
        if not kinds:
            nothing = np.empty(0, np.int64)
            return RateCells(nothing, nothing, np.zeros(1, np.int64), nothing, np.empty(0), np.empty(0))
        n, k = (np.array(list(chain.from_iterable(each)), np.float64) for each in (tried, bad))
        return self._added([tick for tick, _ in ticks], np.array(widths), np.concatenate(kinds, axis=1), n, k)

    def _met(self, name: tuple[str, ...], group: GroupSums, trials: list[int], flagged: list[int]) -> Ints:
        """Return the rows of a group, and keep them where all rates have a place of their own."""
        rows, own = [], True
        for metric, n, k in zip(group.rates, trials, flagged, strict=True):
            if metric not in KNOWN:
                rows.append((-1, -1))
            elif n or k:
                found, places = self._rows(group, metric)
                rows.append(found)
                own &= places
            else:
                rows.append((-1, -1))
                own = False
        both = np.array(rows, np.int64).T
        if own:
            if len(self._kinds) >= MOST_KINDS:
                self._kinds.clear()
            self._kinds[name] = both
        return both

    def _added(self, ticks: list[int], widths: Ints, rows: Ints, trials: Floats, flagged: Floats) -> RateCells:
        numbers = np.repeat(np.arange(len(ticks)), widths)
        placed = rows >= 0
        size = int(rows.max(initial=0)) + 1
        keys, which = np.unique((numbers * size + rows)[placed], return_inverse=True)
        n: Floats = np.bincount(which, np.broadcast_to(trials, rows.shape)[placed], len(keys)).astype(np.float64)
        k: Floats = np.bincount(which, np.broadcast_to(flagged, rows.shape)[placed], len(keys)).astype(np.float64)
        of, series = keys // size, keys % size
        self._owed.settle(series, n, k)
        return _chosen(np.array(ticks, np.int64), of, series, n, k, n > 0)

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return self._owed.state()

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        self._owed.restore(state)
        self._kinds = {}


def _chosen(ticks: Ints, of: Ints, rows: Ints, n: Floats, k: Floats, chosen: Bools) -> RateCells:
    """Return some cells, with the ticks that have any of them."""
    numbers, starts = np.unique(of[chosen], return_index=True)
    return RateCells(numbers, ticks[numbers], np.append(starts, int(chosen.sum())), rows[chosen], n[chosen], k[chosen])


def some_of(cells: RateCells, chosen: Bools) -> RateCells:
    """Return some of the cells, with the ticks that have any of them."""
    return _chosen(cells.ticks, cells.of_cells(), cells.rows, cells.trials, cells.flagged, chosen)
