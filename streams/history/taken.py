"""What a batch comes to, and the rows of windows and dead letters: small tables beside the events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.fields import NANO
from schemas.tables import DEAD_LETTERS, WINDOW_MESSAGES, WINDOWS, Table
from schemas.windows import Window
from schemas.wire import InvalidRecordError, decoder
from streams.events.records import Refused
from streams.history.columns import INSTANT
from streams.history.rows import Origin, Rows, with_origin
from streams.history.two_paths import Closing
from streams.worker.faust_app import LogBatch
from streams.worker.plausible import Plausible


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch comes to: rows, records that were refused, and which ticks its windows close."""

    rows: list[Rows]
    refused: list[Refused]
    closings: Sequence[Closing] = ()


@dataclass(slots=True)
class _Cells:
    """Rows of one table in the making: their values, and of which record and which part of it each is."""

    table: Table
    values: list[dict[str, Any]] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)

    def add(self, values: dict[str, Any], offset: int, index: int = 0) -> None:
        self.values.append(values)
        self.offsets.append(offset)
        self.indices.append(index)

    def rows(self, origin: Origin) -> list[Rows]:
        """Return them as an Arrow table; nothing where there are none."""
        if not self.values:
            return []
        offset, index = np.array(self.offsets, np.int64), np.array(self.indices, np.int64)
        columns = pa.Table.from_pylist(self.values)
        instants = columns.column("time").cast(INSTANT)
        columns = columns.set_column(columns.column_names.index("time"), "time", instants)
        table = with_origin(columns, origin, offset, index)
        return [Rows(self.table, table, offset, index, np.zeros(len(offset), np.int64))]


def window_rows(batch: LogBatch, origin: Origin, plausible: Plausible) -> Taken:
    """Return what windows come to: a row a group and rate, the message itself, and the ticks that they close."""
    decode, closings, refused = decoder(Window), list[Closing](), list[Refused]()
    cells, messages = _Cells(WINDOWS), _Cells(WINDOW_MESSAGES)
    for position, record in enumerate(batch.records):
        try:
            window = decode(record.value or b"", record.timestamp * 1_000_000)
            assert isinstance(window, Window)  # noqa: S101
            plausible.check(window, record, batch.partition)
        except InvalidRecordError as error:
            refused.append(Refused(position, error.reason, str(error)))
            continue
        closings.append(_closing(window))
        for index, cell in enumerate(_rates(window)):
            cells.add(cell, record.offset, index)
        if window.groups:
            messages.add(_place(window) | {"payload": record.value}, record.offset)
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


def _place(window: Window) -> dict[str, Any]:
    return {
        "time": window.tick * window.tick_seconds * NANO,
        "tick": window.tick,
        "tick_seconds": window.tick_seconds,
        "source_topic_id": window.source_topic_id,
        "source_partition": window.source_partition,
    }


def _rates(window: Window) -> Iterator[dict[str, Any]]:
    for group in window.groups:
        for metric, sums in group.rates.items():
            yield _place(window) | {
                "tenant_id": group.tenant_id,
                "service_name": group.service_name,
                "model_version": group.model_version,
                "deployment_variant": group.variant,
                "metric": metric,
                "trials": sums.trials,
                "flagged": sums.flagged,
                "events": sums.events,
                "flagged_events": sums.flagged_events,
                "late": group.late,
            }


def dead_letter_rows(batch: LogBatch, origin: Origin) -> list[Rows]:
    """Return the rows of dead letters, by what their headers say of where they came from."""
    cells = _Cells(DEAD_LETTERS)
    for record in batch.records:
        headers = {name: value.decode(errors="replace") for name, value in record.headers}
        said = {
            "time": record.timestamp * 1_000_000,
            "origin_topic": headers.get("origin-topic", ""),
            "origin_topic_id": headers.get("origin-topic-id", ""),
            "origin_partition": _number(headers.get("origin-partition", ""), 2**31),
            "origin_offset": _number(headers.get("origin-offset", ""), 2**63),
            "reason": headers.get("reason", ""),
            "detail": headers.get("detail", ""),
            "schema_version": headers.get("schema-version", ""),
            "value": record.value or b"",
        }
        cells.add(said, record.offset)
    return cells.rows(origin)


def _number(text: str, below: int) -> int:
    """Return a number that a header holds, or -1 where it holds none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) < below else -1
