"""What rate is normal for each series at each hour of the week, and the ceiling that follows.

The *level* is a Gamma posterior: fading counts plus pseudo events at the prior rate, `PRIOR_EVENTS` of them where a
parent has shown that rate or the series has settled, and as few as `FIRST_EVENTS` where nothing was flagged yet. Its
upper 95 per cent bound, or 15 per cent above its mean if that is more, is the ceiling; so a series starts wide at its
prior and leaves it only as evidence comes in. With one pseudo event that bound is the exact one of a rare rate
(Garwood, "Fiducial limits for the Poisson distribution", Biometrika 1936); more of them would hold the ceiling of a
rate far below its prior up for days. Where the operator has set a policy ceiling, 15 per cent above that is the most it
can be (the season aside) from the first tick on: a rate that breaks the policy from the start is never normal.

A series that nothing is known of but the policy listens to its fleet from its second day on: the pseudo events and
the rate of `detectors.rates.fleet` take the place of a prior that allows more.

The *season* is a profile of the 168 hours of the week. An hour is shrunk to the same hour of the other days, and that
to the level, each by `HOUR_EVENTS` pseudo events, and hours are joined linearly between their centres. In its first
day the ceiling of a series does not fall below its prior, because nobody has seen its day yet.
"""

from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from detectors.base import Bools, Floats, Ints
from detectors.columns import Columns
from detectors.rates.fleet import above, fitted
from detectors.rates.quantiles import NEAR, SLACK, UPPER, narrowing, quantile, widening

PRIOR_EVENTS: Final = 3.0
FIRST_EVENTS: Final = 1.0
HOUR_EVENTS: Final = 20.0
HALF_LIFE_DAYS: Final = 28.0
SETTLED_EVENTS: Final = 2 * PRIOR_EVENTS
MATURE_EVENTS: Final = 200.0
"""From here on a level is known to 7 per cent, half of the slack."""

_HOURS: Final = 168
_DAY: Final = 24
_NEVER: Final = -1
_LEAST, _GREATEST = 1e-9, 1 - 1e-9


