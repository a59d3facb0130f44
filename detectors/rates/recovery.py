"""The down-test: proof that a risen rate is back.

An e-process that bets against "the rate is above w", with w half way (in proportion) between the ceiling and the least
the rate rose to, and never below `UNDER` x ceiling. The halfway line is what tells "back" from "still up" soonest; that
the rate is back at its own normal is then asked of the counts themselves: since the evidence last stood at nothing they
must lie under `UNDER` x ceiling too. (Against 1.15 x ceiling alone, a rate whose normal lies close to its ceiling
needs days to be called back, however clear the end of the outage was.) For a fallen rate all of it is mirrored.

For each b in `SHARES` of w, the bet of a tick is L = b^k ((1 - b w)/(1 - w))^(n-k), of mean at most 1 while the rate is
above w. Betting all the time would run up a debt for as long as the rate is up, to be worked off after it is back. So a
bet is on only while a CUSUM of the log L has come to `PATIENCE` since it last stood at zero, which is decided before
each tick and thus leaves the e-process valid. A bet that has still lost `GIVEN_UP` begins again with a smaller stake:
the stakes sum to one.

By Ville's inequality a rate that stays above w is called back, ever, with probability at most 1/`EVIDENCE`; see Ramdas,
Gruenwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 2023.
"""

from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from detectors.base import Floats, Ints
from detectors.columns import Columns
from detectors.rates.likelihood import Direction

UNDER: Final = 1.15
EVIDENCE: Final = 20.0
SHARES: Final = np.array([0.5, 0.75, 0.9])
PATIENCE: Final = 2.0
GIVEN_UP: Final = -3.0
FIRST_STAKE: Final = 0.9
MOST: Final = 600.0
"""Logarithm of the most that a stake is counted as."""

_WIDE: Final = len(SHARES)


def log_recovery_ratios(
    trials: Floats, flagged: Floats, bound: Floats, away: Floats, direction: Direction = "up"
) -> Floats:
    """Return log L of each series and share of w, shape (series, shares); w stays below 1 for any ceiling.

    Parameters
    ----------
    trials, flagged, bound
        Sums of a tick, and ceiling (floor, for a fallen rate) of each series.
    away
        How many times above its ceiling (below its floor) w lies.
    direction
        Where the rate had gone.

    >>> log_recovery_ratios(np.array([10.0]), np.array([0.0]), np.array([0.1]), np.array([1.15])).round(3).tolist()
    [[0.629, 0.32, 0.129]]
    """
    if direction == "up":
        worst, better = np.minimum(away * bound, 0.5 + bound / 2)[:, None], SHARES
    else:
        worst, better = (bound / away)[:, None], 1 / SHARES
        better = np.minimum(better, (0.5 + worst / 2) / worst)
    ratios: Floats = flagged[:, None] * np.log(better)
    ratios += (trials - flagged)[:, None] * (np.log1p(-worst * better) - np.log1p(-worst))
    return ratios


class RecoveryTest(Columns):
    """The down-tests of all series; one runs while a finding is open."""

    COLUMNS: ClassVar = ("wealth", "stake", "restarts", "height", "betting", "trials", "flagged", "away")

    def __init__(self, direction: Direction = "up") -> None:
        self._direction: Final = direction
        self.wealth: Floats = np.empty((0, _WIDE))  # log of what the stake has become
        self.stake: Floats = np.empty((0, _WIDE))  # log of the stake
        self.restarts: Ints = np.empty((0, _WIDE), np.int64)
        self.height: Floats = np.empty((0, _WIDE))
        self.betting: npt.NDArray[np.bool_] = np.empty((0, _WIDE), np.bool_)
        self.trials: Floats = np.empty(0)
        self.flagged: Floats = np.empty(0)
        self.away: Floats = np.empty(0)  # how many times beyond its bound w lies

    def start(self, row: int, change: float) -> None:
        """Begin the test of a series whose rate went at least `change` times beyond its bound."""
        self.away[row] = max(UNDER, change**0.5)
        for column in (self.restarts, self.height, self.betting, self.trials, self.flagged):
            column[row] = 0
        self.wealth[row] = self.stake[row] = np.log(FIRST_STAKE)

    def test(self, rows: Ints, trials: Floats, flagged: Floats, bound: Floats) -> Floats:
        """Add the sums of a tick, and return the e-values so far, 0 where the counts themselves are not back."""
        ratios = log_recovery_ratios(trials, flagged, bound, self.away[rows], self._direction)
        self.wealth[rows] += np.where(self.betting[rows], ratios, 0)
        self._restart_the_lost(rows)
        self._count(rows, trials, flagged)
        self.height[rows] = height = np.maximum(self.height[rows] + ratios, 0)
        self.betting[rows] = (height >= PATIENCE) | (self.betting[rows] & (height > 0))
        evidence = np.exp(np.minimum(self.wealth[rows], MOST)).mean(axis=1)
        if self._direction == "up":
            back = self.flagged[rows] <= UNDER * bound * self.trials[rows]
        else:
            back = self.flagged[rows] >= bound / UNDER * self.trials[rows]
        return np.where(back, evidence, 0.0)

    def _restart_the_lost(self, rows: Ints) -> None:
        lost = self.wealth[rows] - self.stake[rows] <= GIVEN_UP
        self.restarts[rows] += lost
        count = np.maximum(self.restarts[rows], 1)
        smaller = np.log((1 - FIRST_STAKE) / (count * (count + 1.0)))
        self.stake[rows] = np.where(lost, smaller, self.stake[rows])
        self.wealth[rows] = np.where(lost, smaller, self.wealth[rows])

    def _count(self, rows: Ints, trials: Floats, flagged: Floats) -> None:
        """Keep the sums since no CUSUM spoke for a recovery."""
        fresh = np.all(self.height[rows] <= 0, axis=1)
        self.trials[rows] = np.where(fresh, 0, self.trials[rows]) + trials
        self.flagged[rows] = np.where(fresh, 0, self.flagged[rows]) + flagged
