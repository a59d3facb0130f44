"""Quantiles of the Gamma distribution, from tables: how far from its mean a level may lie.

SciPy inverts the incomplete gamma function in about half a microsecond, which is half of a series' tick. Between
neighbours of a table the quantile is so nearly straight that a chord is off by less than one in a thousand.
"""

from typing import Final

import numpy as np
from scipy.special import gammaincinv

from detectors.base import Floats

CONFIDENCE: Final = 0.95
NEAR_CONFIDENCE: Final = 0.9
"""Of the ceiling that bets on large changes are held against (`detectors.rates.likelihood`)."""

SLACK: Final = 1.15

STEPS: Final = 32
"""Places in a table for each event."""

MOST_EVENTS: Final = 200
"""Above it a level is known better than any slack that is given."""


def table(share: float) -> Floats:
    """Return the quantile of a share for shapes from 1 on, `STEPS` a unit, a little beyond `MOST_EVENTS`."""
    shapes = 1 + np.arange((MOST_EVENTS - 1) * STEPS + 2) / STEPS
    quantiles: Floats = gammaincinv(shapes, share)
    return quantiles


def quantile(quantiles: Floats, events: Floats) -> Floats:
    """Return the quantile of a Gamma distribution for each shape, 1 to `MOST_EVENTS`.

    Parameters
    ----------
    quantiles
        What `table` gave for a share.
    events
        Shapes.

    >>> quantile(table(0.95), np.array([3.0, 150.0])).round(3).tolist()
    [6.296, 170.698]
    """
    place = (events - 1) * STEPS
    left = place.astype(np.int64)
    before = quantiles[left]
    between: Floats = before + (place - left) * (quantiles[left + 1] - before)
    return between


UPPER: Final = table(CONFIDENCE)
NEAR: Final = table(NEAR_CONFIDENCE)
LOWER: Final = table(1 - CONFIDENCE)


def widening(quantiles: Floats, events: Floats) -> Floats:
    """Return how far above its mean a level may lie: the quantile, and never less than the slack."""
    factor = np.full(events.shape, SLACK)
    few = events < MOST_EVENTS
    factor[few] = np.maximum(quantile(quantiles, events[few]) / events[few], SLACK)
    return factor


def narrowing(events: Floats) -> Floats:
    """Return how far below its mean a level may lie: its 5 per cent quantile, and never nearer than the slack."""
    factor = np.full(events.shape, 1 / SLACK)
    few = events < MOST_EVENTS
    factor[few] = np.minimum(quantile(LOWER, events[few]) / events[few], 1 / SLACK)
    return factor
