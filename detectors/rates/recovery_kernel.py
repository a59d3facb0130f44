"""The compiled form of `detectors.rates.recovery`: a tick of a series whose finding stays open."""

from typing import Final, NamedTuple

import numpy as np

from detectors.base import Bools, Floats, Ints
from detectors.compiled.loops import EXP, LOG, LOG1P, compiled, loop
from detectors.rates.level_kernel import Clock
from detectors.rates.recovery import EVIDENCE, FIRST_STAKE, GIVEN_UP, MOST, PATIENCE, SHARES

_WIDE: Final = len(SHARES)


class Recovering(NamedTuple):
    """Columns of `RecoveryTest`, and the sums since the onset of the finding."""

    wealth: Floats
    stake: Floats
    restarts: Ints
    height: Floats
    betting: Bools
    trials: Floats
    flagged: Floats
    away: Floats
    open_trials: Floats
    open_flagged: Floats


class Room(NamedTuple):
    """Room for one series: for what NumPy's loops are given, and for what is found before any of it is kept."""

    better: Floats
    lost: Floats
    ratios: Floats
    smaller: Floats
    wealth: Floats
    gone: Bools


@compiled
def room() -> Room:
    """Return room for one series."""
    wide = np.empty((4, _WIDE))
    return Room(wide[0], np.empty(_WIDE + 1), wide[1], wide[2], wide[3], np.empty(_WIDE, np.bool_))


@compiled
def follow(table: Ints, clock: Clock, of: Recovering, row: int, n: float, k: float, bound: float,
           work: Room) -> bool:  # fmt: skip
    """Add the sums of a tick to the test; False, with nothing changed, where it may be over, or there is no bound."""
    if not bound > 0:
        return False
    _bet(table, clock, of, row, n, k, bound, work)
    _restart_the_lost(table, of, row, work)
    if _evidence(table, work) >= EVIDENCE:
        return False
    _keep(of, row, n, k, work)
    return True


@compiled
def _bet(table: Ints, clock: Clock, of: Recovering, row: int, n: float, k: float, bound: float,
         work: Room) -> None:  # fmt: skip
    """Fill in log L of each share, and what the wealth comes to."""
    worst = min(of.away[row] * bound, 0.5 + bound / 2) if clock.rising else bound / of.away[row]
    for j in range(_WIDE):
        work.better[j] = SHARES[j] if clock.rising else min(1 / SHARES[j], (0.5 + worst / 2) / worst)
        work.lost[j] = -worst * work.better[j]
    work.lost[_WIDE] = -worst
    loop(table, LOG, work.better, work.better, work.better)
    loop(table, LOG1P, work.lost, work.lost, work.lost)
    for j in range(_WIDE):
        work.ratios[j] = k * work.better[j] + (n - k) * (work.lost[j] - work.lost[_WIDE])
        work.wealth[j] = of.wealth[row, j] + (work.ratios[j] if of.betting[row, j] else 0.0)


@compiled
def _restart_the_lost(table: Ints, of: Recovering, row: int, work: Room) -> None:
    for j in range(_WIDE):
        work.gone[j] = work.wealth[j] - of.stake[row, j] <= GIVEN_UP
        count = max(of.restarts[row, j] + work.gone[j], 1)
        work.smaller[j] = (1 - FIRST_STAKE) / (count * (count + 1.0))
    loop(table, LOG, work.smaller, work.smaller, work.smaller)
    for j in range(_WIDE):
        if work.gone[j]:
            work.wealth[j] = work.smaller[j]


@compiled
def _evidence(table: Ints, work: Room) -> float:
    total = 0.0
    for j in range(_WIDE):
        work.better[j] = min(work.wealth[j], MOST)
    loop(table, EXP, work.better, work.better, work.better)
    for j in range(_WIDE):
        total += work.better[j]
    return total / _WIDE


@compiled
def _keep(of: Recovering, row: int, n: float, k: float, work: Room) -> None:
    fresh = True
    for j in range(_WIDE):
        fresh = fresh and of.height[row, j] <= 0
        of.wealth[row, j] = work.wealth[j]
        if work.gone[j]:
            of.restarts[row, j] += 1
            of.stake[row, j] = work.smaller[j]
    of.open_trials[row] += n
    of.open_flagged[row] += k
    of.trials[row] = (0.0 if fresh else of.trials[row]) + n
    of.flagged[row] = (0.0 if fresh else of.flagged[row]) + k
    for j in range(_WIDE):
        height = max(of.height[row, j] + work.ratios[j], 0.0)
        of.height[row, j] = height
        of.betting[row, j] = height >= PATIENCE or (of.betting[row, j] and height > 0)
