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
    """What references give, each a row: quantile bin of each fine bin, log ratios (quantile bins, tilts), scores."""

    coarse: npt.NDArray[np.uint8]
    ratios: Floats
    score: Floats
    mean: Floats
    variance: Floats


def tilted(references: Floats, known: Floats) -> Tables:
    """Return the tables of references.

    Parameters
    ----------
    references
        Counts by fine bin, shape (references, bins), at least one of each above 0; a value never seen has half an
        event.
    known
        How many events n0 speak for each. A tilt is discounted by log(1 + 2 sqrt(chi2 / n0)) an event, because
        the true distribution lies about sqrt(chi2 / n0) away from the reference in the direction of the tilt.

    >>> tables = tilted(np.ones((1, 100)), np.array([1e6]))
    >>> tables.coarse[0, [0, 49, 99]].tolist(), tables.ratios[0, [0, 10], 3].round(1).tolist()
    ([0, 4, 10], [-3.0, 2.0])
    """
    share = references / references.sum(axis=1, keepdims=True)
    coarse = np.searchsorted(LEVELS, np.cumsum(share, axis=1) - share / 2)
    places = coarse + COARSE * np.arange(len(references))[:, None]
    mass = np.bincount(places.ravel(), references.ravel(), COARSE * len(references)).reshape(-1, COARSE) + _PSEUDO
    mass /= mass.sum(axis=1, keepdims=True)
    score = ndtri(np.cumsum(mass, axis=1) - mass / 2)
    exponent = np.concatenate([score[..., None] * TILTS, (SPREAD * (score**2 - 1) / 2)[..., None]], axis=2)
    each = mass[..., None]
    ratios = exponent - np.log((each * np.exp(exponent)).sum(axis=1, keepdims=True))
    distance = (each * (np.exp(ratios) - 1) ** 2).sum(axis=1, keepdims=True)
    mean = (mass * score).sum(axis=1)
    variance = (mass * (score - mean[:, None]) ** 2).sum(axis=1)
    care = np.log1p(_CARE * np.sqrt(distance / known[:, None, None]))
    return Tables(coarse.astype(np.uint8), ratios - care, score, mean, variance)


def median(histogram: npt.NDArray[np.floating]) -> int:
    """Return the bin that holds the median, 0 where there is nothing.

    >>> median(np.array([1.0, 1.0, 3.0]))
    2
    """
    total = np.cumsum(histogram, dtype=np.float64)
    return int(np.searchsorted(total, total[-1] / 2))
