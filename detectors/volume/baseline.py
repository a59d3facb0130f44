"""How many events a minute are normal for each source at each hour of the week, and how unevenly they come.

Events per minute of an hour of the week are shrunk by pseudo events to those of the hour of the day, and these to
the level. So one day teaches the daily cycle, one week the weekly one, and a source of few events stays near its
level.

The *inflation* is the variance of 5-minute counts over their mean: 1 for independent events, the size of a burst
for bursts (more exactly E[B^2] / E[B] for bursts of B events). The variance is that about a running mean of the
last half hour, so a wrong profile or a slow swing does not count as unevenness. The pseudo events are multiplied by
it, because so many more events are needed to know as much.

An hour is learned when it is over, so it is judged by others alone. One with a finding or with much evidence of one
is left out whole, unless it was so in the same hour a week ago: what comes back each week is a habit.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Floats, Ints, State

HOURS: Final = 168
DAILY_EVENTS: Final = 2.0
"""Few, because an hour of the day is often far from the level."""

WEEKLY_EVENTS: Final = 20.0
"""More, because an hour is much like the same hour of other days."""

HALF_LIFE_WEEKS: Final = 2
WINDOW_MINUTES: Final = 5
LOCAL_WINDOWS: Final = 6
PRIOR_WINDOW_EVENTS: Final = 10.0
"""Events that speak for an inflation of 1 before anything is measured."""


class Normal(NamedTuple):
    """What is normal in a minute, by series.

    `least`, `expected` and `most` are counts a minute: the middle one joined linearly between the centres of the
    hours, the others the extremes of the hour before, this one and the next, so that neither a step inside an hour
    nor a ramp over several is a finding. `days` have been learned of this hour of the day.
    """

    least: Floats
    expected: Floats
    most: Floats
    inflation: Floats
    days: Floats

    def of(self, rows: Ints) -> "Normal":
        """Return the same for some series."""
        return Normal(*(values[rows] for values in self))


class VolumeBaseline:
    """Normal counts of growable series.

    Parameters
    ----------
    minute_seconds
        Length of a minute of event time; minutes are counted from the Unix epoch.
    """

    def __init__(self, minute_seconds: int) -> None:
        self._minutes_an_hour: Final = 3600 / minute_seconds
        self._hour = 0
        self._window_minutes = 0
        self._counts: Floats = np.empty(0)
        self._minutes: Floats = np.empty(0)
        self._hour_counts = np.empty((0, HOURS), np.float32)
        self._hour_minutes = np.empty((0, HOURS), np.float32)
        self._pending: Floats = np.empty((0, 4))  # counts, minutes, squared errors and means of windows
        self._tainted = np.empty(0, np.bool_)
        self._disputed = np.empty((0, HOURS), np.bool_)
        self._window: Floats = np.empty(0)
        self._windows: Floats = np.empty(0)
        self._local: Floats = np.empty(0)
        self._squares: Floats = np.empty(0)
        self._expected: Floats = np.empty(0)

    def grow(self, count: int) -> None:
        """Add series of which nothing is known."""
        for name in _STATE:
            array = getattr(self, f"_{name}")
            setattr(self, f"_{name}", np.concatenate([array, np.zeros((count, *array.shape[1:]), array.dtype)]))

    def inflation(self) -> Floats:
        """Return the variance of each series' 5-minute counts over their mean, at least 1."""
        return np.maximum((self._squares + PRIOR_WINDOW_EVENTS) / (self._expected + PRIOR_WINDOW_EVENTS), 1)

    def normal(self, minute: int) -> Normal:
        """Return what is normal for each series in a minute."""
        hour = int(minute // self._minutes_an_hour)
        inflation = self.inflation()
        cells = np.stack([self._cell(at, inflation) for at in (hour - 1, hour, hour + 1)])
        place = (minute + 0.5) / self._minutes_an_hour - 0.5 - (hour - 1)  # among the centres of the three, 0.5 to 1.5
        left, weight = int(place), place % 1
        expected = (1 - weight) * cells[left] + weight * cells[left + 1]
        days = self._hour_minutes[:, hour % 24 :: 24].sum(axis=1, dtype=np.float64) / self._minutes_an_hour
        return Normal(cells.min(axis=0), expected, cells.max(axis=0), inflation, days)

    def _cell(self, hour: int, inflation: Floats) -> Floats:
        counts, minutes = self._hour_counts, self._hour_minutes
        level = self._counts / np.maximum(self._minutes, 1)
        same = slice(hour % 24, HOURS, 24)
        daily = _shrunk(counts[:, same].sum(axis=1), minutes[:, same].sum(axis=1), level, DAILY_EVENTS * inflation)
        return _shrunk(counts[:, hour % HOURS], minutes[:, hour % HOURS], daily, WEEKLY_EVENTS * inflation)

    def turn(self, minute: int, quiet: npt.NDArray[np.bool_]) -> None:
        """When an hour is over, learn it in the series that were quiet; in others, if it was so a week ago too."""
        hour = int(minute // self._minutes_an_hour)
        if hour == self._hour:
            return
        quiet = quiet & ~self._tainted
        cell = self._hour % HOURS
        disputed = ~quiet & (self._pending[:, 1] > 0)
        self._learn_hour(np.flatnonzero(quiet | (disputed & self._disputed[:, cell])), cell)
        self._learn_level(np.flatnonzero(quiet))
        self._disputed[:, cell] = disputed & ~self._disputed[:, cell]
        self._pending[:] = 0
        self._tainted[:] = False
        self._hour = hour

    def _learn_hour(self, rows: Ints, cell: int) -> None:
        counts, minutes = self._pending[rows, :2].T
        decay = 0.5 ** (minutes / (HALF_LIFE_WEEKS * self._minutes_an_hour))
        self._hour_counts[rows, cell] = self._hour_counts[rows, cell] * decay + counts
        self._hour_minutes[rows, cell] = self._hour_minutes[rows, cell] * decay + minutes

    def _learn_level(self, rows: Ints) -> None:
        counts, minutes, squares, expected = self._pending[rows].T
        decay = 0.5 ** (minutes / (HALF_LIFE_WEEKS * HOURS * self._minutes_an_hour))
        self._counts[rows] = self._counts[rows] * decay + counts
        self._minutes[rows] = self._minutes[rows] * decay + minutes
        self._squares[rows] = self._squares[rows] * decay + squares
        self._expected[rows] = self._expected[rows] * decay + expected

    def note(self, counts: Floats, seen: npt.NDArray[np.bool_], opened: npt.NDArray[np.bool_]) -> None:
        """Keep the counts of a minute until the hour is over; it is not quiet if a finding was open in it."""
        self._tainted |= opened
        self._pending[:, 0] += counts * seen
        self._pending[:, 1] += seen
        self._window += counts
        self._window_minutes += 1
        if self._window_minutes == WINDOW_MINUTES:
            self._note_window(seen & ~opened)

    def _note_window(self, watched: npt.NDArray[np.bool_]) -> None:
        step = np.maximum(1 / LOCAL_WINDOWS, 1 / (self._windows + 1))
        error = self._window - self._local
        known = watched & (self._windows > 0)
        # The running mean varies too, by step / (2 - step) of the variance; that is not unevenness.
        self._pending[:, 2] += known * error**2 / (1 + step / (2 - step))
        self._pending[:, 3] += known * self._local
        self._local += watched * step * error
        self._windows += watched
        self._window[:] = 0
        self._window_minutes = 0

    def reset(self, row: int) -> None:
        """Forget everything about a series."""
        for name in _STATE:
            getattr(self, f"_{name}")[row] = 0

    def state(self) -> State:
        """Return the state as flat arrays."""
        arrays = {name: getattr(self, f"_{name}").copy() for name in _STATE}
        return {"clock": np.array([self._hour, self._window_minutes]), **arrays}

    def restore(self, state: State) -> None:
        """Take over what `state` returned."""
        self._hour, self._window_minutes = (int(number) for number in state["clock"])
        for name in _STATE:
            setattr(self, f"_{name}", state[name].copy())


_STATE: Final = (
    "counts", "minutes", "hour_counts", "hour_minutes", "pending", "tainted", "disputed",
    "window", "windows", "local", "squares", "expected",
)  # fmt: skip


def _shrunk(
    counts: npt.NDArray[np.floating], minutes: npt.NDArray[np.floating], towards: Floats, pseudo: Floats
) -> Floats:
    """Return counts per minute after adding pseudo events at another rate; 0 where that rate is 0."""
    with np.errstate(divide="ignore"):
        shrunk: Floats = (counts + pseudo) / (minutes + pseudo / towards)
    return shrunk
