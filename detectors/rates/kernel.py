"""The compiled form of `detectors.rates.detector`: each calm cell of a tick, one after the other.

It says the same as `Baseline`, `Excursions`, `Quarantine` and `log_likelihood_ratios`, in their order of arithmetic.
What is rare is left to the plain form: a series with an open finding, an alarm, the halving of old counts.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Bools, Floats, Ints
from detectors.compiled.loops import EXP, EXP2, GAMMAINCINV, LOG, LOG1P, compiled, loop, loops
from detectors.rates.baseline import CONFIDENCE, HOUR_EVENTS, MATURE_EVENTS, PRIOR_EVENTS, SETTLED_EVENTS, SLACK
from detectors.rates.excursions import HELD_BY_MATURE, HELD_BY_YOUNG
from detectors.rates.likelihood import MULTIPLIERS

LOOPS = loops()
_WIDE = len(MULTIPLIERS)
_NEVER = -1
_DAY, _HOURS = 24, 168
_LEAST, _GREATEST, _SURE, _MOST = 1e-9, 1 - 1e-9, 200.0, 1e300
_UNLIKELY = 1 - CONFIDENCE

Singles = npt.NDArray[np.float32]


class Clock(NamedTuple):
    """What a detector is set to."""

    tick_seconds: int
    half_life: int
    first_day: int
    seasonal: bool
    rising: bool


class Level(NamedTuple):
    """Columns of `Baseline`."""

    prior: Floats
    policy: Floats
    parent: Ints
    trials: Floats
    flagged: Floats
    learned: Ints
    published: Floats
    begun: Ints
    reference: Ints
    hour_trials: Singles
    hour_flagged: Singles
    day_trials: Singles
    day_flagged: Singles


class Watched(NamedTuple):
    """Columns of the evidence, of `Excursions` and of `Quarantine`."""

    evidence: Floats
    latest: Ints
    open: Bools
    height: Floats
    since: Ints
    trials: Floats
    flagged: Floats
    waiting_trials: Singles
    waiting_flagged: Singles


class Cells(NamedTuple):
    """The sums of a tick, and beside them what is found: the expected rate of each."""

    rows: Ints
    trials: Floats
    flagged: Floats
    limit: Floats
    expected: Floats


@compiled
def usable(tick: int, cells: Cells, watched: Watched) -> bool:
    """Tell whether sums are in order as they are: what the plain form checks, and series ascending."""
    before = -1
    for at in range(len(cells.rows)):
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
def judge(table: Ints, clock: Clock, level: Level, watched: Watched, cells: Cells, multiples: Floats, tick: int,
          start: int) -> int:  # fmt: skip
    """Judge the cells of a tick, from one on, and return the first that the plain form has to judge.

    Nothing of that one is changed. Without any, it is the number of cells.
    """
    work = np.empty((4, _WIDE))
    for at in range(start, len(cells.rows)):
        row = cells.rows[at]
        if watched.open[row] or _is_due(clock, level, row, tick):
            return at
        fade, weight = _fades(table, clock, level, row, tick, work)
        bound, cells.expected[at] = _bound(table, clock, level, row, tick, fade, weight, work)
        if bound > 0:
            n, k = cells.trials[at], cells.flagged[at]
            _bet(table, n, k, bound, multiples, work)
            if _statistic(table, watched, row, work) >= cells.limit[at]:
                return at
            _carry_on(watched, row, tick, n, k, work)
        _learn(clock, level, watched, cells, at, tick, (fade, weight))
    return len(cells.rows)


@compiled
def _is_due(clock: Clock, level: Level, row: int, tick: int) -> bool:
    reference = level.reference[row]
    return reference != _NEVER and (tick - reference) // clock.half_life != 0


@compiled
def _fades(table: Ints, clock: Clock, level: Level, row: int, tick: int, work: Floats) -> tuple[float, float]:
    """Return what is left of the level as of when it was learned, and the unit of the counts of hours."""
    reference = level.reference[row]
    work[0, 0] = (level.learned[row] - tick) / clock.half_life
    work[0, 1] = (0 if reference == _NEVER else tick - reference) / clock.half_life
    loop(table, EXP2, work[0, :2], work[0, :2], work[1, :2])
    return work[1, 0], work[1, 1]


@compiled
def _settled_level(level: Level, row: int) -> float:
    flagged = level.flagged[row]
    if flagged > SETTLED_EVENTS:
        return (flagged + PRIOR_EVENTS) / (level.trials[row] + PRIOR_EVENTS / level.prior[row])
    return np.nan


@compiled
def _prior(level: Level, row: int, tick: int) -> float:
    elder = level.parent[row]
    if elder >= 0:
        shown = level.published[elder] if level.learned[elder] == tick else _settled_level(level, elder)
        if not np.isnan(shown):
            return shown
    return level.prior[row]


@compiled
def _bound(table: Ints, clock: Clock, level: Level, row: int, tick: int, fade: float, weight: float,
           work: Floats) -> tuple[float, float]:  # fmt: skip
    """Return the ceiling (for falls the floor, 0 where there is none yet) and the expected rate."""
    prior = _prior(level, row, tick)
    events = level.flagged[row] * fade + PRIOR_EVENTS
    mean = events / (level.trials[row] * fade + PRIOR_EVENTS / prior)
    expected = _season(clock, level, row, tick, mean, weight) if clock.seasonal else mean
    young = level.begun[row] == _NEVER or tick - level.begun[row] < clock.first_day
    shown = min(max(expected, _LEAST), _GREATEST)
    if clock.rising:
        bound = expected * min(_widening(table, events, work), SLACK * level.policy[row] / mean)
        if clock.seasonal and young:
            bound = max(bound, SLACK * min(prior, level.policy[row]))
    else:
        if young or not level.flagged[row] > SETTLED_EVENTS:
            return 0.0, shown
        own = max(events - PRIOR_EVENTS, 1.0)
        seen = level.flagged[row] / max(level.trials[row], 1.0)
        narrowing = min(_quantile(table, own, _UNLIKELY, work) / own, 1 / SLACK)
        bound = expected * min(seen / mean, 1.0) * narrowing
    return min(max(bound, _LEAST), _GREATEST), shown


@compiled
def _widening(table: Ints, events: float, work: Floats) -> float:
    return max(_quantile(table, events, CONFIDENCE, work) / events, SLACK) if events < _SURE else SLACK


@compiled
def _quantile(table: Ints, shape: float, share: float, work: Floats) -> float:
    work[0, 0], work[1, 0] = shape, share
    loop(table, GAMMAINCINV, work[0, :1], work[1, :1], work[2, :1])
    return work[2, 0]


@compiled
def _season(clock: Clock, level: Level, row: int, tick: int, mean: float, weight: float) -> float:
    hours = (tick + 0.5) * clock.tick_seconds / 3600 - 0.5
    left = int(np.floor(hours))
    pseudo = HOUR_EVENTS * weight
    first = _hour(level, row, left % _HOURS, mean, pseudo)
    return (left + 1 - hours) * first + (hours - left) * _hour(level, row, (left + 1) % _HOURS, mean, pseudo)


@compiled
def _hour(level: Level, row: int, hour: int, mean: float, pseudo: float) -> float:
    flagged, trials = level.hour_flagged[row, hour], level.hour_trials[row, hour]
    others = max(level.day_flagged[row, hour % _DAY] - flagged, np.float32(0))
    tried = max(level.day_trials[row, hour % _DAY] - trials, np.float32(0))
    daily = (others + pseudo) / (tried + pseudo / mean)
    return (flagged + pseudo) / (trials + pseudo / daily)


@compiled
def _bet(table: Ints, n: float, k: float, bound: float, multiples: Floats, work: Floats) -> None:
    """Fill the first row with log L of each multiple."""
    for j in range(_WIDE):
        raised = min(bound * multiples[j], 0.5 + bound / 2)
        work[1, j], work[2, j] = -raised, raised / bound
    loop(table, LOG1P, work[1], work[1], work[3])
    work[1, 0] = -bound
    loop(table, LOG1P, work[1, :1], work[1, :1], work[0, :1])
    others = work[0, 0]
    if k > 0:
        loop(table, LOG, work[2], work[2], work[0])
    else:
        work[0] = 0.0
    for j in range(_WIDE):
        work[0, j] = k * work[0, j] + (n - k) * (work[3, j] - others)


@compiled
def _statistic(table: Ints, watched: Watched, row: int, work: Floats) -> float:
    """Fill the second row with the evidence after the bets, and return its mean."""
    loop(table, EXP, work[0], work[0], work[1])
    total = 0.0
    for j in range(_WIDE):
        work[1, j] = min((1 + watched.evidence[row, j]) * work[1, j], _MOST)
        total += work[1, j]
    return total / _WIDE


@compiled
def _carry_on(watched: Watched, row: int, tick: int, n: float, k: float, work: Floats) -> None:
    for j in range(_WIDE):
        before = watched.height[row, j]
        if before <= 0:
            watched.since[row, j] = tick
            watched.trials[row, j] = watched.flagged[row, j] = 0.0
        watched.trials[row, j] += n
        watched.flagged[row, j] += k
        watched.height[row, j] = max(before + work[0, j], 0.0)
        watched.evidence[row, j] = work[1, j]


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
    level.published[row] = _settled_level(level, row)
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