class Baseline(Columns):
    """Normal rates of growable series.

    Parameters
    ----------
    tick_seconds
        Length of a tick, 1 to 3600; ticks are counted from the Unix epoch, which fixes the hour of the week.
    half_life_days
        Event time in which what was learned loses half its weight.
    seasonal
        Whether there is an hour of the week at all.

    Notes
    -----
    Counts of hours are kept in units that grow with time, so that fading needs no touch of 168 cells: a count of
    now weighs 2^(ticks since `reference` / half-life). Each half-life the cells are halved, which is exact.
    """

    COLUMNS: ClassVar = (
        "prior",
        "policy",
        "parent",
        "trials",
        "flagged",
        "learned",
        "published",
        "begun",
        "fleet_events",
        "fleet_rate",
        "reference",
        "hour_trials",
        "hour_flagged",
        "day_trials",
        "day_flagged",
    )

    def __init__(self, tick_seconds: int, half_life_days: float = HALF_LIFE_DAYS, *, seasonal: bool = True) -> None:
        if not 1 <= tick_seconds <= 3600:
            raise ValueError(f"a tick of {tick_seconds} s must be 1 to 3600 s long")
        if not half_life_days * 86_400 >= tick_seconds:
            raise ValueError(f"a half-life of {half_life_days} days must be at least one tick")
        self._tick_seconds: Final = tick_seconds
        self.half_life: Final = int(half_life_days * 86_400 / tick_seconds)
        self.seasonal: Final = seasonal
        self._first_day: Final = -(-86_400 // tick_seconds)
        self.clock: Final = (tick_seconds, self.half_life, self._first_day, seasonal)
        cells = (0, _HOURS if seasonal else 0)
        self.prior: Floats = np.empty(0)
        self.policy: Floats = np.empty(0)
        self.parent: Ints = np.empty(0, np.int64)
        self.trials: Floats = np.empty(0)
        self.flagged: Floats = np.empty(0)
        self.learned: Ints = np.empty(0, np.int64)
        self.published: Floats = np.empty(0)  # level before the latest learning, NaN while not settled
        self.begun: Ints = np.empty(0, np.int64)
        self.fleet_events: Floats = np.empty(0)  # 0 where no fleet is known yet, -1 where none may speak
        self.fleet_rate: Floats = np.empty(0)
        self.reference: Ints = np.empty(0, np.int64)
        self.hour_trials: npt.NDArray[np.float32] = np.empty(cells, np.float32)
        self.hour_flagged: npt.NDArray[np.float32] = np.empty(cells, np.float32)
        days = (0, _DAY if seasonal else 0)
        self.day_trials: npt.NDArray[np.float32] = np.empty(days, np.float32)  # over all days of the week
        self.day_flagged: npt.NDArray[np.float32] = np.empty(days, np.float32)

    def grow(self, priors: Floats, parents: Ints | None = None, ceilings: Floats | None = None) -> None:
        """Add series.

        Parameters
        ----------
        priors
            The rate of each that is normal until it, or its parent, has shown another; above 0, below 1.
        parents
            Index of an older series whose level takes the place of the prior once it is settled, or -1.
        ceilings
            Policy ceiling of each, above 0; without it there is none.

        Raises
        ------
        ValueError
            Where one of them cannot be.
        """
        start, count = len(self), len(priors)
        rates = np.asarray(priors, np.float64)
        limits = np.full(count, np.inf) if ceilings is None else np.asarray(ceilings, np.float64)
        older = np.full(count, _NEVER, np.int64) if parents is None else np.asarray(parents, np.int64)
        if not rates.shape == limits.shape == older.shape == (count,):
            raise ValueError("priors, parents and ceilings must be one-dimensional and of one length")
        if not ((rates > 0) & (rates < 1) & (limits > 0)).all():
            raise ValueError("priors must be above 0 and below 1, ceilings above 0")
        if ((older < _NEVER) | (older >= start)).any():
            raise ValueError("a parent must be a series that was added before, or -1")
        self.extend(count)
        new = slice(start, None)
        self.prior[new], self.policy[new], self.parent[new] = rates, limits, older
        self.learned[new] = self.begun[new] = self.reference[new] = _NEVER
        self.published[new] = np.nan

    def level(self, rows: Ints) -> Floats:
        """Return the mean level of series, as of when they last learned, without season and slack."""
        prior, pseudo = self._prior(rows, None)
        level: Floats = (self.flagged[rows] + pseudo) / (self.trials[rows] + pseudo / prior)
        return level

    def settled(self, rows: Ints) -> Bools:
        """Tell which series have shown more flagged events of their own than the prior pretends."""
        return np.asarray(self.flagged[rows] > SETTLED_EVENTS)

    def mature(self, rows: Ints) -> Bools:
        """Tell which series have shown so many flagged events that their level is known well."""
        return np.asarray(self.flagged[rows] >= MATURE_EVENTS)

    def rates(self, rows: Ints, tick: int) -> tuple[Floats, Floats, Floats]:
        """Return the expected rate of series at a tick, the ceiling, and that of bets on large changes."""
        prior, _, events, level, expected = self._expected(rows, tick)
        most = SLACK * self.policy[rows] / level
        first_day = np.where(self._young(rows, tick) & self.seasonal, SLACK * np.minimum(prior, self.policy[rows]), 0.0)
        ceiling, near = (
            np.clip(np.maximum(expected * np.minimum(widening(of, events), most), first_day), _LEAST, _GREATEST)
            for of in (UPPER, NEAR)
        )
        return np.clip(expected, _LEAST, _GREATEST), ceiling, near

    def floors(self, rows: Ints, tick: int) -> tuple[Floats, Floats, Floats]:
        """Return the expected rate of series at a tick, and the floor twice: for bets on large changes it is the same.

        A series that has not been seen for a day, or has not settled, has no floor yet: 0.
        """
        _, pseudo, events, level, expected = self._expected(rows, tick)
        unknown = self._young(rows, tick) | ~self.settled(rows)
        own = np.maximum(events - pseudo, 1.0)  # what the prior pretends must not hold a floor up
        seen = self.flagged[rows] / np.maximum(self.trials[rows], 1.0)
        floor = np.clip(expected * np.minimum(seen / level, 1.0) * narrowing(own), _LEAST, _GREATEST)
        bound = np.where(unknown, 0.0, floor)
        return np.clip(expected, _LEAST, _GREATEST), bound, bound

    def _expected(self, rows: Ints, tick: int) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Return prior, its pseudo events, all that speak for the level, level, and the rate expected at this hour."""
        prior, pseudo = self._prior(rows, tick)
        fade = np.exp2((self.learned[rows] - tick) / self.half_life)
        events = self.flagged[rows] * fade + pseudo
        level = events / (self.trials[rows] * fade + pseudo / prior)
        return prior, pseudo, events, level, self._season(rows, tick, level)

    def _young(self, rows: Ints, tick: int) -> Bools:
        return np.asarray((self.begun[rows] == _NEVER) | (tick - self.begun[rows] < self._first_day))

    def _prior(self, rows: Ints, tick: int | None) -> tuple[Floats, Floats]:
        """Return priors, pseudo events; a parent's level of this very tick is not seen, whoever learns first."""
        prior, pseudo = self.prior[rows], _pseudo_events(self.flagged[rows])
        of_fleet = self.fleet_events[rows] > 0
        prior, pseudo = np.where(of_fleet, (self.fleet_rate[rows], self.fleet_events[rows]), (prior, pseudo))
        parent = self.parent[rows]
        with_parent = np.flatnonzero(parent >= 0)
        if len(with_parent):
            elder = parent[with_parent]
            shown = np.where(self.learned[elder] == tick, self.published[elder], self._settled_level(elder))
            prior[with_parent] = np.where(np.isnan(shown), prior[with_parent], shown)
            pseudo[with_parent] = np.where(np.isnan(shown), pseudo[with_parent], PRIOR_EVENTS)
        return prior, pseudo

    def learn_fleet(self, members: Ints, rows: Ints, tick: int) -> None:
        """Take for the prior of series, from their second day on, what the spread of a fleet's rates speaks for.

        It takes the place of a prior that allows more, but of no series above the middle of its fleet, nor restarted.
        """
        prior = fitted(self.trials[members], self.flagged[members])
        old = rows[(self.begun[rows] != _NEVER) & ~self._young(rows, tick) & (self.fleet_events[rows] != _NEVER)]
        if prior is None:
            return
        lower = quantile(UPPER, np.array([prior.events])) / prior.events * prior.rate < UPPER[0] * self.prior[old]
        heard = lower & ~above(prior, self.trials[old], self.flagged[old])
        self.fleet_events[old], self.fleet_rate[old] = np.where(heard, np.array(prior)[:, None], 0.0)

    def _settled_level(self, rows: Ints) -> Floats:
        level = (self.flagged[rows] + PRIOR_EVENTS) / (self.trials[rows] + PRIOR_EVENTS / self.prior[rows])
        return np.where(self.settled(rows), level, np.nan)

    def _season(self, rows: Ints, tick: int, level: Floats) -> Floats:
        if not self.seasonal:
            return level
        hours = (tick + 0.5) * self._tick_seconds / 3600 - 0.5
        left = int(np.floor(hours))
        reference = self.reference[rows]
        weight = np.exp2(np.where(reference == _NEVER, 0, tick - reference) / self.half_life)
        cells = [self._cell(rows, hour % _HOURS, level, weight) for hour in (left, left + 1)]
        joined: Floats = (left + 1 - hours) * cells[0] + (hours - left) * cells[1]
        return joined

    def _cell(self, rows: Ints, hour: int, level: Floats, weight: Floats) -> Floats:
        """Return the rate of an hour of the week, shrunk to its hour of the day, and that to the level."""
        pseudo = HOUR_EVENTS * weight
        day, flagged, trials = hour % _DAY, self.hour_flagged[rows, hour], self.hour_trials[rows, hour]
        other_flagged = np.maximum(self.day_flagged[rows, day] - flagged, 0)  # what rounding leaves is no count
        other_trials = np.maximum(self.day_trials[rows, day] - trials, 0)
        return _shrunk(flagged, trials, _shrunk(other_flagged, other_trials, level, pseudo), pseudo)

    def learn(self, rows: Ints, tick: int, trials: Floats, flagged: Floats) -> None:
        """Take sums for the normal level, as of a tick."""
        self.published[rows] = self._settled_level(rows)
        fade = np.exp2((self.learned[rows] - tick) / self.half_life)
        self.trials[rows] = self.trials[rows] * fade + trials
        self.flagged[rows] = self.flagged[rows] * fade + flagged
        self.learned[rows] = tick
        self._keep_reference(rows, tick)

    def _keep_reference(self, rows: Ints, tick: int) -> None:
        self.reference[rows] = np.where(self.reference[rows] == _NEVER, tick, self.reference[rows])
        self.begun[rows] = np.where(self.begun[rows] == _NEVER, tick, self.begun[rows])
        halvings = (tick - self.reference[rows]) // self.half_life
        due = np.flatnonzero(halvings)
        if len(due):
            factor = np.exp2(-halvings[due].astype(np.float32))[:, None]
            for counts in (self.hour_trials, self.hour_flagged, self.day_trials, self.day_flagged):
                counts[rows[due]] *= factor
            self.reference[rows[due]] += halvings[due] * self.half_life

    def learn_hours(self, rows: Ints, tick: int, hours: Ints, trials: Floats, flagged: Floats) -> None:
        """Take sums for the normal rate of the hours (since the epoch) they came from, as of a tick.

        A series may be named for several hours, but only once for each hour of the day.
        """
        if self.seasonal:
            weight = np.exp2((tick - self.reference[rows]) / self.half_life)
            trials, flagged = trials * weight, flagged * weight
            self.hour_trials[rows, hours % _HOURS] += trials
            self.hour_flagged[rows, hours % _HOURS] += flagged
            self.day_trials[rows, hours % _DAY] += trials
            self.day_flagged[rows, hours % _DAY] += flagged

    def restart(self, row: int, tick: int, trials: float, flagged: float) -> None:
        """Start a series anew from these sums: prior, policy, parent and season are forgotten."""
        self.prior[row] = (flagged + 0.5) / (trials + 1)
        self.policy[row], self.parent[row], self.fleet_events[row] = np.inf, _NEVER, _NEVER
        self.trials[row], self.flagged[row] = trials, flagged
        self.learned[row] = self.begun[row] = self.reference[row] = tick
        for counts in (self.hour_trials, self.hour_flagged, self.day_trials, self.day_flagged):
            counts[row] = 0

    def hour_of(self, tick: int) -> int:
        """Return the hour since the epoch that a tick belongs to."""
        return int(tick) * self._tick_seconds // 3600

    def hours_of(self, ticks: Ints) -> Ints:
        """Return the hours since the epoch that ticks belong to."""
        return ticks * self._tick_seconds // 3600


def _pseudo_events(flagged: Floats) -> Floats:
    """Return how many events a prior counts for beside a series' own."""
    events: Floats = FIRST_EVENTS + (PRIOR_EVENTS - FIRST_EVENTS) * np.minimum(flagged / SETTLED_EVENTS, 1.0)
    return events


def _shrunk(
    flagged: npt.NDArray[np.float32], trials: npt.NDArray[np.float32], target: Floats, pseudo: Floats
) -> Floats:
    rate: Floats = (flagged + pseudo) / (trials + pseudo / target)
    return rate
