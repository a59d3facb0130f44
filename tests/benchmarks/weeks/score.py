"""One composed week, scored: for each change the delay of everybody, and what was said while nothing was wrong."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from tests.benchmarks.weeks import peers
from tests.benchmarks.weeks.bound import bound
from tests.benchmarks.weeks.judged import Said, bins_of, judged
from tests.benchmarks.weeks.plan import DAY, METRICS, WEEK, Change, Plan, drawn
from tests.benchmarks.weeks.play import play

GRACE: Final = 6 * 360
"""Ticks after a change, or after lost telemetry, in which what is said of the service may still be about it."""

PEERS: Final = ("fixed", "z", "adwin", "page_hinkley")
DRIFTS: Final = {"adwin": "river.drift.ADWIN", "page_hinkley": "river.drift.PageHinkley"}


@dataclass
class Scored:
    """A change: its size, how busy its service is, and after how many minutes each told of it, None if not in time."""

    week: int
    kind: str
    metric: str
    factor: float
    sessions: float
    bound: float | None
    ours: float | None
    paged: float | None
    peers: dict[str, float | None]


def scored(purpose: str, number: int) -> dict[str, Any]:
    """Return the changes of a week, and how many false pages and tickets each has said over how many days."""
    plan, rng = drawn(purpose, number)
    played = [
        play(rng, service, [change for change in plan.changes if change.service == service.name])
        for service in plan.services
    ]
    said = judged(plan.services, played)
    bins = bins_of(played, peers.BIN)
    quiet = _quiet(plan, bins.shape[1])
    alarms = {
        "fixed": peers.fixed(bins, quiet),
        "z": peers.moving(bins),
        **{name: peers.river(dotted, bins) for name, dotted in DRIFTS.items()},
    }
    names = [service.name for service in plan.services]
    changes = []
    for change in plan.changes:
        at = names.index(change.service)
        least = bound(change, plan.services[at], played[at], len(names) * len(METRICS))
        column = at * len(METRICS) + list(METRICS).index(change.metric)
        changes.append(
            Scored(
                number, change.kind, change.metric, change.factor, plan.services[at].sessions,
                None if least is None else least / 6, *told(change, said),
                {name: _first(change, found, column) for name, found in alarms.items()},
            )
        )  # fmt: skip
    return {
        "week": number,
        "services": len(names),
        "changes": [asdict(change) for change in changes],
        "false": _false(plan, said),
        "peers": {name: peers.episodes(up | down, quiet) for name, (up, down) in alarms.items()},
    }


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


def _wrong(plan: Plan) -> dict[str, list[tuple[int, int]]]:
    """Return from when to when something may be said of each service."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for change in plan.changes:
        spans.setdefault(change.service, []).append((change.start, change.end + GRACE))
    for service in plan.services:
        if service.fault:
            spans.setdefault(service.name, []).append((service.fault[0], service.fault[1] + GRACE))
    return spans


def _quiet(plan: Plan, count: int) -> np.ndarray:
    found = np.ones((count, len(plan.services), len(METRICS)), bool)
    spans = _wrong(plan)
    for at, service in enumerate(plan.services):
        for start, end in spans.get(service.name, []):
            found[start // peers.BIN : end // peers.BIN + 1, at] = False
    return found.reshape(count, -1)


def _false(plan: Plan, said: list[Said]) -> dict[str, float]:
    """Return what was said of services with nothing wrong: pages, tickets by kind; and what it is a rate of."""
    spans = _wrong(plan)
    found: dict[str, float] = {"days": WEEK / DAY, "page": 0, "rate": 0, "drift_vote": 0, "telemetry": 0}
    for each in said:
        inside = any(start <= each.tick < end for start, end in spans.get(each.service, []))
        if inside or each.severity == "info":
            continue
        key = "page" if each.severity == "page" else each.kind
        found[key] = found.get(key, 0) + 1
    return found
