"""Each record of a partition once and in order, whatever the client delivers.

The state of a stage is a function of the log up to an offset. So the next record must be the one after that offset,
and who says so is the stage, not the client, which may deliver records again or leave some out while partitions
change hands. What comes again is passed over; what is left out is read from the log itself.

```
the stage is at   ──► 216
the client gives           424 425 426
the log is asked      216 ... 423
the stage gets        216 ... 423 424 425 426
```

An offset that the log does not hold is gone: removed by compaction or a transaction's mark, which is as it should be,
or deleted before it was read, which is a loss and said aloud.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

import structlog
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from prometheus_client import Counter
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from streams.health.metrics import REPEATED, RETRIES, counted
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import TopicState

log: Final = structlog.get_logger()

READ_AGAIN = Counter("watchkeeper_read_again", "Records that were not delivered, and read from the log", ["topic"])
LOST = Counter("watchkeeper_lost", "Records that Kafka deleted before they were read", ["topic"])

T = TypeVar("T")
Partition = tuple[str, int]
"""A topic's full name, and a number."""

MOST_AT_ONCE: Final = 20_000
"""Records of a hole that are read together; a lost state may ask for millions."""


class Positioned(Protocol):
    """What knows how far the work of a partition is."""

    async def position(self, topic: TopicState, partition: int) -> int | None:
        """Return the offset that the work goes on with; None where that is what the group has committed."""

    async def forget(self) -> None:
        """Drop the state of all partitions."""


class Hole(NamedTuple):
    """Offsets that were not delivered: the first, and the one after the last."""

    start: int
    end: int


class Loss(NamedTuple):
    """Records that were deleted before they were read."""

    topic: TopicState
    partition: int
    hole: Hole


class Reading:
    """Follows what the stage of this worker has read of each partition.

    Parameters
    ----------
    group
        The consumer group, whose commits count where the stage keeps no state of its own.
    stage
        Says where each partition goes on.
    reader
        Reads what was left out.
    lost
        Told of records that are gone for good.

    Attributes
    ----------
    turn
        Held by whoever works with the stage: the loop over batches, or who looks after partitions without any.
    """

    def __init__(
        self, group: str, stage: Positioned, reader: LogReader, lost: Callable[[Loss], Awaitable[None]]
    ) -> None:
        self._group: Final = group
        self._stage: Final = stage
        self._reader: Final = reader
        self._lost: Final = lost
        self.turn: Final = asyncio.Lock()
        self._generation: int | None = None
        self._next: dict[Partition, int] = {}
        self._began: dict[Partition, int] = {}

    async def begin(self, generation: int) -> None:
        """Start anew where partitions were assigned anew."""
        if generation != self._generation:
            self._next.clear()
            self._began.clear()
            await self._stage.forget()
            self._generation = generation

    def next_offset(self, topic: str, partition: int) -> int | None:
        """Return the offset of the record that comes next; None where nobody has asked for the partition yet."""
        return self._next.get((topic, partition))

    async def place(self, topic: TopicState, partition: int) -> int:
        """Return the offset of the record that comes next, worked out where it is not known."""
        known = self._next.get((topic.name, partition))
        if known is None:
            known = self._next[topic.name, partition] = await self._start(topic, partition)
            self._began[topic.name, partition] = known
        return known

    def covered(self, topic: str, partition: int) -> int | None:
        """Return the offset up to which the state that was restored covers a partition, while it is as it was."""
        place = self._next.get((topic, partition))
        return place if place == self._began.get((topic, partition)) else None

    async def continued(
        self, topic: TopicState, partition: int, records: Sequence[ConsumerRecord]
    ) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """Yield the records that come next, given those that were delivered: none twice, none left out.

        The last batch that is yielded ends with the last record delivered, and may be empty.
        """
        place = await self.place(topic, partition)
        if [record.offset for record in records] == [*range(place, place + len(records))]:
            self._next[topic.name, partition] = records[-1].offset + 1
            yield records
            return
        fresh = {record.offset: record for record in records if record.offset >= place}
        counted(REPEATED.labels(topic.name), len(records) - len(fresh))
        offsets = sorted(fresh)
        for hole in holes(place, offsets):
            before = [fresh.pop(offset) for offset in offsets if offset in fresh and offset < hole.start]
            if before:
                yield before
            async for found in self._filled(topic, partition, hole):
                yield found
        self._next[topic.name, partition] = offsets[-1] + 1 if offsets else place
        yield [fresh[offset] for offset in offsets if offset in fresh]

    async def missing(self, topic: TopicState, partition: int, end: int) -> bool:
        """Tell whether the log holds records from where the stage is to before an offset; if not, go on there."""
        place = await self.place(topic, partition)
        if place < end:
            found = await self._ask(lambda: self._reader.between(topic.name, partition, place, end, 1))
            if found:
                return True
        self._next[topic.name, partition] = max(place, end)
        return False

    async def _start(self, topic: TopicState, partition: int) -> int:
        state = await self._stage.position(topic, partition)
        begin, end = await self._ask(lambda: self._reader.bounds(topic.name, partition))
        committed = await self._ask(lambda: self._reader.committed(self._group, topic.name, partition))
        place = committed if state is None else state
        where = {"topic": topic.name, "partition": partition}
        if place is None:
            return begin
        if place > end:
            log.error("the log ends before what was done", **where, done=place, end=end)
            return begin if state is None else end
        if place == 0 < begin:
            if committed:
                log.error("what was learned is gone; it begins anew", **where, offset=begin)
            return begin
        return place

    async def _filled(self, topic: TopicState, partition: int, hole: Hole) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """Yield what the log holds of a hole, and say what it does not hold any more."""
        name, start, found = topic.name, hole.start, 0
        bounds = await self._ask(lambda: self._reader.bounds(name, partition))
        while start < hole.end:
            part = await self._ask(lambda: self._reader.between(name, partition, start, hole.end, MOST_AT_ONCE))  # noqa: B023
            if not part:
                break
            found += len(part)
            start = part[-1].offset + 1
            yield part
        where = {"topic": name, "partition": partition, "first": hole.start, "last": hole.end - 1}
        if found:
            READ_AGAIN.labels(name).inc(found)
            log.info("records were not delivered and are read from the log", **where, records=found)
        if bounds.begin > hole.start:
            gone = Hole(hole.start, min(bounds.begin, hole.end))
            LOST.labels(name).inc(gone.end - gone.start)
            log.error("records were deleted before they were read", **where, records=gone.end - gone.start)
            await self._lost(Loss(topic, partition, gone))

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Ask the broker, again and again while it is away."""
        async for attempt in AsyncRetrying(
            wait=wait_random_exponential(max=10), retry=retry_if_exception_type((KafkaError, OSError)), reraise=True
        ):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    RETRIES.labels("kafka").inc()
                return await question()
        raise AssertionError("a retry without an end has ended")


def holes(place: int, offsets: Sequence[int]) -> list[Hole]:
    """Return what is left out between a place and ascending offsets.

    Examples
    --------
    >>> holes(216, [216, 217, 424, 425])
    [Hole(start=218, end=424)]
    >>> holes(0, [])
    []
    """
    before = [place - 1, *offsets[:-1]]
    return [Hole(last + 1, here) for last, here in zip(before, offsets, strict=False) if here > last + 1]
