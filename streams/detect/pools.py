"""Rates of services that have something in common, pooled: a second level of series above those of single services.

Services that share a version of a model are one pool by rate; so are those that share a tool or a source of data, as
their mixes name these. A pool sees a change that is too small for any of them alone, and is judged by the same detector
of rates, a minute at a time, on standardised sums (`detectors.rates.pooling`). What a member shows counts while no
finding of its own is open: then somebody looks at it already. Once a pool has told, all of it counts, until all are
back. At every turn of a quarter of a day it is looked anew
who belongs to what, and what is usual of each; a member is one from its second day on.
"""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from detectors.base import Alarm, Bools, Floats, Ints, Recovery
from detectors.budget import thresholds
from detectors.columns import prefixed, under
from detectors.rates.baseline import Baseline
from detectors.rates.detector import RateDetector
from detectors.rates.pooling import REFERENCE, Lately, Standardised, own_rates, shared
from schemas.metrics import WATCHED
from streams.detect.budgets import budgets
from streams.detect.cells import RateCells
from streams.detect.membership import LEAST_SERVICES, Membership, Pool
from streams.findings.evidence import Member
from streams.findings.finding import WHOLE
from streams.findings.series import SeriesBook
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy

if TYPE_CHECKING:
    from detectors.rates.likelihood import Direction

SHARE: Final = 0.1
"""Of the budget of false alarms: what pools have, and single services do without. Tickets of pools are to be as rare as
pages, because each is about several services."""

MOST_POOLS: Final = 5_000
MINUTE: Final = 60
FALLS: Final = {rate.name for rate in WATCHED if rate.falls}


class Pooled(NamedTuple):
    """What a pool brings to light: a change with its members, those that changed most first, or its end."""

    pool: Pool
    found: Alarm | Recovery
    onset_tick: int
    members: list[Member]


class Usual(NamedTuple):
    """What single series showed up to a turn."""

    tick: int
    trials: Floats
    flagged: Floats


