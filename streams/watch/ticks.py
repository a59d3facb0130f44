"""Events of one partition to sums per tick of event time: a pure function of the log.

```
 time of event ->   |  tick 7  |  tick 8  |  tick 9  |
 log (offsets)  ->    a  b  d  c  f  e  g ...
 watermark            highest time so far, less the lateness bound
```

A tick closes when the watermark passes its end. An event whose tick is closed already counts in the oldest open
tick and in that tick's lateness counter. Both are judged record by record, never by batch, so that any batching
of a log gives the same windows, and any order within the lateness bound does too.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from schemas.windows import MOST_OWNERS
from streams.watch.batches import Batch, Int64s
from streams.watch.blocks import Block, Chosen, block_of


class PartitionTicks:
    """The open ticks of one partition.

    Parameters
    ----------
    tick_nano, lateness_nano
        Length of a tick, and how much later than the newest event an event may come, in nanoseconds.

    Attributes
    ----------
    newest
        The highest event time met, in nanoseconds; None before the first event.
    first_open
        The oldest tick that has not been closed; all before it are final. None before the first event.
    """

    def __init__(self, tick_nano: int, lateness_nano: int) -> None:
        self.tick_nano: Final = tick_nano
        self.lateness_nano: Final = lateness_nano
        self.newest: int | None = None
        self.first_open: int | None = None
        self._open: list[Chosen] = []
        self._refused: dict[int, dict[str, int]] = {}

    def refuse(self, owners: Sequence[str], newest: Int64s) -> int | None:
        """Count refused records in the tick that was the newest where they lay, and return the last of those.

        Parameters
        ----------
        owners
            Whose they are, in log order.
        newest
            The highest event time before each, in nanoseconds; one before any event is not counted.
        """
        last = None
        for owner, tick in zip(owners, (newest // self.tick_nano).tolist(), strict=True):
            if tick >= max(self.first_open or 0, 0):
                last = tick if last is None else max(last, tick)
                counts = self._refused.setdefault(tick, {})
                name = owner if owner in counts or len(counts) < MOST_OWNERS else "~other"
                counts[name] = counts.get(name, 0) + 1
        return last

    def closes_by(self, now_unix_nano: int) -> bool:
        """Tell whether an event of that time would close a tick."""
        return self.first_open is not None and (now_unix_nano - self.lateness_nano) // self.tick_nano > self.first_open

    def add(self, batch: Batch) -> int | None:
        """Take a batch into the open ticks and return the last tick that any of it counts in."""
        time = batch.events.time
        if not len(time):
            return None
        newest_before = self._advance(time)
        own = time // self.tick_nano
        tick = np.maximum(own, (newest_before - self.lateness_nano) // self.tick_nano)
        if self.first_open is None:
            self.first_open = int((time[0] - self.lateness_nano) // self.tick_nano)  # nothing can count before it
        self._keep(replace(batch, events=replace(batch.events, late=(tick > own).astype(np.uint8))), tick)
        counted = batch.events.counted > 0
        return int(tick[counted].max()) if counted.any() else None

    def _advance(self, time: Int64s) -> Int64s:
        """Return the highest time before each event, and move `newest` past them all."""
        start = np.iinfo(np.int64).min // 2 if self.newest is None else self.newest
        highest = np.maximum.accumulate(np.concatenate([[start], time]))
        self.newest = int(highest[-1])
        return highest[:-1]

    def _keep(self, batch: Batch, tick: Int64s) -> None:
        """Keep what counts in an open tick. What is older than all of them was published before a restart."""
        rows = np.flatnonzero((batch.events.counted > 0) & (tick >= (self.first_open or 0)))
        if len(rows):
            self._open.append(Chosen(batch, rows, tick[rows]))

    def close(self) -> Block:
        """Return the ticks that the watermark has passed; there may be none."""
        if self.newest is None or self.first_open is None:
            return block_of([], {})
        end = (self.newest - self.lateness_nano) // self.tick_nano
        self.first_open = max(self.first_open, end)
        closed = [part.where(part.tick < end) for part in self._open]
        kept = [part.where(part.tick >= end) for part in self._open]
        self._open = [part for part in kept if len(part.rows)]
        refused = sorted(tick for tick in self._refused if tick < end)
        return block_of(closed, {tick: dict(sorted(self._refused.pop(tick).items())) for tick in refused})
