"""What rate is normal for each series at each hour of the week, and the ceiling that follows.

The level is a Gamma posterior: decayed counts plus `PRIOR_EVENTS` pseudo events at the prior rate (a policy
ceiling, or the level of a parent series). Its upper 95 per cent bound, or 15 per cent above its mean if that is
more, is the ceiling; so a series starts at its prior and leaves it only as evidence comes in. The 168 hours of
the week are shrunk to the level by `HOUR_EVENTS` pseudo events and joined linearly between their centres.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from detectors.base import Floats, Ints, State

PRIOR_EVENTS: Final = 3.0
HOUR_EVENTS: Final = 20.0
SLACK: Final = 1.15
CONFIDENCE: Final = 0.95
HOURS: Final = 168
HALF_LIFE_SECONDS: Final = 28 * 86_400.0
MAX_RATE: Final = 0.45
"""No ceiling above this: the alternatives need room between the ceiling and one half."""


class Baseline:
    """Normal rates of growable series.

    Parameters
    ----------
    tick_seconds
        Length of a tick; ticks are counted from the Unix epoch, which fixes the hour of the week.
    """

    def __init__(self, tick_seconds: int) -> None:
        self._tick_seconds: Final = tick_seconds
        self._prior: Floats = np.empty(0)
        self._trials: Floats = np.empty(0)
        self._flagged: Floats = np.empty(0)
        self._touched: Ints = np.empty(0, np.int64)
        self._hour_trials = np.empty((0, HOURS), np.float32)
        self._hour_flagged = np.empty((0, HOURS), np.float32)

    def __len__(self) -> int:
        return len(self._prior)

    def grow(self, priors: Floats) -> None:
        """Add series with these prior rates."""
        count = len(priors)
        self._prior = np.concatenate([self._prior, np.clip(priors, 1e-6, MAX_RATE)])
        self._trials = np.concatenate([self._trials, np.zeros(count)])
        self._flagged = np.concatenate([self._flagged, np.zeros(count)])
        self._touched = np.concatenate([self._touched, np.zeros(count, np.int64)])
        self._hour_trials = np.concatenate([self._hour_trials, np.zeros((count, HOURS), np.float32)])
        self._hour_flagged = np.concatenate([self._hour_flagged, np.zeros((count, HOURS), np.float32)])

    def level(self, rows: Ints) -> Floats:
        """Return the mean level of series, without season and slack."""
        level: Floats = (self._flagged[rows] + PRIOR_EVENTS) / (self._trials[rows] + PRIOR_EVENTS / self._prior[rows])
        return level

    def settled(self, rows: Ints) -> npt.NDArray[np.bool_]:
        """Tell which series have shown more flagged events of their own than the prior pretends."""
        return np.asarray(self._flagged[rows] > 2 * PRIOR_EVENTS)

    def rates(self, rows: Ints, tick: int) -> tuple[Floats, Floats]:
        """Return the expected rate and the ceiling of series at a tick."""
        level = self.level(rows)
        exposure = self._trials[rows] + PRIOR_EVENTS / self._prior[rows]
        upper: Floats = gammaincinv(self._flagged[rows] + PRIOR_EVENTS, CONFIDENCE) / exposure
        expected = self._seasonal(rows, tick, level)
        ceiling = expected * np.maximum(upper / level, SLACK)
        return np.minimum(expected, MAX_RATE), np.clip(ceiling, 1e-7, MAX_RATE)

    def _seasonal(self, rows: Ints, tick: int, level: Floats) -> Floats:
        hours = (tick + 0.5) * self._tick_seconds / 3600 - 0.5
        left = int(np.floor(hours))
        weight = hours - left
        cells = [self._cell(rows, hour % HOURS, level) for hour in (left, left + 1)]
        joined: Floats = (1 - weight) * cells[0] + weight * cells[1]
        return joined

    def _cell(self, rows: Ints, hour: int, level: Floats) -> Floats:
        flagged = self._hour_flagged[rows, hour].astype(np.float64) + HOUR_EVENTS
        cell: Floats = flagged / (self._hour_trials[rows, hour] + HOUR_EVENTS / level)
        return cell

    def learn(self, rows: Ints, tick: int, trials: Floats, flagged: Floats) -> None:
        """Take sums for normal, as of a tick."""
        decay = 0.5 ** ((tick - self._touched[rows]) * (self._tick_seconds / HALF_LIFE_SECONDS))
        fresh = self._touched[rows] == 0
        decay[fresh] = 1.0
        self._trials[rows] = self._trials[rows] * decay + trials
        self._flagged[rows] = self._flagged[rows] * decay + flagged
        self._touched[rows] = tick
        hour = int(tick * self._tick_seconds // 3600) % HOURS
        self._hour_trials[rows, hour] += trials
        self._hour_flagged[rows, hour] += flagged

    def reset(self, row: int, trials: float, flagged: float) -> None:
        """Start a series anew from these sums, season forgotten."""
        self._trials[row], self._flagged[row] = trials, flagged
        self._hour_trials[row], self._hour_flagged[row] = 0, 0

    def state(self) -> State:
        """Return the state as flat arrays."""
        return {
            "prior": self._prior.copy(),
            "trials": self._trials.copy(),
            "flagged": self._flagged.copy(),
            "touched": self._touched.copy(),
            "hour_trials": self._hour_trials.copy(),
            "hour_flagged": self._hour_flagged.copy(),
        }

    def restore(self, state: State) -> None:
        """Take over what `state` returned."""
        self._prior = state["prior"].astype(np.float64)
        self._trials = state["trials"].astype(np.float64)
        self._flagged = state["flagged"].astype(np.float64)
        self._touched = state["touched"].astype(np.int64)
        self._hour_trials = state["hour_trials"].astype(np.float32)
        self._hour_flagged = state["hour_flagged"].astype(np.float32)
