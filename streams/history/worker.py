"""The history worker: every topic to ClickHouse, each record exactly once."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import structlog
from aiokafka import ConsumerRecord
from clickhouse_connect.driver.client import Client
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from schemas.actions import Control, Delivery, IncidentAction, IncidentEvidence
from schemas.findings import Finding
from schemas.records import Change, Incident, ReviewLabel
from schemas.review import ReviewItem
from schemas.tables import DEAD_LETTERS, WINDOW_MESSAGES, WINDOWS, Table
from schemas.topics import (
    ACTIONS,
    CHANGES,
    CONTROLS,
    DELIVERIES,
    EVIDENCE,
    FINDINGS,
    INCIDENTS,
    INFERENCE,
    REVIEW_QUEUE,
    REVIEWS,
)
from schemas.topics import DEAD_LETTERS as DEAD_LETTERS_TOPIC
from schemas.topics import WINDOWS as WINDOWS_TOPIC
from schemas.windows import Window
from schemas.wire import InvalidRecordError, decoder
from streams.events.decode import Decoder, Refused, events_decoder
from streams.health.metrics import RETRIES, ROWS, count_refused, counted
from streams.history.rows import INSTANT, TABLE_OF, Origin, Rows, rows_of, with_origin
from streams.history.two_paths import Closing, TwoPaths
from streams.history.writer import HistoryWriter
from streams.kafka.publisher import Publisher
from streams.kafka.topics import TopicState
from streams.settings import Settings
from streams.store.client import StoreUnavailableError
from streams.store.keeper import StoreWatch
from streams.store.lost import EVENTS
from streams.store.reach import StoreReach
from streams.worker.dead_letters import Letters
from streams.worker.faust_app import LogBatch
from streams.worker.plausible import Plausible

log: Final = structlog.get_logger()

_PLAIN: Final = {
    FINDINGS: Finding,
    CHANGES: Change,
    REVIEWS: ReviewLabel,
    REVIEW_QUEUE: ReviewItem,
    INCIDENTS: Incident,
    ACTIONS: IncidentAction,
    EVIDENCE: IncidentEvidence,
    DELIVERIES: Delivery,
    CONTROLS: Control,
}
"""Topics of one kind of record, each of which becomes a row."""

TOPICS: Final = (INFERENCE, WINDOWS_TOPIC, *_PLAIN, DEAD_LETTERS_TOPIC)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch comes to: rows, records that were refused, and which ticks its windows close."""

    rows: list[Rows]
    refused: list[Refused]
    closings: Sequence[Closing] = ()


class History:
    """The stage of the history worker.

    Parameters
    ----------
    connect
        Opens a client of the store.
    plausible
        What windows are held against.
    """

    def __init__(
        self, settings: Settings, publisher: Publisher, connect: Callable[[], Client], plausible: Plausible
    ) -> None:
        self._settings: Final = settings
        self._publisher: Final = publisher
        self._connect: Final = connect
        self._letters: Final = Letters(settings.topic(DEAD_LETTERS_TOPIC.name))
        self._plausible: Final = plausible
        self._writer: HistoryWriter | None = None
        self._reach: Final = StoreReach(settings, connect)
        self._watch: Final = StoreWatch(settings, connect, tables_of(settings), self._gives_rows)
        self._watching: asyncio.Future[Any] | None = None
        self._shared: Final = not settings.clickhouse.startswith("chdb://")
        self._paths: Final = TwoPaths(settings.tick_seconds, settings.lateness_seconds, several_writers=self._shared)
        self._decoders: Final = {settings.topic(topic.name): Decoder(kind) for topic, kind in _PLAIN.items()}
        self._decoders[settings.topic(INFERENCE.name)] = events_decoder()

    async def start(self) -> None:
        """Connect to Kafka and to the store."""
        await self._publisher.start()
        self._writer = HistoryWriter(await asyncio.to_thread(self._connect), several_writers=self._shared)
        self._watching = asyncio.gather(self._watch.run(), self._reach.watch())

    async def stop(self) -> None:
        """Disconnect."""
        if self._watching is not None:
            self._watching.cancel()
        await self._publisher.stop()

    async def position(self, topic: TopicState, partition: int) -> None:
        """Go on with what is committed, as a commit follows what is stored."""

    async def forget(self) -> None:
        """Ask the store again what it holds."""
        if self._writer is not None:
            self._writer.forget()
        self._paths.forget()
        self._watch.look_now()

    async def take(self, batch: LogBatch) -> None:
        """Store a batch, publish its dead letters, then acknowledge it."""
        taken = await asyncio.to_thread(self._rows, batch)
        count_refused(batch.topic.name, taken.refused)
        await self._publisher.publish(self._letters.of(batch, taken.refused))
        async for attempt in AsyncRetrying(
            wait=wait_random_exponential(max=10), retry=retry_if_exception_type(StoreUnavailableError)
        ):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    RETRIES.labels("clickhouse").inc()
                    log.warning("the store does not answer; trying again", topic=batch.topic.name)
                await self._reach.room()
                await asyncio.to_thread(self._write, batch, taken)
        batch.ack()

    def _write(self, batch: LogBatch, taken: Taken) -> None:
        assert self._writer is not None  # noqa: S101
        origin, rows = origin_of(batch), taken.rows
        then: Callable[[Client], None] = _nothing
        if batch.topic.name == self._settings.topic(INFERENCE.name):
            written = np.fromiter((record.timestamp for record in batch.records), np.int64, len(batch.records))
            rows, newest = self._writer.ask(
                partial(self._paths.timed, origin=origin, written_ms=written, rows=taken.rows)
            )
            then = partial(self._paths.rows_stored, origin=origin, rows=rows, newest=newest)
        elif taken.closings:
            partitions = batch.topic.partitions
            then = partial(self._paths.windows_stored, origin=origin, closings=taken.closings, partitions=partitions)
        counted(ROWS, self._writer.write(origin, rows, then).rows)

    def _gives_rows(self, topic: TopicState, partition: int, records: Sequence[ConsumerRecord]) -> bool:
        """Tell whether any of some records is stored as a row."""
        return bool(records) and any(
            len(part.offset) for part in self._rows(LogBatch(topic, partition, tuple(records), lambda: None)).rows
        )

    def _rows(self, batch: LogBatch) -> Taken:
        origin = origin_of(batch)
        if batch.topic.name == self._settings.topic(WINDOWS_TOPIC.name):
            self._plausible.begin()
            return _window_rows(batch, origin, self._plausible)
        if batch.topic.name == self._settings.topic(DEAD_LETTERS_TOPIC.name):
            return Taken([_dead_letter_rows(batch, origin)], [])
        decoded = self._decoders[batch.topic.name](batch.records)
        rows = [part for columns in decoded.kinds.values() for part in rows_of(columns, origin)]
        return Taken(rows, decoded.refused)


