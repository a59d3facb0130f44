"""Which series a detector follows: their names, how active they are, and the threshold that the budget gives them."""

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, Final

import numpy as np

from detectors.base import Floats, Ints
from detectors.budget import threshold
from detectors.compiled import kernels
from streams.kafka.checkpoints import Arrays, decoded, encoded

Name = tuple[str, ...]

RECENT_DAYS: Final = 1.0
_LOG_2: Final = float(np.log(2))


def ticks_per_day(tick_seconds: int) -> float:
    """Return how many ticks a day has."""
    return 86_400 / tick_seconds


class Room:
    """Places for series that several books share."""

    def __init__(self, most: int) -> None:
        self.most: Final = most
        self.taken = 0

    def is_enough(self, places: int) -> bool:
        """Tell whether it does not matter who comes first: there are so many places, or none at all."""
        return self.taken + places <= self.most or self.taken >= self.most


class SeriesBook:
    """The series of one detector, in the order they were met.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    most
        Series it takes in, or the room that it shares with others; `overflow` counts the times another one was
        asked for. The one that stands for all others always finds a place.
    """

    def __init__(self, tick_seconds: int, most: int | Room) -> None:
        self._day: Final = ticks_per_day(tick_seconds)
        self._room: Final = most if isinstance(most, Room) else Room(most)
        self.names: list[Name] = []
        self._rows: dict[Name, int] = {}
        self.first_tick: Ints = np.empty(0, np.int64)
        self.last_tick: Ints = np.empty(0, np.int64)
        self._active: Floats = np.empty(0)  # recent ticks with data, fading over a day
        self.overflow = 0

    def __len__(self) -> int:
        return len(self.names)

    def find(self, name: Name) -> int:
        """Return the row of a series, or -1."""
        return self._rows.get(name, -1)

    def row(self, name: Name, instead: Name) -> int:
        """Return the row of a series, a new one where there is room, else that of `instead`."""
        row = self._rows.get(name)
        if row is not None:
            return row
        if self._room.taken >= self._room.most and name != instead:
            self.overflow += 1
            return self.row(instead, instead)
        self._room.taken += 1
        self._rows[name] = row = len(self.names)
        self.names.append(name)
        self.first_tick = np.append(self.first_tick, -1)
        self.last_tick = np.append(self.last_tick, 0)
        self._active = np.append(self._active, 0.0)
        return row

    def note(self, rows: Ints, tick: int) -> None:
        """Note which series have data in a tick."""
        kernel = kernels.kernel("activity")
        if kernel is not None:
            kernel.note(kernel.LOOPS, self._columns(kernel), rows, tick, self._day)
            return
        fade = 0.5 ** ((tick - self.last_tick[rows]) / self._day)
        self._active[rows] = self._active[rows] * fade + 1
        self.last_tick[rows] = tick
        self.first_tick[rows] = np.where(self.first_tick[rows] < 0, tick, self.first_tick[rows])

    def promise(self, tick: int, alarms_per_day: float) -> float:
        """Return the threshold: mean active ticks of a series until a false alarm, for a budget a day to hold."""
        return threshold(*self.activity(tick), alarms_per_day)

    def activity(self, tick: int) -> tuple[float, float]:
        """Return how many series are alive, and how many ticks with data one of them has a day on average."""
        kernel = kernels.kernel("activity")
        if kernel is not None:
            count, each = kernel.activity(kernel.LOOPS, self._columns(kernel), tick, self._day, RECENT_DAYS, _LOG_2)
            return float(count or 1), each
        alive = np.flatnonzero(self.last_tick > tick - self._day * RECENT_DAYS)
        if not len(alive):
            return 1.0, self._day
        # until a series has been seen for a day, its activity is taken to go on as it began
        age = np.clip(tick - self.first_tick[alive] + 1, self._day / 24, self._day)
        faded = self._active[alive] * 0.5 ** ((tick - self.last_tick[alive]) / self._day)
        per_day = np.minimum(faded / (1 - 0.5 ** (age / self._day)) * _LOG_2, self._day)
        return float(len(alive)), float(per_day.mean())

    def activities(self, ticks: Ints, starts: Ints, rows: Ints) -> Floats:
        """Note ticks one after the other, and return what `activity` gives after each, shape (2, ticks).

        `starts` says where the rows of each tick begin, and where the last one's end.
        """
        found = np.empty((2, len(ticks)))
        kernel = kernels.kernel("activity")
        if kernel is not None:
            span = (self._day, RECENT_DAYS, _LOG_2)
            kernel.activities(kernel.LOOPS, self._columns(kernel), ticks, starts, rows, span, found)
            found[0] = np.maximum(found[0], 1.0)
            return found
        for number, tick in enumerate(ticks.tolist()):
            self.note(rows[starts[number] : starts[number + 1]], tick)
            found[:, number] = self.activity(tick)
        return found

    def seen(self) -> tuple[Ints, Ints, Floats]:
        """Return when each series was seen and how active it is, to be set back to."""
        return self.first_tick.copy(), self.last_tick.copy(), self._active.copy()

    def set_back(self, seen: tuple[Ints, Ints, Floats]) -> None:
        """Set when each series was seen to what `seen` returned."""
        self.first_tick, self.last_tick, self._active = seen

    def _columns(self, kernel: ModuleType) -> Any:
        return kernel.Active(self.first_tick, self.last_tick, self._active)

    def seen_since(self, tick: int, rows: Iterable[int]) -> Iterator[Name]:
        """Yield the names of those series that had data since a tick."""
        return (self.names[row] for row in rows if self.last_tick[row] >= tick and self.first_tick[row] >= 0)

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            "names": encoded(self.names),
            "first_tick": self.first_tick.copy(),
            "last_tick": self.last_tick.copy(),
            "active": self._active.copy(),
            "overflow": np.array([self.overflow]),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._room.taken -= len(self.names)
        self.names = decoded(state["names"], list[Name])
        self._room.taken += len(self.names)
        self._rows = {name: row for row, name in enumerate(self.names)}
        self.first_tick = state["first_tick"].astype(np.int64)
        self.last_tick = state["last_tick"].astype(np.int64)
        self._active = state["active"].astype(np.float64)
        self.overflow = int(state["overflow"][0])
