"""River's drift detectors as a second opinion: each vote is a ticket, never a page.

Each series has a River object of its own, fed with one value per `EVERY` ticks: how far the flagged count lies
from the expected one, in standard deviations, or for a binary detector the flags themselves. River objects are
never stored, because their pickles do not survive a release. What is kept is the values since the beginning of
an epoch, from which the object is built again; epochs begin anew with the latest half, so that both the memory
and the rebuilding are bounded, and a restored detector is equal to one that was never interrupted.
"""

import importlib
import inspect
from typing import Any, Final, NamedTuple

import numpy as np
from river import base, drift

from detectors.base import Floats, Ints, State, StateError

EVERY: Final = 30
"""Ticks that one value sums up: five minutes of ten-second ticks."""

EPOCH: Final = 512
KEPT: Final = 256
MOST_FLAGS: Final = 64
"""Flags that a binary detector is shown of one value; more are thinned, their share kept."""

REST: Final = 96
"""Values after a vote in which a series does not vote again."""

VERSION: Final = 1


class Vote(NamedTuple):
    """A drift that a River detector sees: the series, its tick, the direction, and the last value."""

    series: int
    tick: int
    direction: str
    value: float


def drift_class(dotted_name: str) -> type[Any]:
    """Return a drift detector class of River by its dotted name.

    Raises
    ------
    ValueError
        Where there is no such class, with the names that there are.

    >>> drift_class("river.drift.ADWIN").__name__
    'ADWIN'
    """
    module_name, _, name = dotted_name.rpartition(".")
    found = None
    if module_name in ("river.drift", "river.drift.binary"):
        found = getattr(importlib.import_module(module_name), name, None)
    kinds = (base.DriftDetector, base.BinaryDriftDetector)
    if not (isinstance(found, type) and issubclass(found, kinds)):
        raise ValueError(f"{dotted_name!r} is no drift detector of River; take one of {', '.join(_names())}")  # noqa: TRY004
    return found


def _names() -> list[str]:
    return [
        f"{module.__name__}.{name}"
        for module in (drift, drift.binary)
        for name, found in sorted(vars(module).items())
        if isinstance(found, type) and issubclass(found, base.DriftDetector | base.BinaryDriftDetector)
    ]


def _seeded(found: type[Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Give a class that draws random numbers a seed, because the same history must give the same votes."""
    takes_seed = "seed" in inspect.signature(found).parameters
    return {"seed": 1, **parameters} if takes_seed else parameters


class DriftVote:
    """The votes of all series of a partition.

    Parameters
    ----------
    dotted_name, parameters
        The River class and its keyword arguments.
    """

    def __init__(self, dotted_name: str = "river.drift.ADWIN", parameters: dict[str, Any] | None = None) -> None:
        self.name: Final = dotted_name
        self._class: Final = drift_class(dotted_name)
        self._parameters: Final = _seeded(self._class, parameters or {})
        self._binary: Final = issubclass(self._class, base.BinaryDriftDetector)
        self._class(**self._parameters)  # a wrong parameter is refused now and not in the first vote
        self._detectors: list[Any] = []
        self._sums: Floats = np.empty((0, 3))  # trials, flagged, expected flagged
        self._since: Ints = np.empty(0, np.int64)
        self._rest: Ints = np.empty(0, np.int64)
        self._values: list[list[float]] = []

    def __len__(self) -> int:
        return len(self._detectors)

    def grow(self, count: int) -> None:
        """Add series."""
        self._detectors += [self._class(**self._parameters) for _ in range(count)]
        self._values += [[] for _ in range(count)]
        self._sums = np.concatenate([self._sums, np.zeros((count, 3))])
        self._since = np.concatenate([self._since, np.full(count, -1, np.int64)])
        self._rest = np.concatenate([self._rest, np.zeros(count, np.int64)])

    def update(self, tick: int, series: Ints, trials: Floats, flagged: Floats, expected: Floats) -> list[Vote]:
        """Add the sums of a tick, and return the votes of the series whose value is complete.

        Parameters
        ----------
        expected
            The expected rate of each of `series` at this tick, without slack.
        """
        self._since[series] = np.where(self._since[series] < 0, tick, self._since[series])
        self._sums[series] += np.stack([trials, flagged, trials * expected], axis=1)
        due = np.sort(series[tick - self._since[series] >= EVERY - 1])
        votes = [vote for row in due.tolist() if (vote := self._feed(row, tick)) is not None]
        self._sums[due] = 0
        self._since[due] = -1
        return votes

    def _feed(self, row: int, tick: int) -> Vote | None:
        trials, flagged, expected = self._sums[row].tolist()
        if self._binary:
            value = float(flagged / trials)
        else:
            value = float((flagged - expected) / max(expected * (1 - expected / trials), 1e-9) ** 0.5)
        weight = min(int(trials), MOST_FLAGS) if self._binary else 1
        packed = float(np.float32(value)) if not self._binary else round(value * weight) + weight / 1024
        self._values[row].append(packed)
        drifted = self._show(self._detectors[row], packed)
        if len(self._values[row]) >= EPOCH:
            self._rebuild(row, self._values[row][-KEPT:])
        if self._rest[row] > 0:
            self._rest[row] -= 1
            return None
        if not drifted:
            return None
        self._rest[row] = REST
        return Vote(row, tick, self._direction(row), value)

    def _show(self, detector: Any, packed: float) -> bool:
        """Feed one value; a binary one holds the flagged count and, as its fraction, how many in all."""
        if not self._binary:
            detector.update(packed)
            return bool(detector.drift_detected)
        flagged = int(packed)
        drifted = False
        for index in range(round((packed - flagged) * 1024)):
            detector.update(index < flagged)
            drifted = drifted or bool(detector.drift_detected)
        return drifted

    def _direction(self, row: int) -> str:
        values = np.floor(self._values[row]) if self._binary else np.array(self._values[row])
        recent = values[-min(12, len(values)) :]
        return "up" if recent.mean() >= values.mean() else "down"

    def _rebuild(self, row: int, values: list[float]) -> None:
        self._values[row] = list(values)
        self._detectors[row] = self._class(**self._parameters)
        for value in values:
            self._show(self._detectors[row], value)

    def state(self) -> State:
        """Return the values of the epoch of each series, and the sums of the value that is not complete."""
        return {
            "version": np.array([VERSION]),
            "sums": self._sums.copy(),
            "since": self._since.copy(),
            "rest": self._rest.copy(),
            "lengths": np.array([len(values) for values in self._values], np.int64),
            "values": np.array([value for values in self._values for value in values], np.float32),
        }

    def restore(self, state: State) -> None:
        """Take over what `state` returned, of a detector of the same class.

        Raises
        ------
        StateError
            Where the state is of another version.
        """
        if int(state["version"][0]) != VERSION:
            raise StateError(f"drift vote state has version {state['version'][0]}, this is {VERSION}")
        count = len(state["lengths"])
        self._detectors, self._values = [], []
        self._sums, self._since, self._rest = np.empty((0, 3)), np.empty(0, np.int64), np.empty(0, np.int64)
        self.grow(count)
        ends = np.cumsum(state["lengths"])
        for row, values in enumerate(np.split(state["values"].astype(np.float64), ends[:-1]) if count else []):
            self._rebuild(row, values.tolist())
        self._sums = state["sums"].astype(np.float64)
        self._since = state["since"].astype(np.int64)
        self._rest = state["rest"].astype(np.int64)
