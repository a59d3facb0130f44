"""Intervals for a rate, and for the difference of two."""

from math import hypot
from typing import Final, NamedTuple

import numpy as np

from detectors.base import Floats

_BISECTIONS: Final = 60
_EDGE: Final = 1e-12


def wilson(flagged: Floats, trials: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the score interval of a rate, for showing a rate once.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    Parameters
    ----------
    flagged, trials
        Counts, any one shape; without trials the interval is everything, 0 to 1.
    confidence
        Share of such intervals that hold the rate, above 0 and below 1.

    Raises
    ------
    ValueError
        Where a count cannot be.

    >>> low, high = wilson(np.array([0.0, 5.0]), np.array([100.0, 100.0]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.0215], [0.037, 0.1118])
    """
    k, n = _checked(flagged, trials, confidence)
    from scipy.special import ndtri  # who only shows rates starts without SciPy

    z = float(ndtri(0.5 + confidence / 2))
    some = np.maximum(n, 1.0)
    p = k / some
    middle = (p + z * z / (2 * some)) / (1 + z * z / some)
    half = z / (1 + z * z / some) * np.sqrt(p * (1 - p) / some + z * z / (4 * some * some))
    low = np.where((n == 0) | (k == 0), 0.0, np.maximum(middle - half, 0))
    high = np.where((n == 0) | (k == n), 1.0, np.minimum(middle + half, 1))
    return low, high


class Interval(NamedTuple):
    """An estimate with its interval."""

    value: float
    lower: float
    upper: float

    @property
    def is_apart(self) -> bool:
        """Whether zero is not in it."""
        return self.lower > 0 or self.upper < 0


def difference(one: Interval, other: Interval) -> Interval:
    """Return by how much one rate is above another, with its score interval.

    Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven methods",
    Statistics in Medicine 1998, method 10.

    Parameters
    ----------
    one, other
        Rates with their intervals of Wilson; the result has the same confidence.

    >>> found = difference(Interval(56 / 70, 0.6910, 0.8768), Interval(48 / 80, 0.4905, 0.7003))
    >>> [round(each, 3) for each in found], found.is_apart
    ([0.2, 0.052, 0.334], True)
    """
    value = one.value - other.value
    down = hypot(one.value - one.lower, other.upper - other.value)
    return Interval(value, value - down, value + hypot(one.upper - one.value, other.value - other.lower))


def confidence_sequence(
    flagged: Floats, trials: Floats, confidence: float = 0.95, prior: tuple[float, float] = (0.5, 0.5)
) -> tuple[Floats, Floats]:
    """Return an interval that holds at all times at once, for a rate that is looked at whenever one likes.

    The rates p for which the Beta mixture over the likelihood of p stays below 1 / (1 - confidence), found by
    bisection: Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical
    Statistics 1970; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
    sequences", Annals of Statistics 2021, section 3.2.

    Parameters
    ----------
    flagged, trials
        Counts so far, any one shape.
    confidence
        Share of streams whose rate stays in its interval for ever, above 0 and below 1.
    prior
        Parameters of the mixing Beta distribution, both above 0; it should put its mass where the rate may be.

    Raises
    ------
    ValueError
        Where a count or a parameter cannot be.

    >>> low, high = confidence_sequence(np.array([5.0]), np.array([100.0]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.007], [0.156])
    """
    k, n = _checked(flagged, trials, confidence)
    if not min(prior) > 0:
        raise ValueError(f"both parameters of the mixing distribution must be above 0, not {prior}")
    from scipy.special import betaln

    bound = betaln(k + prior[0], n - k + prior[1]) - betaln(*prior) + np.log1p(-confidence)
    centre = np.clip(k / np.maximum(n, 1), _EDGE, 1 - _EDGE)
    low = _bisect(np.full(k.shape, _EDGE), centre, k, n, bound)
    high = _bisect(np.full(k.shape, 1 - _EDGE), centre, k, n, bound)
    return np.where(k == 0, 0.0, low), np.where(k == n, 1.0, high)


def _bisect(outside: Floats, inside: Floats, k: Floats, n: Floats, bound: Floats) -> Floats:
    for _ in range(_BISECTIONS):
        middle = (outside + inside) / 2
        excluded = bound > k * np.log(middle) + (n - k) * np.log1p(-middle)
        outside = np.where(excluded, middle, outside)
        inside = np.where(excluded, inside, middle)
    return outside


def _checked(flagged: Floats, trials: Floats, confidence: float) -> tuple[Floats, Floats]:
    k, n = np.asarray(flagged, np.float64), np.asarray(trials, np.float64)
    if k.shape != n.shape:
        raise ValueError("flagged and trials must be of one shape")
    if not ((k >= 0) & (k <= n) & np.isfinite(n)).all():
        raise ValueError("counts must be finite, with 0 <= flagged <= trials")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence} must be above 0 and below 1")
    return k, n
