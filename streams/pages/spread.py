"""How long something took each time, drawn over time on a logarithmic scale: what kept its target and what did not."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from schemas.fields import NANO
from streams.pages.places import Tick, moment, steps

LEFT, RIGHT, TOP, FOOT = 58.0, 458.0, 8.0, 150.0
ROUND: Final = (1, 10, 60, 300, 900, 3_600, 14_400, 86_400, 604_800, 2_592_000)
"""Seconds that stand at the axis."""
_NAMES: Final = ("1 s", "10 s", "1 min", "5 min", "15 min", "1 h", "4 h", "1 day", "1 week", "30 days")


class Took(NamedTuple):
    """When something began (Unix nanoseconds), how long it took and was to take at most, both in seconds."""

    at: int
    seconds: float
    wanted: float | None


class Spread(Struct, frozen=True):
    """Places of what was in time and of what was late, the targets, and the axes."""

    kept: list[tuple[float, float]]
    missed: list[tuple[float, float]]
    wanted: list[float]
    across: list[Tick]
    up: list[Tick]


def late(one: Took) -> bool:
    """Tell whether something took longer than it was to take; what has no target is never late."""
    return one.wanted is not None and one.seconds > one.wanted


def spread(times: Sequence[Took]) -> Spread | None:
    """Return times as places; None where there are none.

    >>> drawn = spread([Took(0, 60.0, 300.0), Took(3_600 * 10**9, 900.0, 300.0)])
    >>> len(drawn.kept), len(drawn.missed), [tick.text for tick in drawn.up]
    (1, 1, ['1 min', '5 min', '15 min'])
    """
    if not times:
        return None
    first, last = min(each.at for each in times), max(each.at for each in times)
    if last == first:
        first, last = first - 3_600 * NANO, last + 3_600 * NANO
    held = [each.seconds for each in times] + [each.wanted for each in times if each.wanted is not None]
    low = max((each for each in ROUND if each <= min(held)), default=ROUND[0])
    high = min((each for each in ROUND if each >= max(held) and each > low), default=max(*held, low + 1))

    def across(at: int) -> float:
        return round(LEFT + (at - first) / (last - first) * (RIGHT - LEFT), 1)

    def up(seconds: float) -> float:
        share = math.log(max(seconds, low) / low) / math.log(high / low)
        return round(FOOT - share * (FOOT - TOP), 1)

    return Spread(
        kept=[(across(each.at), up(each.seconds)) for each in times if not late(each)],
        missed=[(across(each.at), up(each.seconds)) for each in times if late(each)],
        wanted=sorted({up(each.wanted) for each in times if each.wanted is not None}),
        across=[Tick(across(at), moment(at, last - first)) for at in steps(first, last)[::2]],
        up=[Tick(up(each), name) for each, name in zip(ROUND, _NAMES, strict=True) if low <= each <= high],
    )
