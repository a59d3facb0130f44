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

Many sources rest at weekends, and one that is not a week old has not shown its own. So an hour of a weekend
anywhere on earth that was never learned of the source may have as little as `REST` of what would be normal: one
that sends nothing is still found silent in it, and one that sends less is not.
"""

from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Floats, Ints
from detectors.columns import Columns

HOURS: Final = 168
DAILY_EVENTS: Final = 2.0
"""Few, because an hour of the day is often far from the level."""

WEEKLY_EVENTS: Final = 20.0
"""More, because an hour is much like the same hour of other days."""

WEEKEND: Final = (34, 108)
"""Hours since Thursday, when the epoch began: from Friday 10:00 to Monday 12:00 UTC."""

REST: Final = 0.25

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


class VolumeBaseline(Columns):
    """Normal counts of growable series.

    Parameters
    ----------
    minute_seconds
        Length of a minute of event time; minutes are counted from the Unix epoch.
    """

    COLUMNS: ClassVar = (
        "counts", "minutes", "hour_counts", "hour_minutes", "pending", "tainted", "disputed",
        "window", "windows", "local", "squares", "expected",
    )  # fmt: skip

    def __init__(self, minute_seconds: int) -> None:
        self.minutes_an_hour: Final = 3600 / minute_seconds
        self.hour = 0
        self.window_minutes = 0
        self.counts: Floats = np.empty(0)
        self.minutes: Floats = np.empty(0)
        self.hour_counts = np.empty((0, HOURS), np.float32)
        self.hour_minutes = np.empty((0, HOURS), np.float32)
        self.pending: Floats = np.empty((0, 4))  # counts, minutes, squared errors and means of windows
        self.tainted = np.empty(0, np.bool_)
        self.disputed = np.empty((0, HOURS), np.bool_)
        self.window: Floats = np.empty(0)
        self.windows: Floats = np.empty(0)
        self.local: Floats = np.empty(0)
        self.squares: Floats = np.empty(0)
        self.expected: Floats = np.empty(0)

    def inflation(self) -> Floats:
        """Return the variance of each series' 5-minute counts over their mean, at least 1."""
        return np.maximum((self.squares + PRIOR_WINDOW_EVENTS) / (self.expected + PRIOR_WINDOW_EVENTS), 1)

    def normal(self, minute: int) -> Normal:
        """Return what is normal for each series in a minute."""
        hour = int(minute // self.minutes_an_hour)
        inflation = self.inflation()
        cells = np.stack([self._cell(at, inflation) for at in (hour - 1, hour, hour + 1)])
        place = (minute + 0.5) / self.minutes_an_hour - 0.5 - (hour - 1)  # among the centres of the three, 0.5 to 1.5
        left, weight = int(place), place % 1
        expected = (1 - weight) * cells[left] + weight * cells[left + 1]
        days = self.hour_minutes[:, hour % 24 :: 24].sum(axis=1, dtype=np.float64) / self.minutes_an_hour
        return Normal(cells.min(axis=0) * self._rest(hour % HOURS), expected, cells.max(axis=0), inflation, days)

    def _rest(self, hour: int) -> Floats:
        """Return what part of the normal count an hour of the week may have that was never learned."""
        weekend = WEEKEND[0] <= hour < WEEKEND[1]
        return np.where(weekend & (self.hour_minutes[:, hour] == 0), REST, 1.0)

    def _cell(self, hour: int, inflation: Floats) -> Floats:
        counts, minutes = self.hour_counts, self.hour_minutes
        level = self.counts / np.maximum(self.minutes, 1)
        same = slice(hour % 24, HOURS, 24)
        daily = _shrunk(counts[:, same].sum(axis=1), minutes[:, same].sum(axis=1), level, DAILY_EVENTS * inflation)
        return _shrunk(counts[:, hour % HOURS], minutes[:, hour % HOURS], daily, WEEKLY_EVENTS * inflation)

    def turn(self, minute: int, quiet: npt.NDArray[np.bool_]) -> None:
        """When an hour is over, learn it in the series that were quiet; in others, if it was so a week ago too."""
        if not self.is_over(minute):
            return
        quiet = quiet & ~self.tainted
        cell = self.hour % HOURS
        disputed = ~quiet & (self.pending[:, 1] > 0)
        self._learn_hour(np.flatnonzero(quiet | (disputed & self.disputed[:, cell])), cell)
        self._learn_level(np.flatnonzero(quiet))
        self.disputed[:, cell] = disputed & ~self.disputed[:, cell]
        self.pending[:] = 0
        self.tainted[:] = False
        self.hour = int(minute // self.minutes_an_hour)

    def is_over(self, minute: int) -> bool:
        """Tell whether a minute belongs to another hour than the one that is being counted."""
        return int(minute // self.minutes_an_hour) != self.hour

    def _learn_hour(self, rows: Ints, cell: int) -> None:
        counts, minutes = self.pending[rows, :2].T
        decay = 0.5 ** (minutes / (HALF_LIFE_WEEKS * self.minutes_an_hour))
        self.hour_counts[rows, cell] = self.hour_counts[rows, cell] * decay + counts
        self.hour_minutes[rows, cell] = self.hour_minutes[rows, cell] * decay + minutes

    def _learn_level(self, rows: Ints) -> None:
        counts, minutes, squares, expected = self.pending[rows].T
        decay = 0.5 ** (minutes / (HALF_LIFE_WEEKS * HOURS * self.minutes_an_hour))
        self.counts[rows] = self.counts[rows] * decay + counts
        self.minutes[rows] = self.minutes[rows] * decay + minutes
        self.squares[rows] = self.squares[rows] * decay + squares
        self.expected[rows] = self.expected[rows] * decay + expected

    def note(self, counts: Floats, seen: npt.NDArray[np.bool_], opened: npt.NDArray[np.bool_]) -> None:
        """Keep the counts of a minute until the hour is over; it is not quiet if a finding was open in it."""
        self.tainted |= opened
        self.pending[:, 0] += counts * seen
        self.pending[:, 1] += seen
        self.window += counts
        self.pass_minute(seen, opened)

    def pass_minute(self, seen: npt.NDArray[np.bool_], opened: npt.NDArray[np.bool_]) -> None:
        """Let the window of counts go on."""
        self.window_minutes += 1
        if self.window_minutes == WINDOW_MINUTES:
            self._note_window(seen & ~opened)

    def _note_window(self, watched: npt.NDArray[np.bool_]) -> None:
        step = np.maximum(1 / LOCAL_WINDOWS, 1 / (self.windows + 1))
        error = self.window - self.local
        known = watched & (self.windows > 0)
        # The running mean varies too, by step / (2 - step) of the variance; that is not unevenness.
        self.pending[:, 2] += known * error**2 / (1 + step / (2 - step))
        self.pending[:, 3] += known * self.local
        self.local += watched * step * error
        self.windows += watched
        self.window[:] = 0
        self.window_minutes = 0


def _shrunk(
    counts: npt.NDArray[np.floating], minutes: npt.NDArray[np.floating], towards: Floats, pseudo: Floats
) -> Floats:
    """Return counts per minute after adding pseudo events at another rate; 0 where that rate is 0."""
    with np.errstate(divide="ignore"):
        shrunk: Floats = (counts + pseudo) / (minutes + pseudo / towards)
    return shrunk
