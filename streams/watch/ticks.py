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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.windows import MOST_OWNERS, Group
from streams.events.labels import Named

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
UInt16s = npt.NDArray[np.uint16]
UInt8s = npt.NDArray[np.uint8]
Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EventColumns:
    """What counting needs of a batch of events, in log order; every array has one entry an event.

    `row` is the event's place in its batch, `group` indexes the `Batch.groups` beside it; `trials` and `flagged` are
    bit sets over `schemas.metrics.RATES`; `measures` has a column for each of `MEASURES`, NaN where there is none;
    `late` is filled in by the ticks; `risk` is that of `streams.events.risk`, without the tier. An event that is not
    `counted` only moves the watermark. `source` indexes `Batch.sources`.
    """

    time: Int64s
    row: Int64s
    group: Int64s
    session: UInt64s
    trace: UInt64s
    trials: UInt16s
    flagged: UInt16s
    call: UInt8s
    measures: Float32s
    late: UInt8s
    counted: UInt8s
    risk: Float32s
    source: Int64s

    def take(self, rows: Int64s | slice) -> "EventColumns":
        """Return the chosen rows; a slice gives views."""
        return EventColumns(*(getattr(self, column.name)[rows] for column in fields(self)))

    @staticmethod
    def concatenate(parts: "Sequence[EventColumns]") -> "EventColumns":
        """Return the rows of all parts, in order."""
        if len(parts) == 1:
            return parts[0]
        return EventColumns(
            *(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(parts[0]))
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown of events, in log order: texts that only travel with the few that are chosen."""

    event_id: pa.Array
    user: pa.Array
    vector: pa.Array


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of events ready to be counted; codes are local to it."""

    events: EventColumns
    groups: Sequence[Group]
    guards: Named
    labels: Named
    label_names: Sequence[str]
    shown: Shown
    sources: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """The events of one batch that count in one tick; guard results and labels with the row of their event."""

    batch: Batch
    events: EventColumns
    guards: Named
    labels: Named


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
        self._open: dict[int, list[Part]] = {}
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

    def refused(self, tick: int) -> dict[str, int]:
        """Return the refused records of a tick that is closed, by whose they were."""
        return dict(sorted(self._refused.pop(tick, {}).items()))

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
        self._distribute(replace(batch, events=replace(batch.events, late=(tick > own).astype(np.uint8))), tick)
        counted = batch.events.counted > 0
        return int(tick[counted].max()) if counted.any() else None

    def _advance(self, time: Int64s) -> Int64s:
        """Return the highest time before each event, and move `newest` past them all."""
        start = np.iinfo(np.int64).min // 2 if self.newest is None else self.newest
        highest = np.maximum.accumulate(np.concatenate([[start], time]))
        self.newest = int(highest[-1])
        return highest[:-1]

    def _distribute(self, batch: Batch, tick: Int64s) -> None:
        """Hand each open tick its part. What is older than all of them was published before a restart."""
        order = np.argsort(tick, kind="stable")
        order = order[batch.events.counted[order] > 0]
        if not len(order):
            return
        events = batch.events.take(order)
        sorted_tick = tick[order]
        counted = batch.events.counted > 0
        guards, labels = _ByTick(batch.guards, tick, counted), _ByTick(batch.labels, tick, counted)
        numbers, starts = np.unique(sorted_tick, return_index=True)
        for number, start, end in zip(numbers, starts, [*starts[1:], len(order)], strict=True):
            if number >= (self.first_open or 0):
                part = Part(batch, events.take(slice(start, end)), guards.of(number), labels.of(number))
                self._open.setdefault(int(number), []).append(part)

    def close(self) -> Iterator[tuple[int, list[Part]]]:
        """Yield the ticks that the watermark has passed, in order, silent ones left out.

        One in which there were only refused records has no parts.
        """
        if self.newest is None or self.first_open is None:
            return
        end = (self.newest - self.lateness_nano) // self.tick_nano
        for number in sorted(number for number in {*self._open, *self._refused} if number < end):
            self.first_open = number + 1
            yield number, self._open.pop(number, [])
        self.first_open = max(self.first_open, end)


class _ByTick:
    """Named things of the events that are counted, in the order of their ticks."""

    def __init__(self, named: Named, tick: Int64s, counted: npt.NDArray[np.bool_]) -> None:
        kept = np.flatnonzero(counted[named.row])
        own = tick[named.row[kept]]
        order = np.argsort(own, kind="stable")
        self._tick = own[order]
        self._row = named.row[kept][order]
        self._name = named.name[kept][order]

    def of(self, number: int) -> Named:
        start, end = np.searchsorted(self._tick, [number, number + 1])
        return Named(self._row[start:end], self._name[start:end])
