"""Kafka's log read directly: what it holds between two offsets, asked of the broker and of nobody's memory.

Workers get their records through Faust; whoever must know that nothing was left out asks here. A reader belongs to no
group and keeps no position between two questions.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.kafka.ending import to_its_end
from streams.kafka.topics import TopicState

MOST_FETCHED: Final = 4_000_000
"""Bytes of one fetch of a partition."""

QUIET_FETCHES: Final = 60
"""So many fetches of a second without a step, with records still to come, and the log can't be read."""


class LogUnreadableError(RuntimeError):
    """The broker says that there are records, and gives none."""


class Bounds(NamedTuple):
    """The first offset that a partition still holds, and the one that its next record will get."""

    begin: int
    end: int


class LogReader:
    """Reads partitions from offset to offset.

    Parameters
    ----------
    client
        Arguments of a Kafka client.
    """

    def __init__(self, client: Mapping[str, Any]) -> None:
        self._client: Final = client

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """Return where a partition begins and ends now."""
        tp = TopicPartition(topic, partition)
        async with self._consumer(tp) as consumer:
            return await _bounds(consumer, tp)

    async def stretch(self, topic: str, partition: int, bounds: Bounds) -> AsyncGenerator[ConsumerRecord]:
        """Yield what a partition still holds between two offsets, the second of them not beyond its end."""
        tp = TopicPartition(topic, partition)
        async with self._consumer(tp) as consumer:
            async for record in _read(consumer, tp, *bounds):
                yield record

    async def between(self, topic: str, partition: int, start: int, end: int, most: int) -> list[ConsumerRecord]:
        """Return the first records, at most so many, that a partition holds from one offset to before another."""
        tp = TopicPartition(topic, partition)
        found: list[ConsumerRecord] = []
        async with self._consumer(tp) as consumer:
            async for record in _read(consumer, tp, start, end):
                found.append(record)
                if len(found) == most:
                    break
        return found

    async def records(self, topic: str, partition: int) -> AsyncIterator[ConsumerRecord]:
        """Yield all records that a partition holds now."""
        tp = TopicPartition(topic, partition)
        async with self._consumer(tp) as consumer:
            async for record in _read(consumer, tp, *await _bounds(consumer, tp)):
                yield record

    async def since(self, topic: str, partition: int, time_ms: int) -> AsyncIterator[ConsumerRecord]:
        """Yield the records that a partition holds now, from the first that was written at a time or after it."""
        tp = TopicPartition(topic, partition)
        async with self._consumer(tp) as consumer:
            found = (await consumer.offsets_for_times({tp: max(time_ms, 0)}))[tp]
            if found is not None:
                async for record in _read(consumer, tp, found.offset, (await _bounds(consumer, tp)).end):
                    yield record

    async def whole(self, topics: Iterable[TopicState]) -> AsyncIterator[ConsumerRecord]:
        """Yield all records that topics hold now, topic by topic, each partition in its order."""
        for topic in topics:
            for number in range(topic.partitions):
                async for record in self.records(topic.name, number):
                    yield record

    async def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the offset that a group has committed for a partition, None where it has not."""
        tp = TopicPartition(topic, partition)
        async with self._consumer(tp, group_id=group) as consumer:
            offset = await consumer.committed(tp)
            return None if offset is None or offset < 0 else int(offset)

    @asynccontextmanager
    async def _consumer(self, tp: TopicPartition, **more: Any) -> AsyncIterator[AIOKafkaConsumer]:
        """Open a client of one partition for all its life: one that changes partitions may hang when it is closed."""
        consumer = AIOKafkaConsumer(
            **self._client,
            **more,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MOST_FETCHED,
        )
        try:
            await consumer.start()
            consumer.assign([tp])
            await asyncio.sleep(0)  # a client that is closed before its tasks have begun says that it was cancelled
            yield consumer
        finally:
            await to_its_end(consumer.stop())


async def _bounds(consumer: AIOKafkaConsumer, tp: TopicPartition) -> Bounds:
    begin, end = await consumer.beginning_offsets([tp]), await consumer.end_offsets([tp])
    return Bounds(begin[tp], end[tp])


async def _read(consumer: AIOKafkaConsumer, tp: TopicPartition, start: int, end: int) -> AsyncIterator[ConsumerRecord]:
    """Yield what lies between two offsets; `end` is not beyond the end of the log."""
    if start >= end:
        return
    consumer.seek(tp, start)
    quiet = 0
    while (before := await consumer.position(tp)) < end:
        for record in (await consumer.getmany(tp, timeout_ms=1000)).get(tp, []):
            if record.offset < end:
                yield record
        quiet = quiet + 1 if await consumer.position(tp) == before else 0
        if quiet >= QUIET_FETCHES:
            raise LogUnreadableError(f"{tp.topic}/{tp.partition} gives no record from {before} on, and ends at {end}")
