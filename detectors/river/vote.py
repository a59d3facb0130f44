"""River's drift detectors as a second opinion: each vote is a ticket, never a page.

Each series has a River object of its own. A *value* sums up `every` ticks; a detector of numbers is fed how far the
flagged count of these lies from the expected one, in standard deviations (so that the season is out of it), and a
binary detector the flags themselves: the flagged ones first, then the others, thinned to `MOST_FLAGS` with the
remainder carried over, so that even a rare rate keeps its mean.

River objects are never stored, because their pickles do not survive a release. What is kept is the values since
the beginning of an epoch, from which the object is built again. An epoch ends after `EPOCH` values and the next one
begins with the latest `KEPT` of them, for the running object as well: so memory and rebuilding are bounded, and a
restored detector is equal to one that was never interrupted.

River's detectors promise no run length, and some see only one direction: DDM, EDDM and HDDM a rise, FHDDM a fall.
"""

from typing import Any, ClassVar, Final, Literal, NamedTuple

import numpy as np
from river import base

from detectors.base import Bools, Floats, Ints, State, StateError, checked_sums, checked_tick
from detectors.columns import Columns, check_version
from detectors.compiled import kernels
from detectors.river.classes import drift_class, seeded

EVERY: Final = 30
"""Ticks that one value sums up: five minutes of ten-second ticks."""

EPOCH: Final = 512
KEPT: Final = 256
MOST_FLAGS: Final = 64
RECENT: Final = 12
"""Values, an hour's worth, whose mean against that of the older ones gives the direction."""

REST: Final = 96
"""Values, eight hours' worth, after a vote in which a series does not vote again."""

VERSION: Final = 2

_UNIT: Final = 1024.0
_NEVER: Final = -1


class Vote(NamedTuple):
    """A drift that a River detector sees: the series, its tick, the direction, and the value that tipped it.

    The value is in standard deviations, or for a binary detector the share of flagged ones.
    """

    series: int
    tick: int
    direction: Literal["up", "down"]
    value: float


class _Sums(Columns):
    """The value of each series that is not complete yet."""

    COLUMNS: ClassVar = ("sums", "since", "rest", "carried")

    def __init__(self) -> None:
        self.sums: Floats = np.empty((0, 3))  # trials, flagged, expected flagged
        self.since: Ints = np.empty(0, np.int64)
        self.rest: Ints = np.empty(0, np.int64)
        self.carried: Floats = np.empty(0)


