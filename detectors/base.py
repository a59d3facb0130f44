"""What detectors return, and how they refuse."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
State = dict[str, npt.NDArray[np.generic]]


class StateError(ValueError):
    """Stored state that this version cannot take over."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rate has risen.

    `e_value` has reached `promise`. Since `onset_tick`, `flagged` of `trials` were flagged: `rate`, with its
    95 per cent interval from `lower` to `upper`, against the ceiling `baseline`.
    """

    series: int
    tick: int
    onset_tick: int
    e_value: float
    promise: float
    rate: float
    lower: float
    upper: float
    baseline: float
    trials: int
    flagged: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """A risen rate is back: `e_value` of evidence against "still above the ceiling"."""

    series: int
    tick: int
    e_value: float
    rate: float
    lower: float
    upper: float
    baseline: float
    trials: int
    flagged: int


class Findings(NamedTuple):
    """What one tick brought to light."""

    alarms: list[Alarm]
    recoveries: list[Recovery]


def checked_sums(series: Ints, trials: Floats, flagged: Floats, known: int) -> tuple[Ints, Floats, Floats]:
    """Return sums as arrays of one length, series without trials left out.

    Raises
    ------
    ValueError
        Where lengths differ, a series is unknown or named twice, or a sum is negative, not a whole number, or
        larger than its trials.
    """
    rows = np.asarray(series, np.int64)
    n, k = np.asarray(trials, np.float64), np.asarray(flagged, np.float64)
    if not rows.shape == n.shape == k.shape or rows.ndim != 1:
        raise ValueError("series, trials and flagged must be one-dimensional and of one length")
    if len(rows) and (rows.min() < 0 or rows.max() >= known or len(np.unique(rows)) != len(rows)):
        raise ValueError(f"series must be distinct and below {known}; call grow() first")
    if not (np.isfinite(n).all() and np.isfinite(k).all()):
        raise ValueError("trials and flagged must be finite; leave a series without data out")
    if (k < 0).any() or (k > n).any() or (n != np.floor(n)).any() or (k != np.floor(k)).any():
        raise ValueError("flagged and trials must be whole numbers with 0 <= flagged <= trials")
    tried = n > 0
    return rows[tried], n[tried], k[tried]
