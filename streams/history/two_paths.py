"""What history stored and what watch counted, summed alike while both are written: what tells a loss between them.

Both read the same log by the same rule, so each tick must hold the same on both sides. The views
`counted_differences` and `kpi_trust` compare the sums, `watchkeeper verify` the rows and windows themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from schemas.fields import NANO
from schemas.sql import query
from streams.history.counted import Int64s, newest_before, with_counted_time
from streams.history.rows import Origin, Rows
from streams.history.touched import HOUR, MINUTE, Touched, by_topic
from streams.store.client import WRITE

EVENT_TABLES: Final = (
    ("inferences", ""),
    ("agent_steps", ""),
    ("retrievals", ""),
    ("guard_verdicts", " AND event_kind = 'guard_verdict'"),
)
"""Where events are that count, and which rows there are events; what was sent as a probe does not count."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What one window says of its source: that all ticks up to this one are closed."""

    source_topic_id: str
    source_partition: int
    first_tick: int
    tick: int
    tick_seconds: int
    empty: bool


@dataclass(frozen=True, slots=True)
class Timed:
    """Rows of a batch of events with when they count, and the highest time met in the partition so far."""

    origin: Origin
    rows: list[Rows]
    newest: int | None


@dataclass(frozen=True, slots=True)
class Closed:
    """Which ticks the windows of a batch close, of a topic with so many partitions."""

    origin: Origin
    closings: Sequence[Closing]
    partitions: int