def _nothing(client: Client) -> None:
    """Do nothing after a batch."""


def tables_of(settings: Settings) -> dict[str, tuple[Table, ...]]:
    """Return which tables the records of each topic become rows of, by its full name."""
    plain = {topic: (TABLE_OF[kind],) for topic, kind in _PLAIN.items()}  # type: ignore[index]
    own = {INFERENCE: EVENTS, WINDOWS_TOPIC: (WINDOW_MESSAGES,), DEAD_LETTERS_TOPIC: (DEAD_LETTERS,)}
    return {settings.topic(topic.name): tables for topic, tables in {**plain, **own}.items()}


def origin_of(batch: LogBatch) -> Origin:
    """Return where the rows of a batch come from."""
    offsets = np.fromiter((record.offset for record in batch.records), np.int64, len(batch.records))
    return Origin(batch.topic.name, batch.topic.topic_id, batch.partition, offsets)


def _window_rows(batch: LogBatch, origin: Origin, plausible: Plausible) -> Taken:
    decode = decoder(Window)
    closings: list[Closing] = []
    cells: list[dict[str, Any]] = []
    offsets: list[tuple[int, int]] = []
    messages: list[dict[str, Any]] = []
    whole: list[tuple[int, int]] = []
    refused: list[Refused] = []
    for position, record in enumerate(batch.records):
        try:
            window = decode(record.value or b"", record.timestamp * 1_000_000)
            assert isinstance(window, Window)  # noqa: S101
            plausible.check(window, record, batch.partition)
        except InvalidRecordError as error:
            refused.append(Refused(position, error.reason, str(error)))
            continue
        closings.append(
            Closing(
                window.source_topic_id,
                window.source_partition,
                window.first_tick,
                window.tick,
                window.tick_seconds,
                empty=not window.groups,
            )
        )
        for index, cell in enumerate(_cells(window)):
            cells.append(cell)
            offsets.append((record.offset, index))
        if window.groups:
            messages.append(_place(window) | {"payload": record.value})
            whole.append((record.offset, 0))
    rows = [_rows_of_cells(WINDOWS, cells, offsets, origin)] if cells else []
    if messages:
        rows.append(_rows_of_cells(WINDOW_MESSAGES, messages, whole, origin))
    return Taken(rows, refused, closings)


def _place(window: Window) -> dict[str, Any]:
    return {
        "time": window.tick * window.tick_seconds * 1_000_000_000,
        "tick": window.tick,
        "tick_seconds": window.tick_seconds,
        "source_topic_id": window.source_topic_id,
        "source_partition": window.source_partition,
    }


def _cells(window: Window) -> Iterator[dict[str, Any]]:
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


def _dead_letter_rows(batch: LogBatch, origin: Origin) -> Rows:
    cells = []
    for record in batch.records:
        headers = {name: value.decode(errors="replace") for name, value in record.headers}
        cells.append(
            {
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
        )
    return _rows_of_cells(DEAD_LETTERS, cells, [(record.offset, 0) for record in batch.records], origin)


def _number(text: str, below: int) -> int:
    """Return a number that a header holds, or -1 where it holds none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) < below else -1


def _rows_of_cells(table: Any, cells: list[dict[str, Any]], keys: list[tuple[int, int]], origin: Origin) -> Rows:
    """Return rows from plain values; these tables are small beside the events."""
    offset = np.array([key[0] for key in keys], np.int64)
    index = np.array([key[1] for key in keys], np.int64)
    columns = pa.Table.from_pylist(cells)
    instants = columns.column("time").cast(INSTANT)
    columns = columns.set_column(columns.column_names.index("time"), "time", instants)
    return Rows(table, with_origin(columns, origin, offset, index), offset, index, np.zeros(len(cells), np.int64))
