"""The compiled form of `detectors.volume.detector`: a minute of all sources, one after the other.

It says the same as `VolumeBaseline.normal` and `VolumeWatch`, in their order of arithmetic. What is rare is left to
the plain form: a source with an open finding, an alarm.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Bools, Floats, Ints
from detectors.compiled.loops import EXP, compiled, loop, loops
from detectors.volume.baseline import DAILY_EVENTS, HOURS, PRIOR_WINDOW_EVENTS, REST, WEEKEND, WEEKLY_EVENTS
from detectors.volume.detector import (
    DOUBT_DAYS,
    FALL_SLACK,
    FALLS,
    LEAST_CEILING,
    RISE_SLACK,
    RISES,
)

LOOPS = loops()
_LOG_FALLS, _REST, _ROOTS = np.log(FALLS), 1 - FALLS, np.sqrt(RISES)
_GAINS = 2 * (1 - 1 / _ROOTS)
_FALLS, _WIDE, _DAY, _MOST = len(FALLS), len(FALLS) + len(RISES), 24, 1e300

Singles = npt.NDArray[np.float32]


class Learned(NamedTuple):
    """Columns of `VolumeBaseline`."""

    counts: Floats
    minutes: Floats
    hour_counts: Singles
    hour_minutes: Singles
    pending: Floats
    tainted: Bools
    window: Floats
    squares: Floats
    expected: Floats


class Sources(NamedTuple):
    """Columns of the evidence of each source."""

    seen: Ints
    sr: Floats
    log_cusum: Floats
    since_minute: Ints
    since_sums: Floats
    open: Ints


class Minute(NamedTuple):
    """A minute, how many of them an hour has, those of the warm-up, and the threshold."""

    number: int
    an_hour: float
    warm_up: int
    promise: float


@compiled
def judge(table: Ints, learned: Learned, sources: Sources, counts: Floats, normal: Floats, left: Bools,
          minute: Minute) -> None:  # fmt: skip
    """Note the counts of a minute and judge them; tell which sources are left to the plain form.

    Of those nothing is judged, and their columns of `normal` are filled in.
    """
    work = np.empty((2, _WIDE))
    for row in range(len(counts)):
        if sources.seen[row] > 0 or counts[row] > 0:
            sources.seen[row] += 1
        opened, seen = sources.open[row] != 0, sources.seen[row] > 0
        learned.tainted[row] |= opened
        learned.pending[row, 0] += counts[row] * seen
        learned.pending[row, 1] += seen
        learned.window[row] += counts[row]
        left[row] = opened
        if opened or sources.seen[row] > minute.warm_up:
            _fill_in(learned, row, minute, normal)
            if normal[4, row] > 0 and not opened:
                left[row] = not _is_calm(table, sources, row, counts[row], normal[:, row], minute, work)


@compiled
def _fill_in(learned: Learned, row: int, minute: Minute, normal: Floats) -> None:
    """Fill in least, expected, most, inflation and days of a source."""
    hour = int(minute.number // minute.an_hour)
    inflation = max((learned.squares[row] + PRIOR_WINDOW_EVENTS) / (learned.expected[row] + PRIOR_WINDOW_EVENTS), 1.0)
    before, now = _cell(learned, row, hour - 1, inflation), _cell(learned, row, hour, inflation)
    after = _cell(learned, row, hour + 1, inflation)
    place = (minute.number + 0.5) / minute.an_hour - 0.5 - (hour - 1)
    weight = place % 1
    first, second = (before, now) if int(place) == 0 else (now, after)
    at = hour % HOURS
    rest = REST if WEEKEND[0] <= at < WEEKEND[1] and learned.hour_minutes[row, at] == 0 else 1.0
    normal[0, row], normal[2, row] = min(before, now, after) * rest, max(before, now, after)
    normal[1, row], normal[3, row] = (1 - weight) * first + weight * second, inflation
    days = 0.0
    for at in range(hour % _DAY, HOURS, _DAY):
        days += learned.hour_minutes[row, at]
    normal[4, row] = days / minute.an_hour


@compiled
def _cell(learned: Learned, row: int, hour: int, inflation: float) -> float:
    level = learned.counts[row] / max(learned.minutes[row], 1.0)
    counts, minutes = np.float32(0), np.float32(0)
    for at in range(hour % _DAY, HOURS, _DAY):
        counts += learned.hour_counts[row, at]
        minutes += learned.hour_minutes[row, at]
    pseudo, own = DAILY_EVENTS * inflation, WEEKLY_EVENTS * inflation
    daily = (counts + pseudo) / (minutes + pseudo / level)
    at = hour % HOURS
    return (learned.hour_counts[row, at] + own) / (learned.hour_minutes[row, at] + own / daily)


@compiled
def _is_calm(table: Ints, sources: Sources, row: int, k: float, normal: Floats, minute: Minute,
             work: Floats) -> bool:  # fmt: skip
    least, expected, most, inflation, days = normal[0], normal[1], normal[2], normal[3], normal[4]
    trust = days / (days + DOUBT_DAYS)
    floor, ceiling = FALL_SLACK * least * trust, max(RISE_SLACK * most / trust, LEAST_CEILING)
    for j in range(_FALLS):
        work[0, j] = (k * _LOG_FALLS[j] + _REST[j] * floor) / inflation
    for j in range(_WIDE - _FALLS):
        work[0, _FALLS + j] = _GAINS[j] * (k - ceiling * _ROOTS[j]) / inflation
    loop(table, EXP, work[0], work[0], work[1])
    total = 0.0
    for j in range(_WIDE):
        work[1, j] = min((1 + sources.sr[row, j]) * work[1, j], _MOST)
        total += work[1, j]
    if total / _WIDE >= minute.promise:
        return False
    for j in range(_WIDE):
        before = sources.log_cusum[row, j]
        if before <= 0:
            sources.since_minute[row, j] = minute.number
            sources.since_sums[row, j] = 0.0
        sources.since_sums[row, j, 0] += k
        sources.since_sums[row, j, 1] += expected
        sources.log_cusum[row, j] = max(before + work[0, j], 0.0)
        sources.sr[row, j] = work[1, j]
    return True
