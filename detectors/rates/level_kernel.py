"""What `detectors.rates.baseline` expects of a series, compiled: its level, season and bound at a tick."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Floats, Ints
from detectors.compiled.loops import compiled
from detectors.rates.baseline import FIRST_EVENTS, HOUR_EVENTS, PRIOR_EVENTS, SETTLED_EVENTS
from detectors.rates.quantiles import LOWER, MOST_EVENTS, NEAR, SLACK, STEPS, UPPER

_NEVER = -1
_DAY, _HOURS = 24, 168
_LEAST, _GREATEST = 1e-9, 1 - 1e-9

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
    fleet_events: Floats
    fleet_rate: Floats
    reference: Ints
    hour_trials: Singles
    hour_flagged: Singles
    day_trials: Singles
    day_flagged: Singles


@compiled
def settled_level(level: Level, row: int) -> float:
    flagged = level.flagged[row]
    if flagged > SETTLED_EVENTS:
        return (flagged + PRIOR_EVENTS) / (level.trials[row] + PRIOR_EVENTS / level.prior[row])
    return np.nan


@compiled
def _prior(level: Level, row: int, tick: int) -> tuple[float, float]:
    elder = level.parent[row]
    if elder >= 0:
        shown = level.published[elder] if level.learned[elder] == tick else settled_level(level, elder)
        if not np.isnan(shown):
            return shown, PRIOR_EVENTS
    if level.fleet_events[row] > 0:
        return level.fleet_rate[row], level.fleet_events[row]
    known = min(level.flagged[row] / SETTLED_EVENTS, 1.0)
    return level.prior[row], FIRST_EVENTS + (PRIOR_EVENTS - FIRST_EVENTS) * known


@compiled
def bound_of(clock: Clock, level: Level, row: int, tick: int, fade: float, weight: float) -> tuple[float, float, float]:
    """Return the ceiling (for falls the floor, 0 where there is none yet), that of large bets, and what is expected."""
    prior, pseudo = _prior(level, row, tick)
    events = level.flagged[row] * fade + pseudo
    mean = events / (level.trials[row] * fade + pseudo / prior)
    expected = _season(clock, level, row, tick, mean, weight) if clock.seasonal else mean
    young = level.begun[row] == _NEVER or tick - level.begun[row] < clock.first_day
    shown = min(max(expected, _LEAST), _GREATEST)
    if clock.rising:
        most = SLACK * level.policy[row] / mean
        bound = expected * (min(_widening(UPPER, events), most) if most > SLACK else most)
        near = expected * (min(_widening(NEAR, events), most) if most > SLACK else most)
        if clock.seasonal and young:
            first_day = SLACK * min(prior, level.policy[row])
            bound, near = max(bound, first_day), max(near, first_day)
    else:
        if young or not level.flagged[row] > SETTLED_EVENTS:
            return 0.0, 0.0, shown
        own = max(events - pseudo, 1.0)
        seen = level.flagged[row] / max(level.trials[row], 1.0)
        narrowing = min(_quantile(LOWER, own) / own, 1 / SLACK) if own < MOST_EVENTS else 1 / SLACK
        bound = near = expected * min(seen / mean, 1.0) * narrowing
    return min(max(bound, _LEAST), _GREATEST), min(max(near, _LEAST), _GREATEST), shown


@compiled
def _widening(quantiles: Floats, events: float) -> float:
    return max(_quantile(quantiles, events) / events, SLACK) if events < MOST_EVENTS else SLACK


@compiled
def _quantile(quantiles: Floats, events: float) -> float:
    place = (events - 1) * STEPS
    left = int(place)
    return quantiles[left] + (place - left) * (quantiles[left + 1] - quantiles[left])


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
