"""One composed week, scored: for each change the delay of everybody, and what was said while nothing was wrong."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from tests.benchmarks.weeks import peers
from tests.benchmarks.weeks.bound import bound, pooled_bound
from tests.benchmarks.weeks.judged import Said, bins_of, judged
from tests.benchmarks.weeks.plan import DAY, METRICS, WEEK, Change, Plan, drawn
from tests.benchmarks.weeks.play import Played, play
from tests.benchmarks.weeks.shared import Cause, with_shared

GRACE: Final = 6 * 360
"""Ticks after a change, or after lost telemetry, in which what is said of the service may still be about it."""

PEERS: Final = ("fixed", "z", "adwin", "page_hinkley")
Spans = dict[str, list[tuple[int, int]]]
"""From when to when something may be said of each service."""

DRIFTS: Final = {"adwin": "river.drift.ADWIN", "page_hinkley": "river.drift.PageHinkley"}


@dataclass
class Scored:
    """A change: its size, how busy its service is, and after how many minutes each told of it, None if not in time.

    Of a cause that services share: `sessions` is of all of them, `single` the bound on the best series of any one of
    them, `members` how many there are and `named` how many of these were told of.
    """

    week: int
    kind: str
    metric: str
    factor: float
    sessions: float
    bound: float | None
    ours: float | None
    paged: float | None
    peers: dict[str, float | None]
    single: float | None = None
    members: int = 1
    named: int = 0
    pages: int = 0


@dataclass
class Judged:
    """A week with what was said of it."""

    number: int
    plan: Plan
    played: list[Played]
    said: list[Said]
    alarms: dict[str, tuple[np.ndarray, np.ndarray]]

    def change(self, change: Change) -> Scored:
        """Return how a change of one service was told of."""
        at = self.at(change)
        service, played = self.plan.services[at], self.played[at]
        column = at * len(METRICS) + list(METRICS).index(change.metric)
        return Scored(
            self.number, change.kind, change.metric, change.factor, service.sessions,
            _minutes(bound(change, service, played, self.promise)), *told(change, self.said),
            {name: _first(change, found, column) for name, found in self.alarms.items()},
        )  # fmt: skip

    def cause(self, cause: Cause) -> Scored:
        """Return how a change that services share was told of: by what came first, of whichever service."""
        changes = list(cause.changes)
        places = [self.at(change) for change in changes]
        services, played = [self.plan.services[at] for at in places], [self.played[at] for at in places]
        each = [self.change(change) for change in changes]
        waits = [(change.start - changes[0].start) / 6 for change in changes]
        single = _soonest((one.bound, wait) for one, wait in zip(each, waits, strict=True))
        pooled = _minutes(pooled_bound(changes, services, played, self.promise))
        return Scored(
            self.number, cause.kind, changes[0].metric, changes[0].factor, sum(each.sessions for each in services),
            _soonest([(single, 0.0), (pooled, 0.0)]),
            _soonest((one.ours, wait) for one, wait in zip(each, waits, strict=True)),
            _soonest((one.paged, wait) for one, wait in zip(each, waits, strict=True)),
            {name: _soonest((one.peers[name], wait) for one, wait in zip(each, waits, strict=True)) for name in PEERS},
            single, len(each), sum(one.ours is not None for one in each),
            sum(_pages(change, self.said) for change in changes),
        )  # fmt: skip

    def at(self, change: Change) -> int:
        """Return which service a change is of."""
        return [service.name for service in self.plan.services].index(change.service)

    @property
    def promise(self) -> int:
        """Series of which one may alarm falsely a day."""
        return len(self.plan.services) * len(METRICS)


def scored(purpose: str, number: int) -> dict[str, Any]:
    """Return the changes of a week, and how many false pages and tickets each has said over how many days."""
    plan, rng = drawn(purpose, number)
    plan, causes = with_shared(plan, purpose, number)
    everything = [*plan.changes, *(change for cause in causes for change in cause.changes)]
    played = [
        play(rng, service, [change for change in everything if change.service == service.name])
        for service in plan.services
    ]
    said = judged(plan.services, played)
    bins = bins_of(played, peers.BIN)
    spans = _wrong(plan, everything)
    quiet = _quiet(plan, spans, bins.shape[1])
    alarms = {
        "fixed": peers.fixed(bins, quiet),
        "z": peers.moving(bins),
        **{name: peers.river(dotted, bins) for name, dotted in DRIFTS.items()},
    }
    week = Judged(number, plan, played, said, alarms)
    return {
        "week": number,
        "services": len(plan.services),
        "changes": [asdict(week.change(change)) for change in plan.changes],
        "shared": [asdict(week.cause(cause)) for cause in causes],
        "false": _false(spans, said),
        "peers": {name: peers.episodes(up | down, quiet) for name, (up, down) in alarms.items()},
    }


def _minutes(ticks: int | None) -> float | None:
    return None if ticks is None else ticks / 6


def _soonest(delays: Iterable[tuple[float | None, float]]) -> float | None:
    """Return the shortest of some delays, each after a wait."""
    return min((delay + wait for delay, wait in delays if delay is not None), default=None)


def _pages(change: Change, said: list[Said]) -> int:
    """Return how often a service paged about its rate while a change lasted."""
    return sum(
        each.severity == "page" and each.service == change.service and each.metric == change.metric
        for each in said if change.start <= each.tick < change.end
    )  # fmt: skip


def told(change: Change, said: list[Said]) -> tuple[float | None, float | None]:
    """Return after how many minutes a finding told of a change, and a page."""
    way = "down" if change.kind == "vanish" else "up"
    about = [
        each for each in said
        if each.service == change.service and each.kind == "rate" and each.direction == way
        and each.metric == change.metric and change.start <= each.tick < change.end
    ]  # fmt: skip
    first = min((each.tick for each in about), default=None)
    paged = min((each.tick for each in about if each.severity == "page"), default=None)
    minutes = [None if tick is None else (tick - change.start + 1) / 6 for tick in (first, paged)]
    return minutes[0], minutes[1]


def _first(change: Change, alarms: tuple[np.ndarray, np.ndarray], column: int) -> float | None:
    """Return after how many minutes a rule first alarmed within a change."""
    of = alarms[change.kind == "vanish"][:, column]
    first = -(-change.start // peers.BIN)
    found = np.flatnonzero(of[first : change.end // peers.BIN])
    return None if not len(found) else ((first + int(found[0]) + 1) * peers.BIN - change.start) / 6


def _wrong(plan: Plan, changes: list[Change]) -> Spans:
    """Return from when to when something may be said of each service."""
    spans: Spans = {}
    for change in changes:
        spans.setdefault(change.service, []).append((change.start, change.end + GRACE))
    for service in plan.services:
        if service.fault:
            spans.setdefault(service.name, []).append((service.fault[0], service.fault[1] + GRACE))
    return spans


def _quiet(plan: Plan, spans: Spans, count: int) -> np.ndarray:
    found = np.ones((count, len(plan.services), len(METRICS)), bool)
    for at, service in enumerate(plan.services):
        for start, end in spans.get(service.name, []):
            found[start // peers.BIN : end // peers.BIN + 1, at] = False
    return found.reshape(count, -1)


def _false(spans: Spans, said: list[Said]) -> dict[str, float]:
    """Return what was said of services with nothing wrong: pages, tickets by kind; and what it is a rate of."""
    found: dict[str, float] = {"days": WEEK / DAY, "page": 0, "rate": 0, "drift_vote": 0, "telemetry": 0}
    for each in said:
        inside = any(start <= each.tick < end for start, end in spans.get(each.service, []))
        if inside or each.severity == "info":
            continue
        key = "page" if each.severity == "page" else each.kind
        found[key] = found.get(key, 0) + 1
    return found
