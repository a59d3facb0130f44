"""What is known of each series while it is watched, and the threshold of each."""

from typing import Any, NamedTuple

import numpy as np

from detectors.base import Alarm, Bools, Floats, Ints, Recovery
from detectors.columns import Columns
from detectors.rates.likelihood import MULTIPLIERS, Direction


class Watch(Columns):
    """The evidence of all series, and what is known of their open findings."""

    COLUMNS = ("evidence", "latest", "open", "open_trials", "open_flagged")

    def __init__(self) -> None:
        self.evidence: Floats = np.empty((0, len(MULTIPLIERS)))
        self.latest: Ints = np.empty(0, np.int64)  # one more than the latest tick with data
        self.open: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = np.empty(0, np.bool_)
        self.open_trials: Floats = np.empty(0)  # since the onset of the open finding
        self.open_flagged: Floats = np.empty(0)


class TickSums(NamedTuple):
    """Sums of ticks one after the other: the ticks, where the cells of each begin and the last ends, and the cells.

    The cells of a tick are in the order of their series.
    """

    ticks: Ints
    starts: Ints
    rows: Ints
    trials: Floats
    flagged: Floats
    limits: Floats


class TickFindings(NamedTuple):
    """What ticks brought to light, and for each cell its expected rate, and whether it is settled or open by then."""

    alarms: list[Alarm]
    recoveries: list[Recovery]
    expected: Floats
    settled: Bools
    opened: Bools

    @staticmethod
    def none(cells: int) -> "TickFindings":
        """Return what so many cells have room for, and nothing found."""
        return TickFindings([], [], np.empty(cells), np.empty(cells, np.bool_), np.empty(cells, np.bool_))


def arrays_of(tick: int, series: Ints, trials: Floats, flagged: Floats, promise: float | Floats) -> TickSums | None:
    """Return the sums of a tick where they are arrays as they stand, or None where they have to be looked at first."""
    rows, n, k, limit = (np.asarray(each) for each in (series, trials, flagged, promise))
    if [each.dtype.char for each in (rows, n, k, limit)] != ["l", "d", "d", "d"]:
        return None
    if limit.shape != rows.shape:
        limit = np.full(rows.shape, promise)
    if rows.ndim != 1 or not n.shape == k.shape == rows.shape:
        return None
    return TickSums(np.array([tick], np.int64), np.array([0, len(rows)]), rows, n, k, limit)


def counts_of(
    trials: float, flagged: float, interval: tuple[float, float], baseline: float, direction: Direction
) -> dict[str, Any]:
    """Return the counts of a rate, and what they come to, as an alarm and a recovery name them."""
    return {
        "rate": flagged / trials,
        "lower": interval[0],
        "upper": interval[1],
        "baseline": baseline,
        "trials": int(trials),
        "flagged": int(flagged),
        "direction": direction,
    }


def limits_of(promise: float | Floats, series: Ints, trials: Floats) -> Floats:
    """Return the threshold of each series that `checked_sums` keeps, in its order."""
    limits = np.broadcast_to(np.asarray(promise, np.float64), np.shape(series))
    if not (limits >= 1).all():
        raise ValueError(f"a promise of {promise} ticks must be at least 1")
    order = np.argsort(series, kind="stable")
    kept: Floats = limits[order][np.asarray(trials)[order] > 0]
    return kept
