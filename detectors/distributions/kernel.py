"""The compiled form of the detectors of quantities and of mixes: the calm series of ticks, one after the other.

It says the same as `Evidence`, `Inflation`, `Reference.wait` and the log ratios of both detectors, in their order of
arithmetic. What is rare is left to the plain form: a series with an open finding, an alarm, a renewed reference.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Bools, Floats, Ints
from detectors.compiled.loops import EXP, EXP2, LOG, LOG1P, compiled, loop, loops, total
from detectors.distributions.evidence import SUSPICIOUS
from detectors.distributions.inflation import BLOCKS, HALF_LIFE_BLOCKS, MOST, PSEUDO_BLOCKS
from detectors.distributions.mixes import CARE, COMMON
from detectors.distributions.quantities import RECENT
from detectors.distributions.reference import NEEDED

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
    counts: Singles
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
    """The filled cells of ticks; where those of each series and tick begin, and the place of that tick."""

    rows: Ints
    at: Ints
    counts: Floats
    starts: Ints
    of: Ints


class Moments(NamedTuple):
    """Ticks, where the cells of each begin, their hours, bands of the day and thresholds."""

    ticks: Ints
    starts: Ints
    hours: Ints
    bands: Ints
    promises: Floats


@compiled
def usable(cells: Cells, moments: Moments, latest: int, size: tuple[int, int]) -> int:
    """Return how many series and ticks there are, with their beginnings filled in; -1 where cells are out of order."""
    found, (series, width) = 0, size
    for number in range(len(moments.ticks)):
        if moments.ticks[number] < latest:
            return -1
        latest = moments.ticks[number] + 1
        for at in range(moments.starts[number], moments.starts[number + 1]):
            row, cell, count = cells.rows[at], cells.at[at], cells.counts[at]
            if row < 0 or row >= series or cell < 0 or cell >= width:
                return -1
            if not (count > 0 and count < np.inf) or count != np.floor(count):
                return -1
            first = at == moments.starts[number]
            if not first and (cells.rows[at - 1] > row or (cells.rows[at - 1] == row and cells.at[at - 1] >= cell)):
                return -1
            if first or cells.rows[at - 1] != row:
                cells.starts[found], cells.of[found] = at, number
                found += 1
    cells.starts[found] = len(cells.rows)
    return found


@compiled
def _is_ready(common: Common, row: int, hour: int) -> bool:
    """Tell whether a reference can be used, or waited for, as it is; one that is thin takes in what waits for it."""
    if common.renewed[row] == hour + 1 and common.usable[row]:
        return True
    for j in range(common.height.shape[1]):
        if common.height[row, j] >= SUSPICIOUS:
            return True
    if common.usable[row] or (common.renewed[row] and common.renewed[row] < hour + 1):
        return False
    common.renewed[row] = hour + 1
    events = 0.0
    for band in range(common.counts.shape[1]):
        for cell in range(common.counts.shape[2]):
            common.counts[row, band, cell] += common.waiting[row, band, cell]
            common.waiting[row, band, cell] = 0
            events += common.counts[row, band, cell]
    return events < NEEDED


@compiled
def judge_quantities(table: Ints, common: Common, own: Histograms, cells: Cells, moments: Moments,
                     where: tuple[int, int]) -> int:  # fmt: skip
    """Judge the series of ticks, from one on, and return the first that the plain form has to judge.

    Where it has only to renew a reference, that is returned below zero: -1 for the first. Without any, it is how many
    there are.
    """
    wide, (start, count) = common.sums.shape[1], where
    work = np.empty((3, wide))
    for number in range(start, count):
        first, last, of = cells.starts[number], cells.starts[number + 1], cells.of[number]
        row, band = cells.rows[first], moments.bands[of]
        if common.alternative[row] > 0:
            return number
        if not _is_ready(common, row, moments.hours[of]):
            return -1 - number
        n, score = _tilted(own, cells, first, last, band, work[0])
        if common.usable[row]:
            work[0] /= _factor(common, row)
            if _statistic(table, common, row, work, wide) >= moments.promises[of]:
                return number
            _carry_on(common, row, moments.ticks[of], work, wide)
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
    return count


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
def judge_mixes(table: Ints, common: Common, own: Shares, cells: Cells, moments: Moments,
                where: tuple[int, int]) -> int:  # fmt: skip
    """Judge the series of ticks as `judge_quantities` does."""
    slots, wide, (start, count) = own.used.shape[1], common.sums.shape[1], where
    work, counts = np.empty((6, wide)), np.empty(slots)
    for number in range(start, count):
        first, last, of = cells.starts[number], cells.starts[number + 1], cells.of[number]
        row, band = cells.rows[first], moments.bands[of]
        if common.alternative[row] > 0:
            return number
        if not _is_ready(common, row, moments.hours[of]):
            return -1 - number
        if common.usable[row]:
            counts[:] = 0.0
            for at in range(first, last):
                counts[cells.at[at]] += cells.counts[at]
            _raised(table, own, row, band, counts, work, _factor(common, row))
            used = 0
            for slot in range(slots):
                used += own.used[row, slot]
            if _statistic(table, common, row, work, wide) * slots / max(used, 1) >= moments.promises[of]:
                return number
            _carry_on(common, row, moments.ticks[of], work, wide)
            _learn_contrast(table, common, own, row, band, counts, work)
        for at in range(first, last):
            common.waiting[row, band, cells.at[at]] += cells.counts[at]
    return count


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
