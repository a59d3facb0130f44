"""What every way to find something has in common: it is shown each whole tick, in order."""

from collections.abc import Sequence
from typing import Protocol

from schemas.findings import Finding
from schemas.windows import GroupSums
from streams.kafka.checkpoints import Arrays

TickSums = list[GroupSums]
"""The sums of one whole tick, one entry a group, in the order of their names."""


class Watcher(Protocol):
    """One way of looking at the sums of each tick."""

    def judge(self, tick: int, sums: TickSums) -> Sequence[Finding]:
        """Return what a whole tick brings to light; ticks come in order, silent ones may be left out."""

    def state(self) -> Arrays:
        """Return the state as flat arrays."""

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
