"""What users would take instead, on whole services in bins of five minutes: each says in which bins a series alarms."""

from typing import Final

import numpy as np

from detectors.base import Bools, Floats
from detectors.river.vote import DriftVote

BIN: Final = 30
"""Ticks of a bin."""

HOUR: Final = 12
DAY: Final = 24 * HOUR
LEAST: Final = 20
"""Trials of an hour before its share says anything."""

SIGMAS: Final = 3.0


def hourly(bins: np.ndarray) -> Floats:
    """Return the share flagged in the hour up to each bin, NaN where it had too few trials."""
    sums = np.cumsum(np.pad(bins, ((0, 0), (HOUR, 0), (0, 0))), axis=1)
    trials, flagged = sums[:, HOUR:] - sums[:, :-HOUR]
    return np.where(trials >= LEAST, flagged / np.maximum(trials, 1), np.nan)


def fixed(bins: np.ndarray, quiet: Bools) -> tuple[Bools, Bools]:
    """Return where an hour is above (below) the best limits of its series that are never false in this very week.

    Parameters
    ----------
    quiet
        Where nothing is wrong, shape (bins, series): what only hindsight knows.
    """
    shares = hourly(bins)
    calm = quiet & ~np.isnan(shares)
    most = np.where(calm, shares, -np.inf).max(axis=0)
    least = np.where(calm, shares, np.inf).min(axis=0)
    known = calm.any(axis=0)
    return np.asarray(known & (shares > most)), np.asarray(known & (shares < least))


def moving(bins: np.ndarray) -> tuple[Bools, Bools]:
    """Return where an hour is three standard deviations above (below) the mean of the day before it."""
    shares = hourly(bins)
    known = ~np.isnan(shares)
    sums = [
        np.cumsum(np.pad(np.where(known, shares, 0) ** power * known, ((1, 0), (0, 0))), axis=0) for power in (0, 1, 2)
    ]
    first = np.maximum(np.arange(len(shares)) - HOUR - DAY, 0)
    last = np.maximum(np.arange(len(shares)) - HOUR, 0)
    count, total, squares = (each[last] - each[first] for each in sums)
    some = count >= DAY / 2
    mean = total / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    with np.errstate(invalid="ignore"):
        return some & (shares > mean + SIGMAS * spread), some & (shares < mean - SIGMAS * spread)


def river(name: str, bins: np.ndarray) -> tuple[Bools, Bools]:
    """Return where a drift detector of River votes up (down), shown each bin against the mean of the week so far."""
    votes = DriftVote(name, every=1)
    series = np.arange(bins.shape[2])
    votes.grow(len(series))
    up, down = np.zeros((2, *bins.shape[1:]), bool)
    so_far = np.cumsum(bins, axis=1)
    for at in range(1, bins.shape[1]):
        n, k = so_far[:, at - 1]
        rows = series[(bins[0, at] > 0) & (k >= 3)]
        expected = np.clip(k[rows] / n[rows], 1e-6, 1 - 1e-6)
        for vote in votes.update(at, rows, *bins[:, at, rows], expected):
            (up if vote.direction == "up" else down)[at, vote.series] = True
    return up, down


def episodes(alarms: Bools, quiet: Bools) -> int:
    """Return how often alarms begin while nothing is wrong; what comes again within the hour is one of them."""
    false = alarms & quiet
    lately = np.zeros(alarms.shape[1], int) - HOUR
    count = 0
    for at in np.flatnonzero(false.any(axis=1)).tolist():
        count += int((false[at] & (at - lately > HOUR)).sum())
        lately[false[at]] = at
    return count
