"""The compiled form of how active series are: `streams.findings.series`."""

from typing import NamedTuple

import numpy as np

from detectors.base import Floats, Ints
from detectors.compiled.loops import POWER, compiled, loop, loops, total

LOOPS = loops()


class Active(NamedTuple):
    """By series: the first and the latest tick with data, and the recent ticks with data, fading."""

    first: Ints
    last: Ints
    faded: Floats


@compiled
def note(table: Ints, series: Active, rows: Ints, tick: int, day: float) -> None:
    """Note which series have data in a tick."""
    half, ages = np.full(len(rows), 0.5), np.empty(len(rows))
    for at in range(len(rows)):
        ages[at] = (tick - series.last[rows[at]]) / day
    loop(table, POWER, half, ages, ages)
    for at in range(len(rows)):
        row = rows[at]
        series.faded[row] = series.faded[row] * ages[at] + 1
        series.last[row] = tick
        if series.first[row] < 0:
            series.first[row] = tick


@compiled
def activity(table: Ints, series: Active, tick: int, day: float, recent: float, log2: float) -> tuple[int, float]:
    """Return how many series are alive, and how many ticks with data one of them has a day on average."""
    half, since, age = np.full(len(series.last), 0.5), np.empty(len(series.last)), np.empty(len(series.last))
    rates, oldest, count = np.empty(len(series.last)), tick - day * recent, 0
    for row in range(len(series.last)):
        if series.last[row] > oldest:
            since[count] = (tick - series.last[row]) / day
            age[count] = min(max(float(tick - series.first[row] + 1), day / 24), day) / day
            rates[count] = series.faded[row]
            count += 1
    if not count:
        return 0, day
    loop(table, POWER, half[:count], since[:count], since[:count])
    loop(table, POWER, half[:count], age[:count], age[:count])
    for at in range(count):
        rates[at] = min(rates[at] * since[at] / (1 - age[at]) * log2, day)
    return count, total(table, rates[:count], half) / count


@compiled
def activities(table: Ints, series: Active, ticks: Ints, starts: Ints, rows: Ints, span: tuple[float, float, float],
               found: Floats) -> None:  # fmt: skip
    """Note the series of ticks one after the other, and fill in what `activity` gives after each."""
    day, recent, log2 = span
    for number in range(len(ticks)):
        note(table, series, rows[starts[number] : starts[number + 1]], ticks[number], day)
        found[0, number], found[1, number] = activity(table, series, ticks[number], day, recent, log2)
