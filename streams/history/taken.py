"""What a batch comes to, and the rows of windows, dead letters and heads of audit logs: small tables beside events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from schemas.fields import MAX_PARTS, MAX_RECORD_BYTES, NANO
from schemas.tables import AUDIT_HEADS, DEAD_LETTERS, WINDOW_MESSAGES, WINDOWS, Table
from schemas.windows import Window
from schemas.wire import InvalidRecordError, decoder, refuse_future, refuse_shape
from streams.audit.verifier import Head, read_head
from streams.events.decode import Masked
from streams.events.records import Refused
from streams.history.columns import INSTANT
from streams.history.rows import Origin, Rows, with_origin
from streams.history.two_paths import Closing
from streams.worker.faust_app import LogBatch
from streams.worker.plausible import Plausible

_PLACE: Final = ("time", "tick", "tick_seconds", "source_topic_id", "source_partition")
_RATE: Final = (
    "tenant_id", "service_name", "model_version", "deployment_variant", "metric",
    "trials", "flagged", "events", "flagged_events", "late",
)  # fmt: skip
_LETTER: Final = (
    "time", "origin_topic", "origin_topic_id", "origin_partition", "origin_offset",
    "reason", "detail", "schema_version", "value",
)  # fmt: skip

_HEAD: Final = ("log", "sequence", "hash", "time", "line")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch comes to: rows, records that were refused, which ticks its windows close, and what was masked."""

    rows: list[Rows]
    refused: list[Refused]
    closings: Sequence[Closing] = ()
    masked: Sequence[Masked] = ()


@dataclass(slots=True)
class _Cells:
    """Rows of one table in the making: their values by column, and of which record and which part of it each is."""

    table: Table
    names: Sequence[str]
    values: list[tuple[Any, ...]] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)

    def add(self, offset: int, *values: tuple[Any, ...]) -> None:
        """Add the rows of one record."""
        self.values += values
        self.offsets += [offset] * len(values)
        self.indices += range(len(values))

    def rows(self, origin: Origin) -> list[Rows]:
        """Return them as an Arrow table; nothing where there are none."""
        if not self.values:
            return []
        offset, index = np.array(self.offsets, np.int64), np.array(self.indices, np.int64)
        columns = [pa.array(column) for column in zip(*self.values, strict=True)]
        time = self.names.index("time")
        columns[time] = columns[time].cast(INSTANT)
        table = with_origin(pa.Table.from_arrays(columns, names=list(self.names)), origin, offset, index)
        return [Rows(self.table, table, offset, index, np.zeros(len(offset), np.int64))]


def window_rows(batch: LogBatch, origin: Origin, plausible: Plausible) -> Taken:
    """Return what windows come to: a row a group and rate, the message itself, and the ticks that they close."""
    decode, closings, refused = decoder(Window), list[Closing](), list[Refused]()
    cells, messages = _Cells(WINDOWS, (*_PLACE, *_RATE)), _Cells(WINDOW_MESSAGES, (*_PLACE, "payload"))
    for position, record in enumerate(batch.records):
        try:
            window = decode(record.value or b"", record.timestamp * 1_000_000)
            assert isinstance(window, Window)  # noqa: S101
            plausible.check(window, record, batch.partition)
        except InvalidRecordError as error:
            refused.append(Refused(position, error.reason, str(error)))
            continue
        closings.append(_closing(window))
        cells.add(record.offset, *_rates(window))
        if window.groups:
            messages.add(record.offset, (*_place(window), record.value))
    return Taken([*cells.rows(origin), *messages.rows(origin)], refused, closings)


def _closing(window: Window) -> Closing:
    return Closing(
        window.source_topic_id,
        window.source_partition,
        window.first_tick,
        window.tick,
        window.tick_seconds,
        empty=not window.groups,
    )


def _place(window: Window) -> tuple[Any, ...]:
    """Return the columns of `_PLACE`."""
    time = window.tick * window.tick_seconds * NANO
    return time, window.tick, window.tick_seconds, window.source_topic_id, window.source_partition


def _rates(window: Window) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of `_PLACE` and `_RATE` of each rate of each group."""
    place = _place(window)
    for group in window.groups:
        whose = (*place, group.tenant_id, group.service_name, group.model_version, group.variant)
        for metric, sums in group.rates.items():
            yield (*whose, metric, sums.trials, sums.flagged, sums.events, sums.flagged_events, group.late)


def dead_letter_rows(batch: LogBatch, origin: Origin) -> list[Rows]:
    """Return the rows of dead letters, by what their headers say of where they came from."""
    cells = _Cells(DEAD_LETTERS, _LETTER)
    for record in batch.records:
        headers = {name: value.decode(errors="replace") for name, value in record.headers}
        said = (
            record.timestamp * 1_000_000,
            headers.get("origin-topic", ""),
            headers.get("origin-topic-id", ""),
            _number(headers.get("origin-partition", ""), 2**31),
            _number(headers.get("origin-offset", ""), 2**63),
            headers.get("reason", ""),
            headers.get("detail", ""),
            headers.get("schema-version", ""),
            record.value or b"",
        )
        cells.add(record.offset, said)
    return cells.rows(origin)


def _number(text: str, below: int) -> int:
    """Return a number that a header holds, or -1 where it holds none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) < below else -1


def head_rows(batch: LogBatch, origin: Origin) -> Taken:
    """Return the rows of heads of audit logs; whether they are signed is judged by whoever verifies a log."""
    cells, refused = _Cells(AUDIT_HEADS, _HEAD), list[Refused]()
    for position, record in enumerate(batch.records):
        try:
            refuse_shape(record.value or b"", MAX_RECORD_BYTES, MAX_PARTS)
            cells.add(record.offset, _head(read_head(record.value or b""), record.timestamp * 1_000_000))
        except InvalidRecordError as error:
            refused.append(Refused(position, error.reason, str(error)))
    return Taken(cells.rows(origin), refused)


def _head(head: Head | None, written_at_unix_nano: int) -> tuple[Any, ...]:
    """Return the columns of `_HEAD`."""
    if head is None or not 0 < head.sequence < 2**63 or "\0" in head.log + head.hash:
        raise InvalidRecordError("invalid", "it is not the head of an audit log")
    try:
        seconds, line = datetime.fromisoformat(head.time).timestamp(), head.line()
    except ValueError as error:  # no time, or a character that there is not
        raise InvalidRecordError("invalid", f"it is not the head of an audit log: {error}") from None
    time = round(seconds) * NANO
    if time < 0:
        raise InvalidRecordError("invalid", "it is from before 1970")
    refuse_future(time, written_at_unix_nano)
    return head.log, head.sequence, head.hash, time, line
