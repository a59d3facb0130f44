"""A reference histogram to quantile bins, and the tilts of it that are bet on."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from detectors.base import Floats

LEVELS: Final = np.array([0.05, 0.10, 0.20, 0.35, 0.50, 0.65, 0.80, 0.90, 0.95, 0.98])
TILTS: Final = np.array([0.15, 0.3, 0.6, 1.2, -0.15, -0.3, -0.6, -1.2])
SPREAD: Final = 0.3
COARSE: Final = len(LEVELS) + 1
ALTERNATIVES: Final = len(TILTS) + 1

_PSEUDO: Final = 0.5
_CARE: Final = 2.0


class Tables(NamedTuple):
    """What a reference gives: quantile bin of each fine bin, log ratios (quantile bins, tilts), normal scores."""

    coarse: npt.NDArray[np.uint8]
    ratios: Floats
    score: Floats
    mean: float
    variance: float


def tilted(reference: Floats, known: float) -> Tables:
    """Return the tables of a reference.

    Parameters
    ----------
    reference
        Counts by fine bin, shape (bins,), at least one above 0; a value never seen has half an event.
    known
        How many events n0 speak for it. Each tilt is discounted by log(1 + 2 sqrt(chi2 / n0)) an event, because
        the true distribution lies about sqrt(chi2 / n0) away from the reference in the direction of the tilt.

    >>> tables = tilted(np.ones(100), 1e6)
    >>> tables.coarse[[0, 49, 99]].tolist(), tables.ratios[[0, 10], 3].round(1).tolist()
    ([0, 4, 10], [-3.0, 2.0])
    """
    share = reference / reference.sum()
    coarse = np.searchsorted(LEVELS, np.cumsum(share) - share / 2).astype(np.uint8)
    mass = np.bincount(coarse, reference, COARSE) + _PSEUDO
    mass /= mass.sum()
    score = ndtri(np.cumsum(mass) - mass / 2)
    exponent = np.column_stack([*(tilt * score for tilt in TILTS), SPREAD * (score**2 - 1) / 2])
    ratios = exponent - np.log(mass @ np.exp(exponent))
    distance = mass @ (np.exp(ratios) - 1) ** 2
    mean = float(mass @ score)
    variance = float(mass @ (score - mean) ** 2)
    return Tables(coarse, ratios - np.log1p(_CARE * np.sqrt(distance / known)), score, mean, variance)


def median(histogram: npt.NDArray[np.floating]) -> int:
    """Return the bin that holds the median, 0 where there is nothing.

    >>> median(np.array([1.0, 1.0, 3.0]))
    2
    """
    total = np.cumsum(histogram, dtype=np.float64)
    return int(np.searchsorted(total, total[-1] / 2))
