"""What every way to find something has in common: it is shown each whole tick, in order."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from schemas.findings import Finding
from schemas.windows import GroupSums
from streams.kafka.checkpoints import Arrays

TickSums = list[GroupSums]
"""The sums of one whole tick, one entry a group, in the order of their names."""

Tick = tuple[int, TickSums]
"""A whole tick: its number and its sums."""


class Watcher(Protocol):
    """One way of looking at the sums of each tick."""

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return what each of some whole ticks brings to light; ticks come in order, silent ones may be left out.

        How a sequence of ticks is cut into calls changes nothing.
        """

    def state(self) -> Arrays:
        """Return the state as flat arrays."""

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""


def by_tick(ticks: Sequence[Tick], found: Iterable[tuple[int, Finding]]) -> list[list[Finding]]:
    """Return, for each tick, what was found in it."""
    of_ticks: dict[int, list[Finding]] = {tick: [] for tick, _ in ticks}
    for tick, finding in found:
        of_ticks[tick].append(finding)
    return list(of_ticks.values())
