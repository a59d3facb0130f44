"""The true rate, and how good a guard is, from a few labels of a stratified sample.

Each cell (a stratum, and within it flagged or not) has a Beta posterior of its unsafe share, from its labels and a
weak prior. Rate, precision and recall are functions of these shares and of the known sizes of the cells; their
intervals are the quantiles over seeded draws from the posteriors. That stays right when the guard's recall falls,
because nothing is taken from an earlier validation of the guard (which is what makes the correction of Rogan and
Gladen, 1978, fail then).
"""

from typing import Final, NamedTuple

import numpy as np

from detectors.base import Floats
from detectors.review.strata import PRIOR_SHARES, STRATA

PRIOR_LABELS: Final = 2.0
DOUBT: Final = 0.02
"""Unsafe pseudo labels that every cell has at least: without them a great cell without a find would pass for clean."""

DRAWS: Final = 4_000


class Estimate(NamedTuple):
    """A value with its 95 per cent interval."""

    value: float
    lower: float
    upper: float


class Quality(NamedTuple):
    """How good a guard is."""

    precision: Estimate
    recall: Estimate


class Labels(NamedTuple):
    """What is known of a period, by stratum: events, labels given, and how many of those said unsafe.

    Arrays of shape (strata,), or (strata, 2) with the unflagged before the flagged.
    """

    events: Floats
    labelled: Floats
    unsafe: Floats


def true_rate(labels: Labels, seed: int = 1) -> Estimate:
    """Return the share of events that are unsafe.

    Raises
    ------
    ValueError
        Where a count cannot be.

    >>> events = np.array([40_000, 7_000, 2_000, 700, 200, 75, 25.0])
    >>> labelled = np.array([60, 80, 80, 80, 80, 75, 25.0])
    >>> unsafe = np.array([0, 0, 2, 6, 20, 40, 22.0])
    >>> [round(float(number), 4) for number in true_rate(Labels(events, labelled, unsafe))]
    [0.0046, 0.003, 0.0078]
    """
    checked, draws = _draws(labels, seed)
    return _estimate(_weighted(checked.events, draws) / checked.events.sum())


def guard_quality(labels: Labels, seed: int = 1) -> Quality:
    """Return precision and recall of a guard, from labels by stratum and by whether it flagged (shape (strata, 2)).

    Raises
    ------
    ValueError
        Where a count cannot be, or flagged and unflagged are not told apart.
    """
    found = _shares(labels, seed)
    return Quality(_estimate(found[0]), _estimate(found[1]))


def _shares(labels: Labels, seed: int) -> tuple[Floats, Floats]:
    checked, draws = _draws(labels, seed)
    if checked.events.shape != (STRATA, 2):
        raise ValueError(f"labels must be told apart by whether the guard flagged: shape ({STRATA}, 2)")
    caught = _weighted(checked.events[:, 1], draws[:, :, 1])
    missed = _weighted(checked.events[:, 0], draws[:, :, 0])
    return caught / max(float(checked.events[:, 1].sum()), 1.0), caught / np.maximum(caught + missed, 1e-12)


def _draws(labels: Labels, seed: int) -> tuple[Labels, Floats]:
    """Return checked labels, and draws of the unsafe share of each cell, shape (draws, *cells)."""
    arrays = [np.asarray(part, np.float64) for part in labels]
    events, labelled, unsafe = arrays
    if len({array.shape for array in arrays}) > 1 or events.shape not in ((STRATA,), (STRATA, 2)):
        raise ValueError(f"events, labels and unsafe must have one shape, ({STRATA},) or ({STRATA}, 2)")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("counts must be finite")
    if (unsafe < 0).any() or (unsafe > labelled).any() or (labelled > events).any():
        raise ValueError("counts must be 0 <= unsafe <= labelled <= events")
    prior = PRIOR_SHARES.reshape(-1, *[1] * (events.ndim - 1))
    a = unsafe + np.maximum(PRIOR_LABELS * prior, DOUBT)
    b = labelled - unsafe + PRIOR_LABELS * (1 - prior)
    return Labels(events, labelled, unsafe), np.random.default_rng(seed).beta(a, b, (DRAWS, *events.shape))


def _weighted(events: Floats, draws: Floats) -> Floats:
    total: Floats = (draws * events).reshape(len(draws), -1).sum(axis=1)
    return total


def _estimate(draws: Floats) -> Estimate:
    lower, upper = np.quantile(draws, [0.025, 0.975])
    return Estimate(float(draws.mean()), float(lower), float(upper))