class TwoPaths:
    """Sums both paths for one history worker.

    Parameters
    ----------
    tick_seconds, lateness_seconds
        As those of the watch worker.
    several_writers
        As that of the `HistoryWriter`.
    """

    def __init__(self, tick_seconds: int, lateness_seconds: int, *, several_writers: bool) -> None:
        self._tick: Final = tick_seconds
        self._lateness: Final = lateness_seconds
        self._final: Final = "FINAL" if several_writers else ""
        self._newest: dict[tuple[str, int], int | None] = {}
        self._noted: dict[tuple[str, str, int, int], int] = {}

    def forget(self) -> None:
        """Learn from the store again how far each partition is."""
        self._newest.clear()
        self._noted.clear()

    def timed(self, client: Client, batches: Sequence[tuple[Origin, Int64s, Sequence[Rows]]]) -> list[Timed]:
        """Return batches of events with when they count; each comes with when its records were written, in ms."""
        newest, found = dict(self._newest), list[Timed]()
        for origin, written_ms, rows in batches:
            key = (origin.topic_id, origin.partition)
            if key not in newest:
                newest[key] = newest_before(client, origin)
            timed, newest[key] = with_counted_time(rows, origin, written_ms, newest[key], self._lateness * NANO)
            found.append(Timed(origin, timed, newest[key]))
        return found

    def stored(self, events: Sequence[Timed]) -> None:
        """Note that batches of events are stored: the next ones follow them."""
        for batch in events:
            self._newest[batch.origin.topic_id, batch.origin.partition] = batch.newest

    def sum(self, client: Client, events: Sequence[Timed], windows: Sequence[Closed]) -> None:
        """Sum batches that are stored, and say how far each partition is."""
        horizons = self._rows_stored(client, events) + self._windows_stored(client, windows)
        self._note(client, horizons)

    def _rows_stored(self, client: Client, batches: Sequence[Timed]) -> list["_Horizon"]:
        horizons = list[_Horizon]()
        filled = [batch for batch in batches if any(part.counted is not None for part in batch.rows)]
        for touched in by_topic(batch.origin for batch in filled).values():
            for batch in (each for each in filled if each.origin.topic_id == touched.topic_id):
                horizons.append(self._touch(touched, batch))
            parameters = touched.parameters() | {"tick": self._tick}
            for name in ("counted_minutes", "counted_hours"):
                text = query("streams.history", name, final=self._final, tables=EVENT_TABLES)
                client.command(text, parameters=parameters, settings=WRITE)
        return horizons

    def _touch(self, touched: Touched, batch: Timed) -> "_Horizon":
        """Note what a batch touches, and return how far its partition is with it."""
        origin, events = batch.origin, [part for part in batch.rows if part.counted is not None]
        counted = np.concatenate([part.counted for part in events if part.counted is not None])
        ticks = counted // (self._tick * NANO) * self._tick
        touched.touch_minutes(origin.partition, np.concatenate([part.time for part in events]))
        touched.touch_hours(origin.partition, ticks)
        assert batch.newest is not None  # noqa: S101  there are events
        closed = (batch.newest // NANO - self._lateness) // self._tick * self._tick
        place = ("rows", origin.topic_id, origin.partition, -1)
        return _Horizon(place, 1, int(origin.offsets[0]), int(ticks.min()), closed)

    def _windows_stored(self, client: Client, batches: Sequence[Closed]) -> list["_Horizon"]:
        full = [batch for batch in batches if any(not closing.empty for closing in batch.closings)]
        for touched in by_topic(batch.origin for batch in full).values():
            own = [batch for batch in full if batch.origin.topic_id == touched.topic_id]
            parameters = _of_windows(touched, own)
            for name in ("window_minutes", "window_hours"):
                client.command(query("streams.history", name), parameters=parameters, settings=WRITE)
        return [horizon for batch in batches for horizon in _horizons(batch)]

    def _note(self, client: Client, horizons: Sequence["_Horizon"]) -> None:
        """Note how far the paths are, where they have moved."""
        moved = list[_Horizon]()
        for horizon in horizons:
            if self._noted.get(horizon.place, -1) < horizon.closed:
                moved.append(horizon)
        if moved:
            rows = pa.Table.from_pylist([horizon.row() for horizon in moved], schema=_HORIZON)
            client.insert_arrow("horizons", rows, settings=WRITE)
        for horizon in moved:
            self._noted[horizon.place] = max(self._noted.get(horizon.place, -1), horizon.closed)


@dataclass(frozen=True, slots=True)
class _Horizon:
    """How far a path is: its name, the source's topic and partition, and its partition of windows."""

    place: tuple[str, str, int, int]
    partitions: int
    offset: int
    first: int
    closed: int

    def row(self) -> dict[str, Any]:
        path, topic_id, partition, target = self.place
        return {
            "path": path, "source_topic_id": topic_id, "source_partition": partition, "kafka_partition": target,
            "partitions": self.partitions, "first_offset": self.offset, "first_time": max(self.first, 0),
            "closed": max(self.closed, 0),
        }  # fmt: skip


_HORIZON: Final = pa.schema(
    [
        ("path", pa.string()),
        ("source_topic_id", pa.string()),
        ("source_partition", pa.int32()),
        ("kafka_partition", pa.int32()),
        ("partitions", pa.int32()),
        ("first_offset", pa.int64()),
        ("first_time", pa.uint32()),
        ("closed", pa.uint32()),
    ]
)


def _of_windows(touched: Touched, batches: Sequence[Closed]) -> dict[str, Any]:
    """Return the parameters with which the minutes and hours of windows are summed."""
    full = [(batch.origin.partition, item) for batch in batches for item in batch.closings if not item.empty]
    minutes = {(item.tick * item.tick_seconds // MINUTE * MINUTE, item.tick_seconds) for _, item in full}
    for partition, item in full:
        touched.hours.add((partition, item.tick * item.tick_seconds // HOUR * HOUR))
    return touched.parameters() | {
        "sources": sorted({item.source_topic_id for _, item in full}),
        "ticks": sorted({tick for minute, seconds in minutes for tick in _ticks_of(minute, seconds)}),
    }


def _horizons(batch: Closed) -> Iterable[_Horizon]:
    """Yield how far each source is with the windows of a batch."""
    for source in sorted({(item.source_topic_id, item.source_partition) for item in batch.closings}):
        own = [item for item in batch.closings if (item.source_topic_id, item.source_partition) == source]
        closed = max((item.tick + 1) * item.tick_seconds for item in own)
        first = min(item.first_tick * item.tick_seconds for item in own)
        place = ("windows", *source, batch.origin.partition)
        yield _Horizon(place, batch.partitions, int(batch.origin.offsets[0]), first, closed)


def _ticks_of(minute: int, tick_seconds: int) -> Iterable[int]:
    """Return the ticks that start in a minute.

    >>> list(_ticks_of(60, 10)), list(_ticks_of(60, 7)), list(_ticks_of(60, 120))
    ([6, 7, 8, 9, 10, 11], [9, 10, 11, 12, 13, 14, 15, 16, 17], [])
    """
    return range(-(-minute // tick_seconds), -(-(minute + MINUTE) // tick_seconds))
