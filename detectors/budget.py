"""From a budget of false alarms for the whole fleet to the threshold of each series."""

import math
from typing import Final

import numpy as np

from detectors.base import Floats

LEAST_DAYS: Final = 7.0
"""A series may raise a false alarm at most once in so many days of its own, however large the budget."""


def threshold(series: float, active_ticks_per_day: float, alarms_per_day: float) -> float:
    """Return the e-value at which a series may alarm.

    A Shiryaev-Roberts e-detector with threshold A runs at least A active ticks on average to a false alarm
    (`detectors.rates.detector`). So S series with T active ticks a day each raise at most S T / A false alarms a day
    between them, whatever their dependence, because means add up. The threshold enters the delay by its logarithm, so a
    measured S and T need only be about right. However generous the budget of a small fleet is, no series gets less than
    `LEAST_DAYS` of ticks: below that the sum of the evidence reaches the threshold by its length alone.

    Parameters
    ----------
    series
        How many series are alive.
    active_ticks_per_day
        Ticks with data that one of them has a day, on average.
    alarms_per_day
        The budget of the fleet.

    Raises
    ------
    ValueError
        Where the budget is not above 0, or a count is negative or not finite.

    >>> threshold(5_000, 8_640, 1)
    43200000.0
    >>> threshold(1, 8_640, 10)
    60480.0
    """
    if not alarms_per_day > 0:
        raise ValueError(f"a budget of {alarms_per_day} alarms a day must be above 0")
    ticks = float(series) * active_ticks_per_day
    if not (math.isfinite(ticks) and series >= 0 and active_ticks_per_day >= 0):
        raise ValueError("series and their active ticks a day must be finite and not negative")
    return max(ticks / alarms_per_day, LEAST_DAYS * active_ticks_per_day, 1.0)


def thresholds(series: Floats, active_ticks_per_day: Floats, alarms_per_day: Floats) -> Floats:
    """Return `threshold` of many moments, or of many budgets.

    >>> thresholds(np.array([5_000.0, 1.0]), np.array([8_640.0]), np.array([1.0])).tolist()
    [43200000.0, 60480.0]
    """
    if not (alarms_per_day > 0).all():
        raise ValueError("budgets of alarms a day must be above 0")
    least: Floats = np.maximum(LEAST_DAYS * active_ticks_per_day, 1.0)
    return np.maximum(series * active_ticks_per_day / alarms_per_day, least)
