"""The compiled form of `detectors.rates.detector`: the calm cells of many ticks, tick after tick.

It says the same as `Baseline`, `Excursions`, `Quarantine` and `log_likelihood_ratios`, in their order of arithmetic.
What is rare is left to the plain form: an alarm, the end of a finding, the halving of old counts.
"""

from typing import NamedTuple

import numpy as np

from detectors.base import Bools, Floats, Ints
from detectors.compiled.loops import EXP, EXP2, LOG, LOG1P, compiled, loop, loops
from detectors.rates.baseline import MATURE_EVENTS, SETTLED_EVENTS
from detectors.rates.excursions import HELD_BY_MATURE, HELD_BY_YOUNG
from detectors.rates.level_kernel import Clock, Level, Singles, bound_of, settled_level
from detectors.rates.likelihood import LARGE, MULTIPLIERS, STAKES
from detectors.rates.recovery_kernel import Recovering, Room, follow, room

LOOPS = loops()
_WIDE = len(MULTIPLIERS)
_NEVER = -1
_DAY, _HOURS = 24, 168
_MOST = 1e300


class Watched(NamedTuple):
    """Columns of the evidence, of `Excursions`, of `Quarantine` and of the tests of recovery."""

    evidence: Floats
    latest: Ints
    open: Bools
    height: Floats
    since: Ints
    trials: Floats
    flagged: Floats
    waiting_trials: Singles
    waiting_flagged: Singles
    recovering: Recovering


class Cells(NamedTuple):
    """The sums of ticks, and beside them what is found of each: the expected rate, whether it is settled, or open."""

    ticks: Ints
    starts: Ints
    rows: Ints
    trials: Floats
    flagged: Floats
    limit: Floats
    expected: Floats
    settled: Bools
    opened: Bools


class Work(NamedTuple):
    """Room for what NumPy's loops are given for all cells of a tick together, and for what they give."""

    ages: Floats
    fades: Floats
    bounds: Floats
    nears: Floats
    lost: Floats
    shares: Floats
    ratios: Floats
    bets: Floats
    back: Room


@compiled
def usable(latest: int, cells: Cells, watched: Watched) -> bool:
    """Tell whether sums are in order as they are: what the plain form checks, and series ascending in each tick."""
    for number in range(len(cells.ticks)):
        tick, before = cells.ticks[number], -1
        if tick < latest:
            return False
        latest = tick + 1
        for at in range(cells.starts[number], cells.starts[number + 1]):
            row, n, k = cells.rows[at], cells.trials[at], cells.flagged[at]
            if row <= before or row >= len(watched.latest) or not cells.limit[at] >= 1:
                return False
            if not (n > 0 and n < np.inf and k >= 0 and k <= n) or n != np.floor(n) or k != np.floor(k):
                return False
            if watched.latest[row] > tick:
                return False
            before = row
    return True


@compiled
def judge(
    table: Ints, clock: Clock, level: Level, watched: Watched, cells: Cells, multiples: Floats, start: int
) -> int:
    """Judge the cells of ticks, from one on, and return the first that the plain form has to judge.

    Nothing of that one is changed. Without any, it is the number of cells.
    """
    most = 1
    for number in range(len(cells.ticks)):
        most = max(most, cells.starts[number + 1] - cells.starts[number])
    work = Work(np.empty(2 * most), np.empty(2 * most), np.empty(most), np.empty(most), np.empty(most * (_WIDE + 2)),
                np.empty(most * _WIDE), np.empty(most * _WIDE), np.empty(most * _WIDE), room())  # fmt: skip
    at = start
    for number in range(len(cells.ticks)):
        end = cells.starts[number + 1]
        if at < end:
            at = _judge_tick(table, clock, level, watched, cells, multiples, (cells.ticks[number], at, end), work)
            if at < end:
                return at
    return at


@compiled
def _judge_tick(table: Ints, clock: Clock, level: Level, watched: Watched, cells: Cells, multiples: Floats,
                where: tuple[int, int, int], work: Work) -> int:  # fmt: skip
    tick, start, end = where
    last = start
    while last < end and (watched.open[cells.rows[last]] or not _is_due(clock, level, cells.rows[last], tick)):
        last += 1
    _fade(table, clock, level, cells, tick, start, last, work)
    for at in range(start, last):
        i = at - start
        fades = work.fades[2 * i], work.fades[2 * i + 1]
        found = bound_of(clock, level, cells.rows[at], tick, *fades)
        work.bounds[i], work.nears[i], cells.expected[at] = found
    _bet(table, cells, multiples, start, last, work)
    for at in range(start, last):
        i, row = at - start, cells.rows[at]
        cells.opened[at] = watched.open[row]
        if watched.open[row]:
            n, k = cells.trials[at], cells.flagged[at]
            if not follow(table, clock, watched.recovering, row, n, k, work.bounds[i], work.back):
                return at
            watched.latest[row] = tick + 1
        else:
            if work.bounds[i] > 0:
                if _statistic(watched, row, i * _WIDE, work) >= cells.limit[at]:
                    return at
                _carry_on(watched, row, tick, cells.trials[at], cells.flagged[at], i * _WIDE, work)
            _learn(clock, level, watched, cells, at, tick, (work.fades[2 * i], work.fades[2 * i + 1]))
        cells.settled[at] = level.flagged[row] > SETTLED_EVENTS
    return last


