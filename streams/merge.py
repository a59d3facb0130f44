"""Windows of all source partitions to whole ticks, in order: a tick is whole when every source has closed it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from schemas.metrics import RATES
from schemas.windows import Window
from streams.checkpoints import Arrays
from streams.ticks import Group

_RATE_INDEX: Final = {rate.name: index for index, rate in enumerate(RATES)}

Sums = dict[Group, list[list[int]]]
"""For each group, (trials, flagged) by rate."""


@dataclass(slots=True)
class TickMerger:
    """Merges the windows of one topic id; windows that come again are known by their tick and change nothing."""

    closed: dict[int, int] = field(default_factory=dict)
    pending: dict[int, Sums] = field(default_factory=dict)
    sources: int = 0
    repeats: int = 0

    def add(self, window: Window) -> bool:
        """Take a window and tell whether it was new."""
        self.sources = max(self.sources, window.source_partitions)
        if window.tick <= self.closed.get(window.source_partition, -1):
            self.repeats += 1
            return False
        self.closed[window.source_partition] = window.tick
        if window.groups:
            sums = self.pending.setdefault(window.tick, {})
            for group in window.groups:
                name = (group.tenant_id, group.service_name, group.model_version)
                rates = sums.setdefault(name, [[0, 0] for _ in RATES])
                for metric, counts in group.rates.items():
                    cell = rates[_RATE_INDEX[metric]] if metric in _RATE_INDEX else [0, 0]
                    cell[0] += counts.trials
                    cell[1] += counts.flagged
        return True

    def whole(self) -> Iterator[tuple[int, Sums]]:
        """Yield the ticks that every source has closed, in order, silent ones left out."""
        if len(self.closed) < self.sources or not self.sources:
            return
        end = min(self.closed.values())
        for tick in sorted(tick for tick in self.pending if tick <= end):
            yield tick, self.pending.pop(tick)

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        cells = [
            (tick, *name, rate, *counts)
            for tick, sums in sorted(self.pending.items())
            for name, rates in sorted(sums.items())
            for rate, counts in enumerate(rates)
        ]
        return {
            "closed": np.array(sorted(self.closed.items()), np.int64).reshape(-1, 2),
            "sources": np.array([self.sources], np.int64),
            "pending_names": np.array([cell[1:4] for cell in cells], np.str_).reshape(-1, 3),
            "pending_numbers": np.array([(cell[0], *cell[4:]) for cell in cells], np.int64).reshape(-1, 4),
        }

    @classmethod
    def from_state(cls, state: Arrays) -> "TickMerger":
        """Return the merger that `state` was taken of."""
        merger = cls({int(source): int(tick) for source, tick in state["closed"]}, sources=int(state["sources"][0]))
        for name, (tick, rate, trials, flagged) in zip(
            state["pending_names"].tolist(), state["pending_numbers"].tolist(), strict=True
        ):
            sums = merger.pending.setdefault(tick, {})
            sums.setdefault((name[0], name[1], name[2]), [[0, 0] for _ in RATES])[rate] = [trials, flagged]
        return merger
