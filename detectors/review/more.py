"""How many more labels would halve an interval, and in which strata.

The variance of a stratified estimate is the sum of W^2 s / n over the strata, each of weight W, with n labels and a
spread s = c (1 - c) of what they say, c = (unsafe + 1/2) / (n + 1). Fewest labels bring it down where they are given in
proportion to W sqrt(s) (Neyman 1934); a stratum that has more already keeps them, and none has more than its events.
"""

from typing import Final

import numpy as np

from detectors.base import Floats, Ints

STEPS: Final = 60
"""Halvings of the search; each stratum then has a whole number of labels."""


def labels_to_halve(events: Floats, labelled: Floats, unsafe: Floats) -> Ints:
    """Return how many more labels each stratum needs so that the interval of the rate becomes half as wide.

    Parameters
    ----------
    events
        How many events each stratum stands for.
    labelled, unsafe
        Its labels, and how many of them said unsafe.

    >>> labels_to_halve(np.array([9_000.0, 900.0, 100.0]), np.array([60.0, 40, 40]), np.array([0.0, 2, 20])).tolist()
    [209, 32, 0]
    """
    centre = (unsafe + 0.5) / (labelled + 1)
    spread = centre * (1 - centre)
    share = events * np.sqrt(spread)
    goal = _variance(events, np.maximum(labelled, 1), spread) / 4
    low, high = 0.0, float((events / share).max())
    for _ in range(STEPS):
        middle = (low + high) / 2
        given = _given(events, labelled, share, middle)
        low, high = (middle, high) if _variance(events, given, spread) > goal else (low, middle)
    return (_given(events, labelled, share, high) - labelled).astype(np.int64)


def _given(events: Floats, labelled: Floats, share: Floats, scale: float) -> Floats:
    """Return the labels of each stratum in proportion to its share: at most its events, and no fewer than now."""
    capped: Floats = np.maximum(np.minimum(np.ceil(scale * share), np.ceil(events)), labelled)
    return capped


def _variance(events: Floats, labelled: Floats, spread: Floats) -> float:
    left = 1 - np.minimum(1, labelled / np.maximum(events, 1e-12))
    return float((events**2 * spread / np.maximum(labelled, 1e-12) * left).sum())
