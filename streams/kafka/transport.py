"""Faust's Kafka transport with one Faust event for all records just fetched from one partition.

Faust spends about 110 microseconds on every message it delivers, whatever the message is. So the records of a
partition travel through it together: the event's value is the tuple of records, its offset is the last one's.
Acknowledging that event acknowledges them all, and an offset is committed only when every event delivered
before it has been acknowledged.

Use it with the scheme ``coalesce://``; importing this module registers it with Faust.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faust.transport.drivers import TRANSPORTS, aiokafka
from faust.types import TP

from streams.kafka.assignor import TogetherAssignor

DEFAULT_LINGER_SECONDS: Final = 0.1
DEFAULT_BATCH_RECORDS: Final = 4_000
"""Records after which a partition's batch is delivered without waiting for more."""


class CoalescedRecord:
    """Looks to Faust like one Kafka record; its value holds all of them."""

    __slots__ = ("offset", "partition", "timestamp", "timestamp_type", "topic", "value")

    key = None
    headers = ()
    checksum = None
    serialized_key_size = 0
    serialized_value_size = 0

    def __init__(self, records: list[ConsumerRecord]) -> None:
        last = records[-1]
        self.topic = last.topic
        self.partition = last.partition
        self.offset = last.offset
        self.timestamp = last.timestamp
        self.timestamp_type = last.timestamp_type
        self.value = tuple(records)


def _cut(records: list[ConsumerRecord], most: int) -> Iterator[CoalescedRecord]:
    """Yield records in batches of at most so many: each is acknowledged, and a worker seen to move, by itself."""
    for start in range(0, len(records), most):
        yield CoalescedRecord(records[start : start + most])


class Consumer(aiokafka.Consumer):
    """Delivers whole batches, and commits by what was delivered instead of by consecutive offsets.

    What was fetched is always delivered, also when partitions change hands meanwhile: the client's position has moved
    past it. Whether a record comes again then, or too early, is judged by `streams.worker.reading`, which knows the
    offsets.

    Faust's own rule reads the offsets between two batches as a gap that it has to fill in; with batches that is
    slow, and it stops committing for good where the first batch of a new group is the single record 0. Order of
    delivery is the simpler rule: it needs no gaps, so neither batches nor compaction can confuse it, and an
    unacknowledged event at the head holds everything behind it back.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._delivered: defaultdict[TP, deque[int]] = defaultdict(deque)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, list[Any]]:  # noqa: ASYNC109
        batches: dict[TP, list[Any]] = {}
        loop = asyncio.get_running_loop()
        wait, end = timeout, 0.0
        while True:
            for tp, records in (await super()._getmany(active_partitions, wait)).items():
                batches.setdefault(tp, []).extend(records)
            end = end or loop.time() + getattr(self.app, "linger_seconds", DEFAULT_LINGER_SECONDS)
            wait = end - loop.time()
            enough = getattr(self.app, "batch_records", DEFAULT_BATCH_RECORDS)
            if not batches or wait <= 0 or max(map(len, batches.values())) >= enough:
                owned = self.assignment()
                return {tp: list(_cut(records, enough)) for tp, records in batches.items() if records and tp in owned}

    def _new_consumer_thread(self) -> aiokafka.AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def taken(self, tp: TP, offset: int) -> None:
        """Note that an agent has taken an event; whoever consumes tells so, in the order of the events.

        Faust's own `track_message` is inlined where streams deliver, and so can't be the place for it.
        """
        self._delivered[tp].append(offset)

    def _new_offset(self, tp: TP) -> int | None:
        """Return the offset to commit: behind the last event before which all are acknowledged."""
        delivered, acked = self._delivered[tp], self._acked_index[tp]
        before, last = self._committed_offset[tp] or 0, None
        while delivered and (delivered[0] in acked or delivered[0] < before):  # what is committed is never acked again
            last = delivered.popleft()
            acked.discard(last)
        self._acked[tp].clear()
        return None if last is None else last + 1

    async def _commit_offsets(self, offsets: Mapping[TP, int], *more: Any, **named: Any) -> bool:
        """Commit, and where the broker refuses do it again: Faust takes an offset for committed whatever the answer.

        It would then take no acknowledgement below it, and a record that comes again would never be committed. The
        same where partitions were assigned anew meanwhile: what is committed was read before this commit had ended.
        """
        generation = self.app.consumer_generation_id
        committed = bool(await super()._commit_offsets(offsets, *more, **named))
        anew = generation != self.app.consumer_generation_id
        for tp, offset in offsets.items():
            if anew or not committed:
                self._committed_offset.pop(tp, None)
            if not anew and not committed:
                self._delivered[tp].appendleft(offset - 1)
                self._acked_index[tp].add(offset - 1)
        return committed

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: delivery waits for room by itself, and Faust would pause for a second with all full."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing, as above."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: what lies between two batches needs no acknowledgement."""

    async def perform_seek(self) -> None:
        """Forget the order of delivery where everything unacknowledged is delivered again."""
        await super().perform_seek()
        self._delivered.clear()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget the order of delivery of partitions that are gone."""
        for tp in revoked:
            self._delivered.pop(tp, None)
        await super().on_partitions_revoked(revoked)


class _Thread(aiokafka.AIOKafkaConsumerThread):
    """The client's thread, whose group shares partitions out by our own rule; Faust has no setting for that."""

    def _create_worker_consumer(self, transport: aiokafka.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._partition_assignment_strategy = [TogetherAssignor]
        return consumer


class Transport(aiokafka.Transport):
    """Kafka, a batch at a time."""

    Consumer: ClassVar[type[Consumer]] = Consumer


TRANSPORTS.aliases["coalesce"] = "streams.kafka.transport:Transport"