class DriftVote:
    """The votes of all series of a partition.

    Parameters
    ----------
    dotted_name
        A drift detector class of River, as ``river.drift.ADWIN`` or ``river.drift.binary.DDM``.
    parameters
        Its keyword arguments; a class that draws random numbers gets a seed unless they name one.
    every
        Ticks of event time that one value sums up. It is complete with the first data at or after the last of them.

    Raises
    ------
    ValueError
        Where there is no such class (the message names those there are), or `every` is below 1.
    TypeError
        Where the class does not know a parameter.

    Notes
    -----
    A series that has been fed takes its River object (ADWIN 2.5 kB) and at most 512 values (16 kB as Python
    floats, 2 kB when stored); one that never was takes 48 bytes.
    """

    def __init__(
        self, dotted_name: str = "river.drift.ADWIN", parameters: dict[str, Any] | None = None, every: int = EVERY
    ) -> None:
        if every < 1:
            raise ValueError(f"a value must sum up at least 1 tick, not {every}")
        self.name: Final = dotted_name
        self._every: Final = every
        self._class: Final = drift_class(dotted_name)
        self._parameters: Final = seeded(self._class, parameters or {})
        self._binary: Final = issubclass(self._class, base.BinaryDriftDetector)
        self._made()  # a wrong parameter is refused now and not in the first vote
        self._tick = -1
        self._open = _Sums()
        self._detectors: dict[int, Any] = {}
        self._values: dict[int, list[float]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def grow(self, count: int) -> None:
        """Add series."""
        self._open.extend(count)
        self._open.since[len(self) - count :] = _NEVER

    def update(self, tick: int, series: Ints, trials: Floats, flagged: Floats, expected: Floats) -> list[Vote]:
        """Add the sums of a tick, and return the votes of the series whose value is complete.

        Parameters
        ----------
        tick
            Number of the tick; never lower than before.
        series, trials, flagged
            Which series have data, each once, in any order, and their sums.
        expected
            The expected rate of each of `series` at this tick, without slack (`Baseline.rates`); above 0, below 1.

        Raises
        ------
        ValueError
            Where time goes backwards or a number cannot be. Nothing is changed then.
        """
        tick = checked_tick(tick, self._tick)
        rows, n, k = checked_sums(series, trials, flagged, len(self))
        rate = _in_order(series, trials, expected)
        self._tick = tick
        if not len(rows):
            return []
        since = self._open.since
        since[rows] = np.where(since[rows] == _NEVER, tick, since[rows])
        self._open.sums[rows] += np.stack([n, k, n * rate], axis=1)
        due = rows[tick - since[rows] >= self._every - 1]
        return [vote for row in due.tolist() for vote in self._complete(row, tick)]

    def update_ticks(
        self, ticks: Ints, starts: Ints, series: Ints, trials: Floats, flagged: Floats, expected: Floats, chosen: Bools
    ) -> list[Vote]:
        """Add the chosen cells of ticks one after the other; the same as `update` for each.

        `starts` says where the cells of each tick begin and where those of the last end, in the order of their series.
        """
        kernel = kernels.kernel("votes")
        if kernel is None:
            votes = []
            for number, tick in enumerate(ticks.tolist()):
                some = starts[number] + np.flatnonzero(chosen[starts[number] : starts[number + 1]])
                votes += self.update(tick, series[some], trials[some], flagged[some], expected[some])
            return votes
        cells = kernel.Cells(ticks, starts, series, trials, flagged, expected, chosen)
        at, votes, end = 0, [], starts[-1]
        while (at := kernel.add(cells, self._open.sums, self._open.since, self._every, at)) < end:
            row, tick = int(series[at]), int(ticks[np.searchsorted(starts, at, side="right") - 1])
            votes += self._complete(row, tick)
            at += 1
        self._tick = max(self._tick, int(ticks[-1]))
        return votes

    def _complete(self, row: int, tick: int) -> list[Vote]:
        vote = self._feed(row, tick)
        self._open.sums[row] = 0
        self._open.since[row] = _NEVER
        return [] if vote is None else [vote]

    def _feed(self, row: int, tick: int) -> Vote | None:
        value, packed = self._value(row)
        values = self._values.setdefault(row, [])
        if row not in self._detectors:
            self._detectors[row] = self._made()
        values.append(packed)
        drifted = self._show(self._detectors[row], packed)
        if len(values) >= EPOCH:
            self._build(row, values[-KEPT:])
        if self._open.rest[row] > 0:
            self._open.rest[row] -= 1
            return None
        if not drifted:
            return None
        self._open.rest[row] = REST
        return Vote(row, tick, self._direction(row), value)

    def _value(self, row: int) -> tuple[float, float]:
        """Return a complete value as a person reads it, and as it is fed and kept: exact in 32 bits."""
        trials, flagged, expected = self._open.sums[row].tolist()
        if not self._binary:
            value = (flagged - expected) / (expected * (1 - expected / trials)) ** 0.5
            return value, float(np.float32(value))
        shown = min(trials, float(MOST_FLAGS))
        exact = flagged / trials * shown + float(self._open.carried[row])
        ones = min(max(float(np.floor(exact + 0.5)), 0.0), shown)
        self._open.carried[row] = exact - ones
        return flagged / trials, ones + shown / _UNIT

    def _show(self, detector: Any, packed: float) -> bool:
        """Feed one value; a binary one holds the flagged count and, as its fraction, how many in all."""
        if not self._binary:
            detector.update(packed)
            return bool(detector.drift_detected)
        ones = int(packed)
        drifted = False
        for index in range(round((packed - ones) * _UNIT)):
            detector.update(index < ones)
            drifted = drifted or bool(detector.drift_detected)
        return drifted

    def _direction(self, row: int) -> Literal["up", "down"]:
        values = np.array(self._values[row])
        if self._binary:
            ones = np.floor(values)
            values = ones / np.maximum((values - ones) * _UNIT, 1)
        recent = min(RECENT, max(len(values) // 2, 1))
        older = values[:-recent] if len(values) > recent else np.zeros(1)
        return "up" if values[-recent:].mean() >= older.mean() else "down"

    def _made(self) -> Any:
        return self._class(**self._parameters)

    def _build(self, row: int, values: list[float]) -> None:
        self._values[row] = values
        self._detectors[row] = detector = self._made()
        for value in values:
            self._show(detector, value)

    def state(self) -> State:
        """Return the values of the epoch of each series, and the sums of the value that is not complete."""
        values = [self._values.get(row, []) for row in range(len(self))]
        return {
            "version": np.array([VERSION]),
            "tick": np.array([self._tick]),
            "form": np.array([self._every, self._binary], np.int64),
            **self._open.columns(),
            "lengths": np.array([len(each) for each in values], np.int64),
            "values": np.array([value for each in values for value in each], np.float32),
        }

    def restore(self, state: State) -> None:
        """Take over what `state` returned.

        Another class or other parameters are shown the stored values and go on from there; only where values mean
        something else (binary or not, another `every`) do all series begin anew.

        Raises
        ------
        StateError
            Where the state is of another version or not whole. Nothing is changed then.
        """
        check_version(state, VERSION, "drift vote")
        open_sums = _Sums()
        open_sums.restore(state)
        if not {"tick", "form", "lengths", "values"} <= state.keys() or len(state["lengths"]) != len(open_sums):
            raise StateError("the stored state of the drift vote is not whole; start without it")
        self._tick = int(state["tick"][0])
        self._detectors, self._values = {}, {}
        if state["form"].tolist() != [self._every, self._binary]:
            self._open = _Sums()
            self.grow(len(open_sums))
            return
        self._open = open_sums
        ends = np.cumsum(state["lengths"])
        for row, (end, length) in enumerate(zip(ends.tolist(), state["lengths"].tolist(), strict=True)):
            if length:
                self._build(row, state["values"][end - length : end].astype(np.float64).tolist())


def _in_order(series: Ints, trials: Floats, expected: Floats) -> Floats:
    """Return the expected rates in the order of `checked_sums`."""
    rate = np.asarray(expected, np.float64)
    if rate.shape != np.shape(series) or not ((rate > 0) & (rate < 1)).all():
        raise ValueError("expected must hold a rate above 0 and below 1 for each of the series")
    order = np.argsort(series, kind="stable")
    ordered: Floats = rate[order][np.asarray(trials)[order] > 0]
    return ordered
