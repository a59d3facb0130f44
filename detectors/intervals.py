"""Intervals for a rate."""

from typing import Final

import numpy as np
from scipy.special import betaln, ndtri

from detectors.base import Floats

_BISECTIONS: Final = 60


def wilson(flagged: Floats, trials: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the score interval of a rate (Wilson 1927), for showing a rate once.

    Parameters
    ----------
    flagged, trials
        Counts, any one shape; without trials the interval is everything, 0 to 1.

    >>> low, high = wilson(np.array([0.0, 5.0]), np.array([100.0, 100.0]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.0215], [0.037, 0.1118])
    """
    k, n = np.asarray(flagged, np.float64), np.asarray(trials, np.float64)
    z = float(ndtri(0.5 + confidence / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = k / n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    none = n <= 0
    low = np.where(none, 0.0, np.where(k == 0, 0.0, np.maximum(middle - half, 0)))
    high = np.where(none, 1.0, np.where(k == n, 1.0, np.minimum(middle + half, 1)))
    return low, high


def confidence_sequence(
    flagged: Floats, trials: Floats, confidence: float = 0.95, prior: tuple[float, float] = (0.5, 0.5)
) -> tuple[Floats, Floats]:
    """Return an interval that holds at all times at once, for a rate that is looked at whenever one likes.

    The rates p for which the Beta mixture over the likelihood stays below 1/alpha (Robbins 1970; Howard,
    Ramdas, McAuliffe and Sekhon 2021, section 3), found by bisection.

    Parameters
    ----------
    flagged, trials
        Counts so far, any one shape.
    prior
        Parameters of the mixing Beta distribution.

    >>> low, high = confidence_sequence(np.array([5.0]), np.array([100.0]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.007], [0.156])
    """
    k, n = np.asarray(flagged, np.float64), np.asarray(trials, np.float64)
    mixture = betaln(k + prior[0], n - k + prior[1]) - betaln(*prior)
    limit = -np.log1p(-confidence)
    centre = np.clip(k / np.maximum(n, 1), 1e-12, 1 - 1e-12)
    low = _bisect(np.full(k.shape, 1e-12), centre, k, n, mixture - limit)
    high = _bisect(np.full(k.shape, 1 - 1e-12), centre, k, n, mixture - limit)
    return np.where(k == 0, 0.0, low), np.where(k == n, 1.0, high)


def _bisect(outside: Floats, inside: Floats, k: Floats, n: Floats, bound: Floats) -> Floats:
    for _ in range(_BISECTIONS):
        middle = (outside + inside) / 2
        excluded = bound > k * np.log(middle) + (n - k) * np.log1p(-middle)
        outside = np.where(excluded, middle, outside)
        inside = np.where(excluded, inside, middle)
    return inside
