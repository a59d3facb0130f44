"""Windows of all source partitions to whole ticks, in order: a tick is whole when every source has closed it."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from schemas.windows import GroupSums, PromptSums, Sums, Window
from schemas.wire import decoder, encode
from streams.detect.watcher import TickSums
from streams.kafka.checkpoints import Arrays

if TYPE_CHECKING:
    from schemas.windows import Group


@dataclass(slots=True)
class TickMerger:
    """Merges the windows of one topic id; windows that come again are known by their tick and change nothing.

    What comes of a tick that was whole without it, of a partition that nobody had heard of then, counts in the first
    tick that is not whole yet: partitions may be added at any time, and ticks never go backwards.
    """

    closed: dict[int, int] = field(default_factory=dict)
    pending: dict[int, list[Window]] = field(default_factory=dict)
    sources: int = 0
    last: int = -1
    ticks: list[int] = field(default_factory=list)  # those of `pending`, as a heap
    repeats: int = 0

    def add(self, window: Window) -> bool:
        """Take a window and tell whether it was new."""
        self.sources = max(self.sources, window.source_partitions)
        if window.tick <= self.closed.get(window.source_partition, -1):
            self.repeats += 1
            return False
        self.closed[window.source_partition] = window.tick
        if window.groups:
            self._wait(window)
        return True

    def _wait(self, window: Window) -> None:
        tick = max(window.tick, self.last + 1)
        if tick not in self.pending:
            self.pending[tick] = []
            heapq.heappush(self.ticks, tick)
        self.pending[tick].append(window)

    def end(self) -> int:
        """Return the latest tick that every source has closed, or -1."""
        return min(self.closed.values()) if self.sources and len(self.closed) >= self.sources else -1

    def whole(self) -> Iterator[tuple[int, TickSums]]:
        """Yield the ticks that every source has closed, in order, silent ones left out."""
        end = self.end()
        while self.ticks and self.ticks[0] <= end:
            tick = heapq.heappop(self.ticks)
            yield tick, united(self.pending.pop(tick))
        self.last = max(self.last, end)

    def state(self) -> Arrays:
        """Return the state as flat arrays; windows that wait are kept as they came."""
        waiting = [encode(window) for _, windows in sorted(self.pending.items()) for window in windows]
        return {
            "closed": np.array(sorted(self.closed.items()), np.int64).reshape(-1, 2),
            "sources": np.array([self.sources], np.int64),
            "last": np.array([self.last], np.int64),
            "pending": np.frombuffer(b"\n".join(waiting), np.uint8),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self.closed = {int(source): int(tick) for source, tick in state["closed"]}
        self.sources, self.last = int(state["sources"][0]), int(state["last"][0])
        self.pending, self.ticks = {}, []
        decode = decoder(Window)
        for line in state["pending"].tobytes().splitlines():
            window = decode(line, 0)
            assert isinstance(window, Window)  # noqa: S101
            self._wait(window)


def united(windows: Iterable[Window]) -> TickSums:
    """Return the sums of one tick, group by group, over the windows of all partitions."""
    groups: dict[Group, list[GroupSums]] = {}
    for window in sorted(windows, key=lambda window: window.source_partition):
        for group in window.groups:
            name = (group.tenant_id, group.service_name, group.model_version, group.variant)
            groups.setdefault(name, []).append(group)
    return [parts[0] if len(parts) == 1 else _added(parts) for _, parts in sorted(groups.items())]


def _added(parts: list[GroupSums]) -> GroupSums:
    first = parts[0]
    return GroupSums(
        tenant_id=first.tenant_id,
        service_name=first.service_name,
        model_version=first.model_version,
        variant=first.variant,
        events=sum(part.events for part in parts),
        calls=sum(part.calls for part in parts),
        late=sum(part.late for part in parts),
        refused=sum(part.refused for part in parts),
        orphans=sum(part.orphans for part in parts),
        rates=added_rates(part.rates for part in parts),
        quantities=added_names(part.quantities for part in parts),
        mixes=added_names(part.mixes for part in parts),
        guards=added_names([{"": part.guards} for part in parts]).get("", {}),
        prompts=_prompts(parts),
        samples=[sample for part in parts for sample in part.samples],
        sampled_from=sum(part.sampled_from for part in parts),
    )


def _prompts(parts: list[GroupSums]) -> dict[str, PromptSums]:
    """Return the sums of each prompt over some parts."""
    of_prompts: dict[str, list[PromptSums]] = {}
    for part in parts:
        for name, sums in part.prompts.items():
            of_prompts.setdefault(name, []).append(sums)
    return {name: _both(of_prompts[name]) for name in sorted(of_prompts)}


def _both(of: list[PromptSums]) -> PromptSums:
    return PromptSums(
        rates=added_rates(sums.rates for sums in of),
        quantities=added_names(sums.quantities for sums in of),
        mixes=added_names(sums.mixes for sums in of),
    )


def added_rates(parts: Iterable[dict[str, Sums]]) -> dict[str, Sums]:
    """Return the sums of each rate over some parts."""
    total: dict[str, Sums] = {}
    for rates in parts:
        for name, sums in rates.items():
            seen = total.get(name, Sums())
            total[name] = Sums(
                seen.trials + sums.trials,
                seen.flagged + sums.flagged,
                seen.events + sums.events,
                seen.flagged_events + sums.flagged_events,
            )
    return total


def added_names(parts: Iterable[dict[str, dict[str, int]]]) -> dict[str, dict[str, int]]:
    """Return the counts by name, added up over some parts."""
    total: dict[str, dict[str, int]] = {}
    for part in parts:
        for name, counts in part.items():
            into = total.setdefault(name, {})
            for key, amount in counts.items():
                into[key] = into.get(key, 0) + amount
    return total
