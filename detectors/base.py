"""What detectors take, what they return, and how they refuse."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
State = dict[str, npt.NDArray[np.generic]]


class StateError(ValueError):
    """Stored state that this version cannot take over."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rate has risen, or fallen.

    `e_value` has reached `promise` (the threshold, in active ticks). Since `onset_tick`, `flagged` of `trials`
    were flagged: `rate`, with its 95 per cent interval from `lower` to `upper`, against the ceiling
    (floor, for a fall) `baseline` that held at `tick`.
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
    direction: Literal["up", "down"] = "up"


@dataclass(frozen=True, slots=True)
class Recovery:
    """A changed rate is back: `e_value` of evidence against "still away"; it came back `direction`.

    The sums are those since the evidence last stood at nothing; `baseline` is the bound at `tick`.
    """

    series: int
    tick: int
    e_value: float
    rate: float
    lower: float
    upper: float
    baseline: float
    trials: int
    flagged: int
    direction: Literal["up", "down"] = "down"


class Findings(NamedTuple):
    """What one tick brought to light; `expected` is the rate that was normal for each series with data, ascending."""

    alarms: list[Alarm]
    recoveries: list[Recovery]
    expected: Floats


def checked_sums(series: Ints, trials: Floats, flagged: Floats, known: int) -> tuple[Ints, Floats, Floats]:
    """Return sums in the order of their series, series without trials left out.

    Raises
    ------
    ValueError
        Where lengths differ, a series is unknown or named twice, or a sum is negative, not a whole number, or
        larger than its trials.
    """
    rows = np.asarray(series)
    n, k = np.asarray(trials, np.float64), np.asarray(flagged, np.float64)
    if not rows.shape == n.shape == k.shape or rows.ndim != 1:
        raise ValueError("series, trials and flagged must be one-dimensional and of one length")
    if len(rows) and rows.dtype.kind not in "iu":
        raise ValueError("series must be whole numbers: the indices that grow() gave out")
    order = np.argsort(rows, kind="stable")
    rows, n, k = rows[order].astype(np.int64), n[order], k[order]
    if len(rows) and (rows[0] < 0 or rows[-1] >= known or (rows[1:] == rows[:-1]).any()):
        raise ValueError(f"series must be distinct and below {known}; call grow() for new ones")
    if not (np.isfinite(n).all() and np.isfinite(k).all()):
        raise ValueError("trials and flagged must be finite; leave a series without data out")
    if (k < 0).any() or (k > n).any() or (n != np.floor(n)).any() or (k != np.floor(k)).any():
        raise ValueError("flagged and trials must be whole numbers with 0 <= flagged <= trials")
    tried = n > 0
    return rows[tried], n[tried], k[tried]


def checked_tick(tick: int, latest: int) -> int:
    """Return a tick that may follow the latest one.

    Raises
    ------
    ValueError
        Where it is negative or earlier than `latest`.
    """
    if tick < 0:
        raise ValueError(f"tick {tick} must not be negative; ticks are counted from the Unix epoch")
    if tick < latest:
        raise ValueError(f"tick {tick} comes after tick {latest}; ticks must not go backwards")
    return int(tick)


def checked_cells(series: Ints, cells: Ints, counts: Floats, known: int, width: int) -> tuple[Ints, Ints, Floats]:
    """Return the filled cells of tables of counts, in the order of their series and cells.

    Raises
    ------
    ValueError
        Where lengths differ, a series or cell is unknown, or a count is not a whole number above 0.
    """
    rows, at, amounts = np.asarray(series), np.asarray(cells), np.asarray(counts, np.float64)
    if not rows.shape == at.shape == amounts.shape or rows.ndim != 1:
        raise ValueError("series, cells and counts must be one-dimensional and of one length")
    if len(rows) and not (rows.dtype.kind in "iu" and at.dtype.kind in "iu"):
        raise ValueError("series and cells must be whole numbers")
    if len(rows) and (rows.min() < 0 or rows.max() >= known or at.min() < 0 or at.max() >= width):
        raise ValueError(f"series must be below {known} and cells below {width}; call grow() for new series")
    if not (np.isfinite(amounts).all() and (amounts > 0).all() and (amounts == np.floor(amounts)).all()):
        raise ValueError("counts must be whole numbers above 0; leave empty cells out")
    order = np.lexsort((at, rows))
    return rows[order].astype(np.int64), at[order].astype(np.int64), amounts[order]