class Pools:
    """The pools of one partition of the windows.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    share
        This partition's share of the fleet's budget, 0 to 1.
    policy
        Budgets, and which rates are watched.
    """

    def __init__(self, tick_seconds: int, share: float, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._unit_seconds: Final = max(MINUTE, tick_seconds)
        self.book: Final = SeriesBook(self._unit_seconds, MOST_POOLS)
        self.detectors: Final[dict[Direction, RateDetector]] = {
            "up": RateDetector(self._unit_seconds), "down": RateDetector(self._unit_seconds, direction="down"),
        }  # fmt: skip
        self._day: Final = -(-86_400 // tick_seconds)
        budget = policy.budget
        rare = {"tickets_per_day": min(budget.pages_per_day, budget.tickets_per_day)}
        policy = policy.model_copy(update={"budget": budget.model_copy(update=rare)})
        self._alarms, self._budget_of = budgets(policy, share * SHARE)
        self._falls_off: Final = policy.detectors.falls == "off"
        self._standard: Final = Standardised()
        self._lately: Final = Lately()
        self.membership: Final = Membership()
        self._wholes: Ints = np.empty(0, np.int64)  # of each single series: the row of its service as a whole
        self._turns: list[Usual] = []
        self._unit = -1
        self._rows: Ints = np.empty(0, np.int64)  # of members: the series of a single service, ascending
        self._usual: Floats = np.empty(0)  # the rate of each
        self._pairs: Ints = np.empty((2, 0), np.int64)  # which member belongs to which pool, by member
        self._sums: Floats = np.empty((4, 0))  # of the minute so far, by member: trials not busy, all; flags likewise

    def turn(self, tick: int, baseline: Baseline) -> None:
        """Note what is usual of single series when a quarter of a day begins, before any of its ticks is judged."""
        known = (baseline.begun >= 0) & (tick - baseline.begun >= self._day)
        self._turns.append(Usual(tick, np.where(known, baseline.trials, 0), np.where(known, baseline.flagged, 0)))

    def judged(self, cells: RateCells, opened: Bools, book: SeriesBook) -> list[tuple[int, Pooled]]:
        """Return what ticks bring to light, each with the tick in which it does.

        Parameters
        ----------
        cells, opened
            The sums of single series, and which of these have a finding open by then.
        book
            Their names.
        """
        found: list[tuple[int, Pooled]] = []
        self._know(book)
        units = cells.ticks * self._tick_seconds // self._unit_seconds
        for first, last in _runs(units):
            tick, unit = int(cells.ticks[first]), int(units[first])
            if unit != self._unit:
                found += [(tick, each) for each in self._close(book)]
                self._unit = unit
            if self._turns and self._turns[0].tick <= tick:
                self._gather(self._turns.pop(0), book)
            part = slice(cells.starts[first], cells.starts[last])
            if len(self._rows):
                self._add(cells, part, opened)
        return found

    def _add(self, cells: RateCells, part: slice, opened: Bools) -> None:
        rows, of = cells.rows[part], cells.of_cells()[part]
        at = np.minimum(np.searchsorted(self._rows, rows), len(self._rows) - 1)
        busy = _busy(rows, of, opened[part], self._wholes)
        counts = self._rows[at] == rows
        n, k = cells.trials[part], cells.flagged[part]
        for total, chosen, amounts in zip(self._sums, (counts & ~busy, counts) * 2, (n, n, k, k), strict=True):
            np.add.at(total, at[chosen], amounts[chosen])

    def _close(self, book: SeriesBook) -> list[Pooled]:
        """Judge the minute that is over."""
        members = np.flatnonzero(self._sums[1])
        if not len(members):
            return []
        self._lately.add(self._unit * self._unit_seconds // 3600, members, *self._sums[1::2, members])
        own, pools = self._pairs
        n, k = (
            np.where(self._open()[pools], every[own], free[own]) for free, every in (self._sums[:2], self._sums[2:])
        )
        self._sums[:] = 0
        shown = np.array([np.bincount(pools, each, len(self.book)) for each in (n * self._usual[own], k)])
        rows = np.flatnonzero(shown[0] > 0)
        trials, flagged = self._standard.sums(rows, *shown[:, rows])
        some = trials > 0
        rows, trials, flagged = rows[some], trials[some], flagged[some]
        self.book.note(rows, self._unit)
        series, active = (np.array([each]) for each in self.book.activity(self._unit))
        limits = np.append(thresholds(series, active, np.array(self._alarms)), np.inf)[self._budgets[rows]]
        up = self.detectors["up"].update(self._unit, rows, trials, flagged, limits)
        found: list[Alarm | Recovery] = [*up.alarms, *up.recoveries]
        if not self._falls_off:
            fall = self._falling[rows] & ~self.detectors["up"].open(rows)
            down = self.detectors["down"].update(self._unit, rows[fall], trials[fall], flagged[fall], limits[fall])
            found += [*down.alarms, *down.recoveries]
        return [told for each in found if (told := self._told(each, book))]

    def _told(self, found: Alarm | Recovery, book: SeriesBook) -> Pooled | None:
        pool: Any = self.book.names[found.series]
        if isinstance(found, Recovery):
            return Pooled(pool, found, found.tick * self._unit_seconds // self._tick_seconds, [])
        members = self._members(found, book)
        flagged, most = np.array([(each.flagged, each.expected * found.baseline / REFERENCE) for each in members]).T
        if sum(each.trials > 0 for each in members) < LEAST_SERVICES or not shared(flagged, most, found.direction):
            self.detectors[found.direction].clear(found.series)
            return None
        return Pooled(pool, found, found.onset_tick * self._unit_seconds // self._tick_seconds, members)

    def _members(self, alarm: Alarm, book: SeriesBook) -> list[Member]:
        """Return what each service of a pool showed since the hour in which a change began."""
        own = self._pairs[0, self._pairs[1] == alarm.series]
        trials, flagged = self._lately.since(alarm.onset_tick * self._unit_seconds // 3600, own)
        of: dict[str, list[float]] = {}
        for member, n, k in zip(own.tolist(), trials.tolist(), flagged.tolist(), strict=True):
            cell = of.setdefault(book.names[self._rows[member]][1], [0.0, 0.0, 0.0])
            for at, amount in enumerate((n, k, n * float(self._usual[member]))):
                cell[at] += amount
        way = 1 if alarm.direction == "up" else -1
        found = [Member(service, *cell) for service, cell in of.items()]
        return sorted(found, key=lambda each: (way * (each.expected - each.flagged), each.service))

    def _gather(self, usual: Usual, book: SeriesBook) -> None:
        """Look who belongs to what; pools with an open finding stay as they are."""
        names = book.names[: len(usual.trials)]
        wholes = self._wholes[: len(names)]
        tried = (usual.trials > 0) & (wholes >= 0)
        tried &= usual.trials[wholes] > 0
        rates = np.zeros(len(names))
        metrics = np.array([name[3] for name in names])
        for metric in np.unique(metrics):
            rows = np.flatnonzero((metrics == metric) & tried)
            rates[rows] = own_rates(usual.trials[rows], usual.flagged[rows], np.searchsorted(rows, wholes[rows]))
        frozen = set(np.flatnonzero(self._open()).tolist())
        pairs = [pair for pair in self._named_pairs() if pair[1] in frozen]
        known = np.flatnonzero(rates > 0).tolist()
        for pool, of in self.membership.pools(names, known, usual.tick).items():
            at = self._place(pool, usual, rates, np.array(of))
            pairs += [(row, at) for row in of if at >= 0 and at not in frozen]
        self._take(pairs, rates, frozen)

    def _named_pairs(self) -> Iterator[tuple[int, int]]:
        yield from zip(self._rows[self._pairs[0]].tolist(), self._pairs[1].tolist(), strict=True)

    def _open(self) -> Bools:
        """Tell which pools have an open finding."""
        rows = np.arange(len(self.book))
        return np.asarray(self.detectors["up"].open(rows) | self.detectors["down"].open(rows))

    def _place(self, pool: Pool, usual: Usual, rates: Floats, rows: Ints) -> int:
        """Return the row of a pool; a new one begins with what its members showed before."""
        at = self.book.find(pool)
        if at >= 0 or len(self.book) >= MOST_POOLS:
            return at
        at = self.book.row(pool, pool)
        unit = usual.tick * self._tick_seconds // self._unit_seconds
        expected = float((usual.trials[rows] * rates[rows]).sum())
        for detector in self.detectors.values():
            detector.grow(np.array([REFERENCE]))
            detector.baseline.restart(at, unit, expected / REFERENCE, float(usual.flagged[rows].sum()))
        self._standard.extend(1)
        return at

    def _take(self, pairs: list[tuple[int, int]], rates: Floats, frozen: set[int]) -> None:
        """Take over who belongs to what; members of a pool with an open finding keep what is usual of them."""
        before = dict(zip(self._rows.tolist(), range(len(self._rows)), strict=True))
        kept = {row for row, pool in pairs if pool in frozen}
        rows = np.array(sorted({*before, *(row for row, _ in pairs)}), np.int64)
        old = np.array([before.get(row, -1) for row in rows.tolist()], np.int64)
        usual = rates[rows]
        for at, row in enumerate(rows.tolist()):
            if row in kept or not usual[at]:
                usual[at] = self._usual[old[at]]
        self._lately.move(len(rows), old)
        places = dict(zip(rows.tolist(), range(len(rows)), strict=True))
        self._rows, self._usual = rows, usual
        self._pairs = np.array(sorted((places[row], at) for row, at in pairs), np.int64).reshape(-1, 2).T.copy()
        self._sums = np.zeros((4, len(rows)))
        self._look_up()

    def _know(self, book: SeriesBook) -> None:
        """Look up the wholes of series that were just met."""
        new = range(len(self._wholes), len(book))
        found = [book.find((WHOLE, book.names[row][1], WHOLE, book.names[row][3])) for row in new]
        self._wholes = np.append(self._wholes, np.array(found, np.int64))

    def _look_up(self) -> None:
        """Keep by pool what follows from its name: its budget, and whether a fall of it matters."""
        self._budgets = np.array([self._budget_of[name[2]] for name in self.book.names], np.int64)
        self._falling = np.array([name[2] in FALLS for name in self.book.names], bool)

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            "unit": np.array([self._unit, self._lately.hour], np.int64),
            "rows": self._rows.copy(),
            "usual": self._usual.copy(),
            "pairs": self._pairs.copy(),
            "sums": self._sums.copy(),
            **prefixed("membership_", self.membership.state()),
            **prefixed("book_", self.book.state()),
            **prefixed("standard_", self._standard.columns()),
            **prefixed("lately_", self._lately.columns()),
            **prefixed("rises_", self.detectors["up"].state()),
            **prefixed("falls_", self.detectors["down"].state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._unit, self._lately.hour = state["unit"].tolist()
        self._rows, self._pairs = state["rows"].astype(np.int64), state["pairs"].astype(np.int64)
        self._usual, self._sums = state["usual"].astype(np.float64), state["sums"].astype(np.float64)
        self._wholes = np.empty(0, np.int64)
        self.membership.restore(under("membership_", state))
        self.book.restore(under("book_", state))
        self._standard.restore(under("standard_", state))
        self._lately.restore(under("lately_", state))
        self.detectors["up"].restore(under("rises_", state))
        self.detectors["down"].restore(under("falls_", state))
        self._look_up()


def _runs(units: Ints) -> Iterator[tuple[int, int]]:
    """Yield from which tick to before which the minute is the same."""
    yield from itertools.pairwise(np.flatnonzero(np.diff(units, prepend=-1, append=-1)).tolist())


def _busy(rows: Ints, of: Ints, opened: Bools, wholes: Ints) -> Bools:
    """Tell which cells are of series with an open finding, of their own or of their service as a whole."""
    size = len(wholes)
    keys = of * size + rows
    place = np.minimum(np.searchsorted(keys, of * size + wholes[rows]), len(keys) - 1)
    same = keys[place] == of * size + wholes[rows]
    return np.asarray(opened | (same & opened[place]))
