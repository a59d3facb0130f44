"""Many series as one: what was flagged, against what was to be expected of each at its own rate.

**Standardised sums.** Members of a pool are normal at different rates, so their counts must not simply be added up:
traffic that moves from one to another would look like a change (Simpson 1951). Each member's trials n are weighed by
its own rate p instead, E = sum of n p, and the flags O are held against E (indirect standardisation: Breslow and Day,
"Statistical Methods in Cancer Research II", IARC 1987, chapter 2; over time the risk-adjusted CUSUM: Steiner, Cook,
Farewell and Treasure, "Monitoring surgical performance using risk-adjusted cumulative sum charts", Biostatistics 2000).
A pool is told to a rate detector as O flags of E / `REFERENCE` trials: a rate that is `REFERENCE` while all
members are as usual, wherever their traffic is, and m times that where all of them are at m times their own. For a
small reference the trials of the detector are Poisson, and E[m^O] = product of (1 + p (m - 1))^n <= exp((m - 1) E): the
bets of `detectors.rates.likelihood` have a mean of at most 1 for any members whose rates are at most their own.
"""

from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc, gammaincc

from detectors.base import Floats, Ints
from detectors.columns import Columns
from detectors.rates.likelihood import Direction

REFERENCE: Final = 2.0**-12
"""The rate of a pool while nothing is wrong: as low as rates are, so that there is a trial for each flag."""

HOURS: Final = 48
"""What members showed is known hour by hour for so long."""

MOST_WAITING: Final = 1_000.0
_NOTHING: Final = 1e-9

ALONE: Final = 0.01
"""Without the member that stands out most the others must be so unlikely, or the pool has nothing to add to it."""


def own_rates(trials: Floats, flagged: Floats, whole: Ints) -> Floats:
    """Return the rate that is usual of each series: shrunk to that of its whole, and this to that of all wholes.

    Each is shrunk by one pseudo event (empirical Bayes: Clayton and Kaldor, Biometrics 1987), so that series with next
    to no flags have a rate above nothing and their sum is what all of them showed.

    Parameters
    ----------
    trials, flagged
        Counts of series while nothing was wrong.
    whole
        Index of the whole that each is a part of, itself for a whole.

    >>> own_rates(np.array([2000.0, 1000, 1000]), np.array([20.0, 18, 2]), np.zeros(3, np.int64)).round(4).tolist()
    [0.01, 0.0173, 0.0027]
    """
    wholes = whole == np.arange(len(whole))
    all_trials, all_flagged = trials[wholes].sum(), flagged[wholes].sum()
    if not all_flagged > 0:
        return np.zeros(len(trials))
    usual = np.full(len(trials), all_flagged / all_trials)
    usual = (flagged + 1) / (trials + 1 / usual)
    of_parts = (flagged + 1) / (trials + 1 / usual[whole])
    return np.asarray(np.where(wholes, usual, of_parts))


class Standardised(Columns):
    """Sums of pools as a rate detector takes them: whole numbers, what is left over waits."""

    COLUMNS: ClassVar = ("due", "waiting")

    def __init__(self) -> None:
        self.due: Floats = np.empty(0)
        self.waiting: Floats = np.empty(0)

    def sums(self, rows: Ints, expected: Floats, flagged: Floats) -> tuple[Floats, Floats]:
        """Return trials at `REFERENCE` and how many of them are flagged.

        Parameters
        ----------
        expected, flagged
            Flags that were to be expected of some pools, and those that came.

        >>> pools = Standardised()
        >>> pools.extend(1)
        >>> [pools.sums(np.array([0]), np.array([0.0006]), np.array([flags])) for flags in (3.0, 0.0)]
        [(array([2.]), array([2.])), (array([2.]), array([1.]))]
        """
        due = self.due[rows] + expected / REFERENCE
        trials = np.floor(due)
        held = self.waiting[rows] + flagged
        told = np.minimum(held, trials)
        self.due[rows] = due - trials
        self.waiting[rows] = np.minimum(held - told, MOST_WAITING)
        return trials, told


class Lately(Columns):
    """What each member showed in the latest hours; row by row, and hour by hour."""

    COLUMNS: ClassVar = ("trials", "flagged")

    def __init__(self) -> None:
        self.hour = -1
        self.trials: npt.NDArray[np.float32] = np.empty((0, HOURS), np.float32)
        self.flagged: npt.NDArray[np.float32] = np.empty((0, HOURS), np.float32)

    def add(self, hour: int, rows: Ints, trials: Floats, flagged: Floats) -> None:
        """Take the sums of some members, each named once, in an hour that is not before the last one."""
        for passed in range(max(self.hour + 1, hour - HOURS + 1), hour + 1):
            self.trials[:, passed % HOURS] = self.flagged[:, passed % HOURS] = 0
        self.hour = hour
        self.trials[rows, hour % HOURS] += trials.astype(np.float32)
        self.flagged[rows, hour % HOURS] += flagged.astype(np.float32)

    def move(self, rows: int, old: Ints) -> None:
        """Put members in other places.

        Parameters
        ----------
        rows
            How many there are.
        old
            The place that each had, -1 for a new one.
        """
        for name in self.COLUMNS:
            moved = np.zeros((rows, HOURS), np.float32)
            moved[old >= 0] = getattr(self, name)[old[old >= 0]]
            setattr(self, name, moved)

    def since(self, hour: int, rows: Ints) -> tuple[Floats, Floats]:
        """Return trials and flags of some members since an hour began, at most `HOURS` ago."""
        hours = np.arange(max(hour, self.hour - HOURS + 1), self.hour + 1) % HOURS
        trials = self.trials[np.ix_(rows, hours)].sum(axis=1, dtype=np.float64)
        return trials, self.flagged[np.ix_(rows, hours)].sum(axis=1, dtype=np.float64)


def shared(flagged: Floats, bounds: Floats, direction: Direction) -> bool:
    """Tell whether a change is of more than one member: without the one that stands out most it still shows.

    An exact test of the others against what they may show at most (for a fall, at least).

    Parameters
    ----------
    flagged, bounds
        Flags of each member, and the most (least) that would be usual.

    >>> shared(np.array([40.0, 1]), np.array([5.0, 1]), "up"), shared(np.array([9.0, 8]), np.array([1.0, 1]), "up")
    (False, True)
    """
    away = flagged - bounds if direction == "up" else bounds - flagged
    others = np.arange(len(away)) != int(away.argmax())
    seen, most = float(flagged[others].sum()), float(bounds[others].sum())
    most = max(most, _NOTHING)
    # of a Poisson distribution: at least so many, at most so many
    chance = (gammainc(seen, most) if seen else 1.0) if direction == "up" else gammaincc(seen + 1, most)
    return bool(chance <= ALONE)
