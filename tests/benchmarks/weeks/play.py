"""Plays a planned week: sessions with their turns, which of these are flagged, and the sums that windows hold.

As in the windows, a session is one trial in a tick, and once flagged for a rate it is left out of that rate.
"""

from typing import Final, NamedTuple

import numpy as np

from detectors.base import Bools, Floats, Ints
from tests.benchmarks.weeks.plan import DAY, METRICS, OF_TOOLS, WEEK, Change, Service

HOUR: Final = DAY // 24
MOST: Final = 0.98
VERSIONS: Final = ("v1", "v2")
TOOLS: Final = 4
"""Tools of a service; a change of one tool concerns every fourth call."""


class Turns(NamedTuple):
    """The turns of a service, in the order of its sessions and of time."""

    session: Ints
    tick: Ints
    tenant: Ints
    version: Ints
    tool: Ints


class Played(NamedTuple):
    """Sums of a service by cell: its tick and group (tenant x versions + version), and for each rate what was counted.

    `expected` is what a rate is known to be at the tick while nothing is wrong, shape (rates, cells).
    """

    ticks: Ints
    groups: Ints
    events: Ints
    trials: Ints
    flagged: Ints
    expected: Floats


def play(rng: np.random.Generator, service: Service, changes: list[Change]) -> Played:
    """Return the sums of a service over the week."""
    turns = turns_of(rng, service)
    usual, of_session = rates_of(rng, service, turns)
    hazards = usual * of_session
    lost = _lost(rng, service, turns)
    wide = len(service.tenants) * len(VERSIONS)
    keys, cell = np.unique(turns.tick * wide + turns.tenant * len(VERSIONS) + turns.version, return_inverse=True)
    counts = np.zeros((2, len(METRICS), len(keys)), np.int64)
    firsts = np.flatnonzero(np.diff(turns.session, prepend=-1))
    for at, metric in enumerate(METRICS):
        hazard = hazards[at]
        for change in changes:
            if change.metric == metric:
                hazard = changed(change, turns, hazard)
        tried = turns.tool >= 0 if metric in OF_TOOLS else np.ones(len(cell), bool)
        hit = tried & (rng.random(len(cell)) < np.minimum(hazard, MOST))
        tried &= _not_yet(hit, firsts, turns.session)
        counts[0, at] = np.bincount(cell[tried & ~lost], minlength=len(keys))
        counts[1, at] = np.bincount(cell[hit & tried & ~lost], minlength=len(keys))
    events = np.bincount(cell[~lost], minlength=len(keys))
    ticks = keys // wide
    known = np.array([service.rates[metric] for metric in METRICS])[:, None] * season(service, ticks)
    some = events > 0
    return Played(ticks[some], keys[some] % wide, events[some], counts[0][:, some], counts[1][:, some], known[:, some])


def turns_of(rng: np.random.Generator, service: Service) -> Turns:
    """Return the turns of a service over the week."""
    hours = np.arange(WEEK // HOUR)
    level = 1 + service.swing * np.sin(2 * np.pi * hours / 24 + service.phase)
    level = level * np.where(hours // 24 >= 5, service.weekend, 1) * np.exp(_wandering(rng, len(hours), 0.15))
    of_hour = rng.poisson(service.sessions / 24 * level)
    begun = np.sort(np.repeat(hours * HOUR, of_hour) + rng.integers(0, HOUR, of_hour.sum()))
    lengths = rng.geometric(1 / service.turns, len(begun))
    session = np.repeat(np.arange(len(begun)), lengths)
    firsts = np.cumsum(lengths) - lengths
    waits = 1 + rng.geometric(1 / 6, len(session))
    waits[firsts] = 0
    passed = np.cumsum(waits)
    tick = begun[session] + passed - passed[firsts][session]
    tenant = rng.choice(len(service.tenants), len(begun), p=service.tenants)
    if service.release:
        first, all_of_it = service.release
        share = np.clip((begun - first) / (all_of_it - first), 0, 1)
    else:
        share = np.full(len(begun), 0.3)
    version = (rng.random(len(begun)) < share).astype(np.int64)
    tool = np.where(rng.random(len(session)) < service.tools, rng.integers(0, TOOLS, len(session)), -1)
    inside = tick < WEEK
    return Turns(*(each[inside] for each in (session, tick, tenant[session], version[session], tool)))


def _wandering(rng: np.random.Generator, count: int, spread: float) -> Floats:
    """Return a level that follows itself from hour to hour."""
    steps = rng.normal(0, spread * 0.6, count)
    for at in range(1, count):
        steps[at] += 0.8 * steps[at - 1]
    return np.asarray(steps)


def season(service: Service, ticks: Ints) -> Floats:
    """Return by how much the rates of a service are higher at some ticks than on average."""
    return np.asarray(1 + service.season * np.sin(2 * np.pi * ticks / DAY + 2 * service.phase))


def rates_of(rng: np.random.Generator, service: Service, turns: Turns) -> tuple[Floats, Floats]:
    """Return the rates of each turn while nothing is wrong: that of its hour, and how many times that its session is."""
    noise = np.exp(_wandering(rng, WEEK // HOUR, service.noise) - service.noise**2 / 2)
    of_session = rng.gamma(service.shape, 1 / service.shape, (len(METRICS), int(turns.session.max(initial=-1)) + 1))
    level = season(service, turns.tick) * noise[turns.tick // HOUR]
    return np.array([service.rates[metric] for metric in METRICS])[:, None] * level, of_session[:, turns.session]


def concerned(change: Change, turns: Turns) -> Bools:
    """Tell which turns are of what a change concerns, whenever they are."""
    of = {"version": turns.version, "tenant": turns.tenant, "tool": turns.tool}.get(change.of)
    return np.ones(len(turns.tick), bool) if of is None else np.asarray(of == change.part)


def changed(change: Change, turns: Turns, hazard: Floats) -> Floats:
    """Return the rates of turns with a change among them."""
    inside = concerned(change, turns) & (turns.tick >= change.start) & (turns.tick < change.end)
    grown = (turns.tick - change.start) / (change.end - change.start) if change.grows else 1.0
    after = hazard * (1 + (change.factor - 1) * grown) if change.rate is None else change.rate
    return np.where(inside, after, hazard)


def _not_yet(hit: Bools, firsts: Ints, session: Ints) -> Bools:
    """Tell which turns come in a session that was not flagged before them."""
    before = np.cumsum(hit) - hit
    own = np.cumsum(np.diff(session, prepend=-1) > 0) - 1
    return np.asarray(before == before[firsts][own]) if len(firsts) else hit


def _lost(rng: np.random.Generator, service: Service, turns: Turns) -> Bools:
    if not service.fault:
        return np.zeros(len(turns.tick), bool)
    start, end, share = service.fault
    return np.asarray((turns.tick >= start) & (turns.tick < end) & (rng.random(len(turns.tick)) < share))
