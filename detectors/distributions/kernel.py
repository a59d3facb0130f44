"""The compiled form of the detectors of quantities and of mixes: each calm series of a tick, one after the other.

It says the same as `Evidence`, `Inflation`, `Reference.wait` and the log ratios of both detectors, in their order of
arithmetic. What is rare is left to the plain form: a series with an open finding, an alarm.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Bools, Floats, Ints
from detectors.compiled.loops import EXP, EXP2, LOG, LOG1P, compiled, loop, loops, total
from detectors.distributions.inflation import BLOCKS, HALF_LIFE_BLOCKS, MOST, PSEUDO_BLOCKS
from detectors.distributions.mixes import CARE, COMMON
from detectors.distributions.quantities import RECENT

LOOPS = loops()
_FADE = 0.5 ** (1 / HALF_LIFE_BLOCKS)
_MOST = 1e300
_BLOCKS = len(BLOCKS)

Singles = npt.NDArray[np.float32]


class Common(NamedTuple):
    """Columns of `Evidence`, `Inflation`, `Returns` and `Reference`."""

    sums: Floats
    height: Floats
    since: Ints
    deviation: Floats
    variance: Floats
    ticks: Ints
    ratio: Floats
    weight: Floats
    alternative: Ints
    waiting: Singles
    usable: Bools
    renewed: Ints


class Histograms(NamedTuple):
    """What a quantity has beside: its tables, and its latest events."""

    coarse: npt.NDArray[np.uint8]
    ratios: Floats
    score: Floats
    moments: Floats
    recent: Singles


class Shares(NamedTuple):
    """What a mix has beside: its shares, how well they are known, and which slots are in use."""

    share: Floats
    known: Floats
    used: Bools
    multipliers: Floats
    signs: Floats


class Cells(NamedTuple):
    """The filled cells of a tick, and where those of each series begin, with their number behind the last."""

    rows: Ints
    at: Ints
    counts: Floats
    starts: Ints


class Moment(NamedTuple):
    """A tick, its band of the day, and the threshold."""

    tick: int
    band: int
    promise: float


@compiled
def usable(cells: Cells, series: int, width: int) -> bool:
    """Tell whether cells are in order and as they may be, and fill in where those of each series begin."""
    found = 0
    for at in range(len(cells.rows)):
        row, cell, count = cells.rows[at], cells.at[at], cells.counts[at]
        if row < 0 or row >= series or cell < 0 or cell >= width:
            return False
        if not (count > 0 and count < np.inf) or count != np.floor(count):
            return False
        same = at > 0 and cells.rows[at - 1] == row
        if at > 0 and (cells.rows[at - 1] > row or (same and cells.at[at - 1] >= cell)):
            return False
        if not same:
            cells.starts[found] = at
            found += 1
    cells.starts[found:] = len(cells.rows)
    return True


@compiled
def due(common: Common, cells: Cells, hour: int) -> bool:
    """Tell whether the reference of any series may have to be renewed."""
    for at in range(len(cells.rows)):
        row = cells.rows[at]
        if common.renewed[row] != hour + 1 or not common.usable[row]:
            return True
    return False


@compiled
def judge_quantities(table: Ints, common: Common, own: Histograms, cells: Cells, moment: Moment, start: int) -> int:
    """Judge the series of a tick, from one on, and return the first that the plain form has to judge."""
    wide, (tick, band, promise) = common.sums.shape[1], moment
    work = np.empty((3, wide))
    for number in range(start, len(cells.starts) - 1):
        first, last = cells.starts[number], cells.starts[number + 1]
        if first == len(cells.rows):
            return number
        row = cells.rows[first]
        if common.alternative[row] > 0:
            return number
        n, score = _tilted(own, cells, first, last, band, work[0])
        if common.usable[row]:
            work[0] /= _factor(common, row)
            if _statistic(table, common, row, work, wide) >= promise:
                return number
            _carry_on(common, row, tick, work, wide)
        work[2, 0] = -n / RECENT
        loop(table, EXP2, work[2, :1], work[2, :1], work[1, :1])
        fade = np.float32(work[1, 0])
        for cell in range(own.recent.shape[1]):
            own.recent[row, cell] *= fade
        if common.usable[row]:
            mean, variance = own.moments[row, band]
            _learn(common, row, score - n * mean, n * variance)
        for at in range(first, last):
            own.recent[row, cells.at[at]] += cells.counts[at]
            common.waiting[row, band, cells.at[at]] += cells.counts[at]
    return len(cells.starts) - 1


@compiled
def _tilted(own: Histograms, cells: Cells, first: int, last: int, band: int, ratios: Floats) -> tuple[float, float]:
    """Fill log L of each tilt, and return how many events there are, and their normal score."""
    ratios[:] = 0.0
    n = score = 0.0
    row = cells.rows[first]
    for at in range(first, last):
        count, coarse = cells.counts[at], own.coarse[row, band, cells.at[at]]
        for j in range(len(ratios)):
            ratios[j] += count * own.ratios[row, band, coarse, j]
        score += count * own.score[row, band, coarse]
        n += count
    return n, score


@compiled
def judge_mixes(table: Ints, common: Common, own: Shares, cells: Cells, moment: Moment, start: int) -> int:
    """Judge the series of a tick, from one on, and return the first that the plain form has to judge."""
    slots, wide, (tick, band, promise) = own.used.shape[1], common.sums.shape[1], moment
    work, counts = np.empty((6, wide)), np.empty(slots)
    for number in range(start, len(cells.starts) - 1):
        first, last = cells.starts[number], cells.starts[number + 1]
        if first == len(cells.rows):
            return number
        row = cells.rows[first]
        if common.alternative[row] > 0:
            return number
        if common.usable[row]:
            counts[:] = 0.0
            for at in range(first, last):
                counts[cells.at[at]] += cells.counts[at]
            _raised(table, own, row, band, counts, work, _factor(common, row))
            used = 0
            for slot in range(slots):
                used += own.used[row, slot]
            if _statistic(table, common, row, work, wide) * slots / max(used, 1) >= promise:
                return number
            _carry_on(common, row, tick, work, wide)
            _learn_contrast(table, common, own, row, band, counts, work)
        for at in range(first, last):
            common.waiting[row, band, cells.at[at]] += cells.counts[at]
    return len(cells.starts) - 1


@compiled
def _raised(table: Ints, own: Shares, row: int, band: int, counts: Floats, work: Floats, factor: float) -> None:
    """Fill the first row with tempered log L of each slot and multiple."""
    slots, many, known = len(counts), own.multipliers.shape[1], own.known[row, band]
    n = 0.0
    for slot in range(slots):
        n += counts[slot]
        share = own.share[row, band, slot]
        safe = share if 0 < share < 1 else 0.5
        low = (1 + CARE * np.sqrt(safe * known + 1)) / known
        for m in range(many):
            j, more = slot * many + m, min(safe * own.multipliers[slot, m], 0.5 + safe / 2)
            work[1, j], work[2, j], work[3, j] = more / safe, -more, -safe
            work[4, j] = low * (more - safe) / (safe * (1 - safe))
    loop(table, LOG, work[1], work[1], work[1])
    for each in range(2, 5):
        loop(table, LOG1P, work[each], work[each], work[each])
    for j in range(slots * many):
        count = counts[j // many]
        ratio = count * work[1, j] + (n - count) * (work[2, j] - work[3, j])
        ratio = (ratio - n * work[4, j]) / factor
        work[0, j] = ratio if 0 < own.share[row, band, j // many] < 1 else -np.inf


@compiled
def _learn_contrast(table: Ints, common: Common, own: Shares, row: int, band: int, counts: Floats,
                    work: Floats) -> None:  # fmt: skip
    slots = len(counts)
    n = 0.0
    for slot in range(slots):
        share = own.share[row, band, slot]
        weight = own.signs[slot] / np.sqrt(max(share, COMMON)) if share >= COMMON else 0.0
        work[1, slot], work[2, slot] = weight * share, weight * weight * share
        work[3, slot] = weight * counts[slot]
        n += counts[slot]
    mean = total(table, work[1, :slots], work[4])
    variance = n * max(total(table, work[2, :slots], work[4]) - mean * mean, 0.0)
    _learn(common, row, total(table, work[3, :slots], work[4]) - n * mean, variance)


@compiled
def _factor(common: Common, row: int) -> float:
    highest = 1.0
    for block in range(_BLOCKS):
        average = (common.ratio[row, block] + PSEUDO_BLOCKS) / (common.weight[row, block] + PSEUDO_BLOCKS)
        highest = max(highest, average)
    return highest


@compiled
def _statistic(table: Ints, common: Common, row: int, work: Floats, wide: int) -> float:
    """Fill the second row with the evidence after the log ratios of the first, and return its mean."""
    loop(table, EXP, work[0], work[0], work[1])
    for j in range(wide):
        work[1, j] = min((1 + common.sums[row, j]) * work[1, j], _MOST)
    return total(table, work[1], work[2]) / wide


@compiled
def _carry_on(common: Common, row: int, tick: int, work: Floats, wide: int) -> None:
    for j in range(wide):
        before = common.height[row, j]
        if before <= 0:
            common.since[row, j] = tick
        common.height[row, j] = max(before + work[0, j], 0.0)
        common.sums[row, j] = work[1, j]


@compiled
def _learn(common: Common, row: int, deviation: float, variance: float) -> None:
    most = MOST * _factor(common, row)
    for block in range(_BLOCKS):
        common.deviation[row, block] += deviation
        common.variance[row, block] += variance
        common.ticks[row, block] += 1
        so_far = common.deviation[row, block]
        if common.ticks[row, block] >= BLOCKS[block] and common.variance[row, block] > 0:
            squared = min(so_far * so_far / max(common.variance[row, block], 1e-12), most)
            common.ratio[row, block] = common.ratio[row, block] * _FADE + squared
            common.weight[row, block] = common.weight[row, block] * _FADE + 1
            common.deviation[row, block] = common.variance[row, block] = 0.0
            common.ticks[row, block] = 0
