"""Rates that rise or fall, and what River thinks of them.

Beside each (tenant, service, model version) stands the service as a whole, named ``*``: rare flags of many tenants
show there first. Only one finding of a service and family pages at a time; further series of it that alarm are
tickets, because someone is already on the way.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

import numpy as np

from detectors.base import Alarm, Floats, Ints, Recovery
from detectors.budget import thresholds
from detectors.columns import prefixed, under
from detectors.rates.detector import RateDetector
from detectors.rates.watch import TickFindings, TickSums
from detectors.river.vote import DriftVote, Vote
from schemas.findings import Finding
from schemas.metrics import WATCHED, Rate
from schemas.windows import OTHER, UNKNOWN_VERSION, GroupSums
from streams.detect.budgets import budgets
from streams.detect.cells import RateCells, RateSums, some_of
from streams.detect.fleets import Fleets
from streams.detect.news import News, news_by_tick
from streams.detect.pooled import PooledFindings
from streams.detect.pools import SHARE, Pools
from streams.detect.versions import new_versions
from streams.detect.watcher import Tick
from streams.findings.episodes import Episodes
from streams.findings.evidence import describe_alarm, describe_recovery, evidence_query
from streams.findings.finding import WHOLE, counted, end_of, finding
from streams.findings.series import Room, SeriesBook
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy

RATES: Final[dict[str, Rate]] = {rate.name: rate for rate in WATCHED}
DETECTOR: Final = "mixture_shiryaev_roberts"
JOINED: Final = "; told before, with others that share something with it"


class RateWatch:
    """The rates of one partition of the windows.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    share
        This partition's share of the fleet's budget, 0 to 1.
    max_series
        Series it follows; further ones are summed under ``~other``.
    policy
        Budgets, ceilings, and which rates page.
    """

    def __init__(self, tick_seconds: int, share: float, max_series: int | Room, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._share: Final = share
        self._policy: Final = policy
        self.book: Final = SeriesBook(tick_seconds, max_series)
        self.rises: Final = RateDetector(tick_seconds)
        self._fleets: Final = Fleets(tick_seconds)
        self.falls: Final = RateDetector(tick_seconds, direction="down")
        vote = policy.detectors.drift_vote
        self.votes: Final = DriftVote(vote.river_class, dict(vote.parameters))
        self._sums: Final = RateSums(self._rows)
        self._falling: dict[int, int] = {}  # the series that `falls` looks at, and their rows there
        self._episodes: Final = Episodes("rate", tick_seconds)  # of the series' names and a direction
        self._alarms, self._budget_of = budgets(policy, share * (1 - SHARE))
        self.pools: Final = Pools(tick_seconds, share, policy)
        self.pooled: Final = PooledFindings(tick_seconds, policy)
        self._look_up()

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return what each of some ticks, one after the other, shows."""
        cells, seen = self._sums.of(ticks), self.book.seen()
        self.pools.membership.meet(ticks)
        self._grow()
        found: list[list[Finding]] = [[] for _ in ticks]
        if not len(cells.ticks):
            return found
        activity = self.book.activities(cells.ticks, cells.starts, cells.rows)
        sums = TickSums(*cells[1:], self._promises(cells, activity))
        up = self._fleets.judged(self.rises, sums, self._metrics, self._whole, self.pools.turn)
        down = self._fallen(cells, up, activity)
        # a vote needs a series whose baseline is its own; the wholes see each change first
        settled = self._whole[cells.rows] & up.settled
        votes = self.votes.update_ticks(*cells[1:], up.expected, settled)
        pooled = self.pools.judged(cells, up.opened, self.book)
        news = news_by_tick([*up.alarms, *down[0]], [*up.recoveries, *down[1]], votes, pooled)
        for number, tick, of_tick in self._replayed(cells, seen, news):
            found[number] = self._findings(tick, of_tick)
        return found

    def _replayed(
        self, cells: RateCells, seen: tuple[Ints, Ints, Floats], news: dict[int, News]
    ) -> Iterator[tuple[int, int, News]]:
        """Yield what is new in each tick while the book knows what had been seen by then, and no more."""
        if not news:
            return
        self.book.set_back(seen)
        done = 0
        for at, tick in enumerate(cells.ticks.tolist()):
            if tick in news or at == len(cells.ticks) - 1:
                self.book.activities(cells.ticks[done : at + 1], cells.starts[done : at + 2], cells.rows)
                done = at + 1
            if tick in news:
                yield int(cells.numbers[at]), tick, news[tick]

    def _findings(self, tick: int, news: News) -> list[Finding]:
        alarms = sorted(news.alarms, key=lambda found: (self.book.names[found.series][0] != WHOLE, found.series))
        return [
            *(self._alarm_finding(alarm) for alarm in alarms),
            *(self._recovery_finding(recovery) for recovery in news.recoveries),
            *(self._vote_finding(vote) for vote in news.votes),
            *chain.from_iterable(self.pooled.told(tick, each, self._episodes) for each in news.pooled),
        ]

    def _fallen(self, cells: RateCells, up: TickFindings, activity: Floats) -> tuple[list[Alarm], list[Recovery]]:
        # while a rise is open, the rate is not normal: neither a fall from it is news, nor is it to be learned
        falling = (self._falls[cells.rows] >= 0) & ~up.opened
        if self._policy.detectors.falls == "off" or not falling.any():
            return [], []
        budget = self._policy.budget
        alarms = np.array([budget.tickets_per_day, budget.pages_per_day]) * self._share
        limits = thresholds(activity[0][:, None], activity[1][:, None], alarms)
        promises = limits[cells.of_cells()[falling], self._paging[cells.rows[falling]].astype(np.int64)]
        some = some_of(cells, falling)
        found = self.falls.update_ticks(TickSums(*some._replace(rows=self._falls[some.rows])[1:], promises))
        if not (found.alarms or found.recoveries):
            return [], []
        whose = list(self._falling)
        return (
            [replace(alarm, series=whose[alarm.series]) for alarm in found.alarms],
            [replace(recovery, series=whose[recovery.series]) for recovery in found.recoveries],
        )

    def _rate(self, row: int) -> Rate:
        return RATES[self.book.names[row][3]]

    def _promises(self, cells: RateCells, activity: Floats) -> Floats:
        """Return the threshold of each cell: its family's part of the budget for pages, or for tickets."""
        found = thresholds(activity[0][:, None], activity[1][:, None], np.array(self._alarms))
        with_none = np.column_stack([found, np.full(len(found), np.inf)])
        return np.asarray(with_none[cells.of_cells(), self._budgets[cells.rows]])

    def _rows(self, group: GroupSums, metric: str) -> tuple[tuple[int, int], bool]:
        """Return the rows of the whole and of the group itself, and whether both are places of their own.

        What nobody knows the version of counts in the whole alone.
        """
        service, version, other = group.service_name, group.model_version, (*OTHER[:3], metric)
        names = [(WHOLE, service, WHOLE, metric)]
        if version != UNKNOWN_VERSION:
            names.append((group.tenant_id, service, version, metric))
        rows = [self.book.row(name, other) for name in names]
        return (rows[0], rows[1] if len(rows) > 1 else -1), all(self.book.find(name) >= 0 for name in names)

    def _grow(self) -> None:
        """Give the series that were just met to the detectors; a whole comes before its parts, and is their parent."""
        for new in range(len(self.rises), len(self.book)):
            _, service, _, metric = self.book.names[new]
            rate = RATES[metric]
            ceiling = np.array([self._policy.ceiling(service, rate.name, rate.ceiling)])
            whole = self.book.find((WHOLE, service, WHOLE, metric))
            parent = np.array([-1 if whole == new else whole])
            self.rises.grow(ceiling, parent, ceiling)
            self.votes.grow(1)
            if whole == new and rate.falls:
                self._falling[new] = len(self._falling)
                self.falls.grow(ceiling)
        if len(self._whole) < len(self.book):
            self._look_up()

    def _look_up(self) -> None:
        """Keep by row what follows from the names: what is a whole, its row among the falls, and its budget."""
        names = self.book.names
        self._metrics = np.array([list(RATES).index(name[3]) for name in names], np.int64)
        self._whole = np.array([name[0] == WHOLE for name in names], bool)
        self._falls = np.array([self._falling.get(row, -1) for row in range(len(names))], np.int64)
        self._budgets = np.array([self._budget_of[name[3]] for name in names], np.int64)
        self._paging = np.array([self._fall_pages(RATES[name[3]]) for name in names], bool)

    def _fall_pages(self, rate: Rate) -> bool:
        """Tell whether a fall of a rate pages.

        Those that do are fewer than the series of rates that never page, whose part of the budget nobody uses: a
        service has three of the former, and six and more of the latter.
        """
        return self._policy.detectors.falls == self._policy.level(rate.name) == "page"

    def _alarm_finding(self, alarm: Alarm) -> Finding:
        _, service, _, metric = name = self.book.names[alarm.series]
        rate, since = self._rate(alarm.series), alarm.onset_tick
        joined = self.pooled.joined(service, metric, alarm.direction, since)
        of_service = [row for row, each in enumerate(self.book.names) if each[1] == service and each[0] != WHOLE]
        return self._episodes.open(
            (*name, alarm.direction),
            alarm.tick,
            since,
            kind="rate",
            severity="info" if joined else "page" if self._pages(alarm, service, rate) else "ticket",
            direction=alarm.direction,
            promise=alarm.promise,
            versions=_some(name[2] for name in self.book.seen_since(since, of_service)),
            changes=new_versions(self.book, of_service, since, self._tick_seconds),
            tenants=_some(name[0] for name in self.book.seen_since(since, of_service) if name[3] == metric),
            evidence=describe_alarm(alarm, rate, service, self._tick_seconds) + joined * JOINED,
            **self._common(alarm, since),
        )

    def _pages(self, alarm: Alarm, service: str, rate: Rate) -> bool:
        """Tell whether an alarm pages: where none of its service and family does."""
        if self._policy.level(rate.name) != "page" or (alarm.direction == "down" and not self._fall_pages(rate)):
            return False
        open_pages = ((name[1], RATES[name[3]].family) for name, opened in self._episodes if opened.severity == "page")
        return (service, rate.family) not in open_pages and not self.pooled.covers(service, rate.name, alarm.direction)

    def _recovery_finding(self, recovery: Recovery) -> Finding:
        name, rate = self.book.names[recovery.series], self._rate(recovery.series)
        return self._episodes.end(
            (*name, "up" if recovery.direction == "down" else "down"),
            recovery.tick,
            recovery.tick,
            direction=recovery.direction,
            evidence=describe_recovery(recovery, rate, name[1]),
            **self._common(recovery, recovery.tick),
        )

    def _common(self, found: Alarm | Recovery, onset_tick: int) -> dict[str, Any]:
        tenant, service, version, _ = self.book.names[found.series]
        metric = self._rate(found.series).name
        sql = evidence_query(self._tick_seconds, (tenant, service, version), metric, onset_tick, found.tick)
        return {
            "detector": DETECTOR,
            "e_value": found.e_value,
            "evidence_sql": sql,
            **self._about(found.series),
            **counted(found),
        }

    def _about(self, row: int) -> dict[str, Any]:
        tenant, service, version, _ = self.book.names[row]
        rate = self._rate(row)
        return {
            "service_name": service,
            "tenant_id": tenant,
            "model_version": version,
            "metric": rate.name,
            "family": rate.family,
        }

    def _vote_finding(self, vote: Vote) -> Finding:
        name, rate = self.book.names[vote.series], self._rate(vote.series)
        return finding(
            ("drift_vote", *name, vote.tick),
            end_of(vote.tick, self._tick_seconds),
            kind="drift_vote",
            severity="ticket",
            detector=self.votes.name,
            direction=vote.direction,
            evidence=f"{self.votes.name} sees {rate.name} of {name[1]} drift {vote.direction}; a second opinion",
            **self._about(vote.series),
        )

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            "fleets": np.array([self._fleets.turn], np.int64),
            "falling": np.array(list(self._falling), np.int64),
            **prefixed("owed_", self._sums.state()),
            **prefixed("pools_", self.pools.state()),
            **prefixed("pooled_", self.pooled.state()),
            **prefixed("episodes_", self._episodes.state()),
            **prefixed("book_", self.book.state()),
            **prefixed("rises_", self.rises.state()),
            **prefixed("falls_", self.falls.state()),
            **prefixed("votes_", self.votes.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self.book.restore(under("book_", state))
        self._falling = {row: own for own, row in enumerate(state["falling"].tolist())}
        self._fleets.turn = int(state["fleets"][0])
        self._sums.restore(under("owed_", state))
        self.pools.restore(under("pools_", state))
        self.pooled.restore(under("pooled_", state))
        self._look_up()
        self._episodes.restore(under("episodes_", state))
        self.rises.restore(under("rises_", state))
        self.falls.restore(under("falls_", state))
        self.votes.restore(under("votes_", state))


def _some(names: Iterable[str]) -> list[str]:
    return sorted({*names} - {""})[:50]