@compiled
def _is_due(clock: Clock, level: Level, row: int, tick: int) -> bool:
    reference = level.reference[row]
    return reference != _NEVER and (tick - reference) // clock.half_life != 0


@compiled
def _fade(table: Ints, clock: Clock, level: Level, cells: Cells, tick: int, start: int, last: int,
          work: Work) -> None:  # fmt: skip
    """Fill in what is left of each level as of when it was learned, and the unit of its counts of hours."""
    count = 2 * (last - start)
    for at in range(start, last):
        row, i = cells.rows[at], 2 * (at - start)
        reference = level.reference[row]
        work.ages[i] = (level.learned[row] - tick) / clock.half_life
        work.ages[i + 1] = (0 if reference == _NEVER else tick - reference) / clock.half_life
    loop(table, EXP2, work.ages[:count], work.ages[:count], work.fades[:count])


@compiled
def _bet(table: Ints, cells: Cells, multiples: Floats, start: int, last: int, work: Work) -> None:
    """Fill in log L of each multiple, and L; only what was flagged needs the logarithm of a share."""
    wide, some, count = _WIDE + 2, 0, last - start
    for i in range(count):
        known = work.bounds[i] > 0
        bound, near = (work.bounds[i], work.nears[i]) if known else (0.5, 0.5)
        for j in range(_WIDE):
            p0 = near if LARGE[j] else bound
            raised = min(p0 * multiples[j], 0.5 + p0 / 2)
            work.lost[i * wide + j] = -raised
            if cells.flagged[start + i] > 0:
                work.shares[some + j] = raised / p0
        work.lost[i * wide + _WIDE], work.lost[i * wide + _WIDE + 1] = -bound, -near
        some += _WIDE if cells.flagged[start + i] > 0 else 0
    loop(table, LOG1P, work.lost[: count * wide], work.lost[: count * wide], work.lost[: count * wide])
    loop(table, LOG, work.shares[:some], work.shares[:some], work.shares[:some])
    some = 0
    for i in range(count):
        n, k = cells.trials[start + i], cells.flagged[start + i]
        for j in range(_WIDE):
            share = work.shares[some + j] if k > 0 else 0.0
            rest = work.lost[i * wide + j] - work.lost[i * wide + _WIDE + LARGE[j]]
            work.ratios[i * _WIDE + j] = k * share + (n - k) * rest
        some += _WIDE if k > 0 else 0
    count *= _WIDE
    loop(table, EXP, work.ratios[:count], work.ratios[:count], work.bets[:count])


@compiled
def _statistic(watched: Watched, row: int, first: int, work: Work) -> float:
    """Turn the bets into the evidence after them, and return its mean."""
    total = 0.0
    for j in range(_WIDE):
        work.bets[first + j] = min((STAKES[j] + watched.evidence[row, j]) * work.bets[first + j], _MOST)
        total += work.bets[first + j]
    return total / _WIDE


@compiled
def _carry_on(watched: Watched, row: int, tick: int, n: float, k: float, first: int, work: Work) -> None:
    for j in range(_WIDE):
        before = watched.height[row, j]
        if before <= 0:
            watched.since[row, j] = tick
            watched.trials[row, j] = watched.flagged[row, j] = 0.0
        watched.trials[row, j] += n
        watched.flagged[row, j] += k
        watched.height[row, j] = max(before + work.ratios[first + j], 0.0)
        watched.evidence[row, j] = work.bets[first + j]


@compiled
def _learn(
    clock: Clock, level: Level, watched: Watched, cells: Cells, at: int, tick: int, fades: tuple[float, float]
) -> None:
    row, now, (fade, weight) = cells.rows[at], tick * clock.tick_seconds // 3600, fades
    watched.latest[row] = tick + 1
    watched.waiting_trials[row, now % _DAY] += cells.trials[at]
    watched.waiting_flagged[row, now % _DAY] += cells.flagged[at]
    holder = HELD_BY_MATURE if level.flagged[row] >= MATURE_EVENTS else HELD_BY_YOUNG
    if watched.height[row, holder] > 0:
        return
    trials = flagged = 0.0
    for hour in range(_DAY):
        trials += watched.waiting_trials[row, hour]
        flagged += watched.waiting_flagged[row, hour]
    level.published[row] = settled_level(level, row)
    level.trials[row] = level.trials[row] * fade + trials
    level.flagged[row] = level.flagged[row] * fade + flagged
    level.learned[row] = tick
    if level.reference[row] == _NEVER:
        level.reference[row] = tick
    if level.begun[row] == _NEVER:
        level.begun[row] = tick
    if clock.seasonal:
        since = min(watched.since[row, HELD_BY_MATURE], watched.since[row, HELD_BY_YOUNG])
        _learn_hours(level, watched, row, now, min(now - since * clock.tick_seconds // 3600, _DAY - 1), weight)
    watched.waiting_trials[row] = 0
    watched.waiting_flagged[row] = 0


@compiled
def _learn_hours(level: Level, watched: Watched, row: int, now: int, waited: int, weight: float) -> None:
    for age in range(waited + 1):
        hour = now - age
        trials = watched.waiting_trials[row, hour % _DAY] * weight
        flagged = watched.waiting_flagged[row, hour % _DAY] * weight
        level.hour_trials[row, hour % _HOURS] += trials
        level.hour_flagged[row, hour % _HOURS] += flagged
        level.day_trials[row, hour % _DAY] += trials
        level.day_flagged[row, hour % _DAY] += flagged
