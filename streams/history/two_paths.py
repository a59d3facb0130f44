"""What history stored and what watch counted, summed alike while both are written: what tells a loss between them.

Both read the same log by the same rule, so each tick must hold the same on both sides. The views
`counted_differences` and `kpi_trust` compare the sums, `watchkeeper verify` the rows and windows themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from schemas.fields import NANO
from schemas.sql import query
from streams.history.counted import Int64s, newest_before, with_counted_time
from streams.history.rows import Origin, Rows
from streams.store.client import WRITE

HOUR: Final = 3_600
MINUTE: Final = 60

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

    def timed(
        self, client: Client, origin: Origin, written_ms: Int64s, rows: Sequence[Rows]
    ) -> tuple[list[Rows], int | None]:
        """Return rows of events with when they count, and the highest time met so far."""
        key = (origin.topic_id, origin.partition)
        if key not in self._newest:
            self._newest[key] = newest_before(client, origin)
        return with_counted_time(rows, origin, written_ms, self._newest[key], self._lateness * NANO)

    def rows_stored(self, client: Client, origin: Origin, rows: Sequence[Rows], newest: int | None) -> None:
        """Sum the rows of a batch that is stored, and say how far the partition is."""
        self._newest[origin.topic_id, origin.partition] = newest
        events = [part for part in rows if part.counted is not None]
        if not events or newest is None:
            return
        times = np.concatenate([part.time for part in events])
        counted = np.concatenate([part.counted for part in events if part.counted is not None])
        ticks = counted // (self._tick * NANO) * self._tick
        hours = [int(hour) * HOUR for hour in np.unique(ticks // HOUR)]
        parameters = _span(hours) | {
            "topic_id": origin.topic_id, "partition": origin.partition, "version": int(origin.offsets[-1]),
            "tick": self._tick, "minutes": [int(minute) * MINUTE for minute in np.unique(times // (MINUTE * NANO))],
        }  # fmt: skip
        for name in ("counted_minutes", "counted_hours"):
            text = query("streams.history", name, final=self._final, tables=EVENT_TABLES)
            client.command(text, parameters=parameters, settings=WRITE)
        closed = (newest // NANO - self._lateness) // self._tick * self._tick
        place = ("rows", origin.topic_id, origin.partition, -1)
        self._note(client, place, 1, int(origin.offsets[0]), int(ticks.min()), closed)

    def windows_stored(self, client: Client, origin: Origin, closings: Sequence[Closing], partitions: int) -> None:
        """Sum the windows of a batch that is stored, and say how far each source is in this partition of theirs."""
        full = [closing for closing in closings if not closing.empty]
        minutes = {(item.tick * item.tick_seconds // MINUTE * MINUTE, item.tick_seconds) for item in full}
        if minutes:
            hours = sorted({minute // HOUR * HOUR for minute, _ in minutes})
            parameters = _span(hours) | {
                "topic_id": origin.topic_id, "partition": origin.partition, "version": int(origin.offsets[-1]),
                "sources": sorted({closing.source_topic_id for closing in full}),
                "ticks": sorted({tick for minute, seconds in minutes for tick in _ticks_of(minute, seconds)}),
            }  # fmt: skip
            for name in ("window_minutes", "window_hours"):
                client.command(query("streams.history", name), parameters=parameters, settings=WRITE)
        for source in sorted({(item.source_topic_id, item.source_partition) for item in closings}):
            own = [item for item in closings if (item.source_topic_id, item.source_partition) == source]
            closed = max((item.tick + 1) * item.tick_seconds for item in own)
            first = min(item.first_tick * item.tick_seconds for item in own)
            self._note(
                client, ("windows", *source, origin.partition), partitions, int(origin.offsets[0]), first, closed
            )

    def _note(
        self, client: Client, place: tuple[str, str, int, int], partitions: int, offset: int, first: int, closed: int
    ) -> None:
        """Note how far a path is, where it has moved."""
        if self._noted.get(place, -1) >= closed:
            return
        path, topic_id, partition, target = place
        row = {
            "path": path, "source_topic_id": topic_id, "source_partition": partition, "kafka_partition": target,
            "partitions": partitions, "first_offset": offset, "first_time": max(first, 0), "closed": max(closed, 0),
        }  # fmt: skip
        client.insert_arrow("horizons", pa.Table.from_pylist([row], schema=_HORIZON), settings=WRITE)
        self._noted[place] = closed


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


def _span(hours: Sequence[int]) -> dict[str, object]:
    return {"hours": list(hours), "first": hours[0], "end": hours[-1] + HOUR}


def _ticks_of(minute: int, tick_seconds: int) -> Iterable[int]:
    """Return the ticks that start in a minute.

    >>> list(_ticks_of(60, 10)), list(_ticks_of(60, 7)), list(_ticks_of(60, 120))
    ([6, 7, 8, 9, 10, 11], [9, 10, 11, 12, 13, 14, 15, 16, 17], [])
    """
    return range(-(-minute // tick_seconds), -(-(minute + MINUTE) // tick_seconds))
