"""The history worker: every topic to ClickHouse, each record exactly once."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

import numpy as np
import structlog
from aiokafka import ConsumerRecord
from clickhouse_connect.driver.client import Client
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from schemas.topics import AUDIT_HEADS, INFERENCE
from schemas.topics import DEAD_LETTERS as DEAD_LETTERS_TOPIC
from schemas.topics import WINDOWS as WINDOWS_TOPIC
from streams.erasure.keeper import Eraser
from streams.events.decode import Decoder, events_decoder
from streams.health.metrics import RETRIES, ROWS, count_refused, counted
from streams.history.erased import Erased
from streams.history.gathering import ROLL_UP_SECONDS, Gathering
from streams.history.masked import count, masked_rows
from streams.history.rollups import kept_from, without_columns
from streams.history.rows import Int64s, Origin, rows_of
from streams.history.taken import Taken, dead_letter_rows, head_rows, window_rows
from streams.history.topics import PLAIN, TOPICS, tables_of
from streams.history.two_paths import Closed, Timed, TwoPaths
from streams.history.writer import HistoryWriter
from streams.identifiers.guard import guard_of
from streams.kafka.publisher import Publisher
from streams.kafka.topics import TopicState
from streams.policy.policy import load_policy
from streams.retention.keeper import Keeper
from streams.settings import Settings
from streams.store.client import StoreUnavailableError
from streams.store.client import connect as open_store
from streams.store.keeper import StoreWatch
from streams.store.reach import StoreReach
from streams.worker.background import in_background
from streams.worker.dead_letters import Letters
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts
from streams.worker.plausible import Plausible

log: Final = structlog.get_logger()

NEEDED: Final = TOPICS
BATCH_RECORDS: Final = 20_000
"""An insert costs the same for a few rows as for many, so history would rather have many."""


def stage(parts: Parts) -> "History":
    """Return what the worker does with its batches."""
    plausible = Plausible.here(parts)
    return History(parts.settings, parts.publisher, partial(open_store, parts.settings), plausible)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch that is made into rows and waits to be stored; its records are gone, but for when they were written."""

    batch: LogBatch
    origin: Origin
    written_ms: Int64s
    taken: Taken

    @property
    def nbytes(self) -> int:
        """Bytes of the rows."""
        return sum(rows.columns.nbytes for rows in self.taken.rows)

    def stored(self, timed: Timed | None) -> "Stored":
        """Return what is left to be done when it is stored; events come with when they count."""
        light = timed and replace(timed, rows=[without_columns(rows) for rows in timed.rows])
        closings = self.taken.closings
        closed = Closed(self.origin, closings, self.batch.topic.partitions) if closings else None
        return Stored(self.batch, light, closed)


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch whose rows are stored and that waits to be rolled up: events, or the ticks that windows close."""

    batch: LogBatch
    timed: Timed | None
    closed: Closed | None

    @property
    def nbytes(self) -> int:
        """Bytes that are still held of it."""
        return 0 if self.timed is None else sum(rows.columns.nbytes + rows.time.nbytes for rows in self.timed.rows)


Item = TypeVar("Item", Waiting, Stored)
T = TypeVar("T")


class History:
    """The stage of the history worker.

    Parameters
    ----------
    connect
        Opens a client of the store.
    plausible
        What windows are held against.
    """

    gathers: Final = True

    def __init__(
        self, settings: Settings, publisher: Publisher, connect: Callable[[], Client], plausible: Plausible
    ) -> None:
        self._settings: Final = settings
        self._publisher: Final = publisher
        self._connect: Final = connect
        self._letters: Final = Letters(settings.topic(DEAD_LETTERS_TOPIC.name))
        self._plausible: Final = plausible
        self._writer: HistoryWriter | None = None
        self._summing: HistoryWriter | None = None
        self._gathering: Final = Gathering(self._store)
        self._rolling: Final = Gathering(self._roll_up, ROLL_UP_SECONDS)
        self._running: tuple[asyncio.Task[None], ...] = ()
        self._reach: Final = StoreReach(settings, connect)
        self._watch: Final = StoreWatch(settings, connect, tables_of(settings), self._gives_rows)
        self._keeper: Final = Keeper(settings, connect, load_policy(settings.policy))
        self._erased: Final = Erased()
        self._eraser: Final = Eraser(settings, connect, self._erased.learn)
        self._watching: tuple[asyncio.Task[None], ...] = ()
        self._shared: Final = not settings.clickhouse.startswith("chdb://")
        self._paths: Final = TwoPaths(settings.tick_seconds, settings.lateness_seconds, several_writers=self._shared)
        guard = guard_of(settings)
        self._decoders: Final = {settings.topic(topic.name): Decoder(kind, (), guard) for topic, kind in PLAIN.items()}
        self._decoders[settings.topic(INFERENCE.name)] = events_decoder(guard)

    async def start(self) -> None:
        """Connect to Kafka and to the store."""
        await self._publisher.start()
        self._writer, self._summing = [
            HistoryWriter(await asyncio.to_thread(self._connect), several_writers=self._shared) for _ in range(2)
        ]
        await asyncio.to_thread(self._eraser.begin)
        watching = self._watch.run(), self._reach.watch(), self._keeper.run(), self._eraser.run()
        self._watching = tuple(map(in_background, watching))
        self._running = in_background(self._gathering.run()), in_background(self._rolling.run())

    async def stop(self) -> None:
        """Store what waits, and disconnect."""
        if self._running and not any(task.done() for task in self._running):
            await self._flush()
        for task in (*self._running, *self._watching):
            task.cancel()
        await self._publisher.stop()

    async def position(self, topic: TopicState, partition: int) -> None:
        """Go on with what is committed, as a commit follows what is stored."""

    async def forget(self) -> None:
        """Drop what is not stored, which comes again, and ask the store again what it holds."""
        await self._gathering.drop()
        await self._rolling.drop()
        if self._writer is not None:
            self._writer.forget()
        self._paths.forget()
        self._watch.look_now()

    async def take(self, batch: LogBatch) -> None:
        """Make a batch into rows, publish its dead letters, and have it stored with others and then acknowledged."""
        if batch.at_once:
            await self._flush()
        taken = await asyncio.to_thread(self._rows, batch)
        count_refused(batch.topic.name, taken.refused)
        count(taken.masked)
        await self._publisher.publish(self._letters.of(batch, taken.refused))
        written = np.fromiter((record.timestamp for record in batch.records), np.int64, len(batch.records))
        await self._gathering.add(Waiting(batch.without_records(), origin_of(batch), written, taken))
        if batch.at_once:
            await self._flush()

    async def _flush(self) -> None:
        """Store and roll up all that waits."""
        await self._gathering.flush()
        await self._rolling.flush()

    async def _store(self, group: Sequence[Waiting]) -> None:
        """Store batches, and have them rolled up with others."""
        for stored in await self._until_it_answers(group, self._insert, whole=False):
            await self._rolling.add(stored)

    async def _roll_up(self, group: Sequence[Stored]) -> None:
        """Bring all sums up to batches that are stored, then acknowledge them."""
        await self._until_it_answers(group, self._sum, whole=True)
        for item in group:
            item.batch.ack()

    async def _until_it_answers(self, group: Sequence[Item], work: Callable[[Sequence[Item]], T], *, whole: bool) -> T:
        """Do some work in the store, again and again while it does not answer; `whole` where it is the last of it."""
        with ExitStack() as marks:
            for item in group:
                marks.enter_context(item.batch.at_work(whole=whole))
            async for attempt in AsyncRetrying(
                wait=wait_random_exponential(max=10), retry=retry_if_exception_type(StoreUnavailableError)
            ):
                with attempt:
                    if attempt.retry_state.attempt_number > 1:
                        RETRIES.labels("clickhouse").inc()
                        log.warning("the store does not answer; trying again", batches=len(group))
                    await self._reach.room()
                    return await asyncio.to_thread(work, group)
        raise AssertionError("a retry without an end has ended")

    def _insert(self, group: Sequence[Waiting]) -> list[Stored]:
        assert self._writer is not None  # noqa: S101
        of_events = self._settings.topic(INFERENCE.name)
        events = [item for item in group if item.batch.topic.name == of_events]
        batches = [(item.origin, item.written_ms, item.taken.rows) for item in events]
        timed = self._writer.ask(partial(self._paths.timed, batches=batches)) if events else []
        others = [(item.origin, item.taken.rows) for item in group if item.batch.topic.name != of_events]
        written = self._writer.store([*((item.origin, item.rows) for item in timed), *others])
        counted(ROWS, written.rows)
        self._paths.stored(timed)
        rest = iter(timed)
        return [item.stored(next(rest) if item.batch.topic.name == of_events else None) for item in group]

    def _sum(self, group: Sequence[Stored]) -> None:
        assert self._summing is not None  # noqa: S101
        timed = [item.timed for item in group if item.timed is not None]
        closed = [item.closed for item in group if item.closed is not None]
        self._summing.roll_up([(item.origin, item.rows) for item in timed])
        self._summing.ask(partial(self._paths.sum, events=timed, windows=closed))

    def _gives_rows(self, topic: TopicState, partition: int, records: Sequence[ConsumerRecord]) -> bool:
        """Tell whether any of some records is stored as a row, and not removed because of its age."""
        if not records:
            return False
        with self._connect() as client:
            kept = kept_from(client)
        parts = self._rows(LogBatch(topic, partition, tuple(records), lambda: None)).rows
        return any((part.time >= kept).any() for part in parts)

    def _rows(self, batch: LogBatch) -> Taken:
        made = self._made(batch)
        return replace(made, rows=self._erased.out_of(made.rows))

    def _made(self, batch: LogBatch) -> Taken:
        origin = origin_of(batch)
        if batch.topic.name == self._settings.topic(WINDOWS_TOPIC.name):
            self._plausible.begin()
            return window_rows(batch, origin, self._plausible)
        if batch.topic.name == self._settings.topic(DEAD_LETTERS_TOPIC.name):
            return Taken(dead_letter_rows(batch, origin), [])
        if batch.topic.name == self._settings.topic(AUDIT_HEADS.name):
            return head_rows(batch, origin)
        decoded = self._decoders[batch.topic.name](batch.records)
        rows = [part for columns in decoded.kinds.values() for part in rows_of(columns, origin)]
        return Taken([*masked_rows(decoded, origin), *rows], decoded.refused, masked=decoded.masked)


def origin_of(batch: LogBatch) -> Origin:
    """Return where the rows of a batch come from."""
    offsets = np.fromiter((record.offset for record in batch.records), np.int64, len(batch.records))
    return Origin(batch.topic.name, batch.topic.topic_id, batch.partition, offsets)
