"""Time that passes where no record comes: marks in the log itself.

Detectors judge a tick when every partition has closed it, so one silent partition would hold all of them back, and a
service that falls silent would never be seen to. A mark in the log is read by everyone alike, so windows stay a
function of the log alone. Partitions that are being replayed get none: their time does not pass by the clock.
"""

import time
from collections.abc import Sequence
from typing import Final, Protocol

from aiokafka.errors import KafkaError

from schemas.events import Telemetry
from schemas.fields import NANO
from schemas.topics import INFERENCE
from schemas.wire import encode
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import TopicState
from streams.settings import Settings
from streams.watch.ticks import PartitionTicks

LIVE_SECONDS: Final = 60.0
"""A partition whose latest event was older than this when it was written is being replayed."""

NEVER_WRITTEN_SECONDS: Final = 10.0
"""How often it is asked whether there are partitions that have never held a record."""


class Quiet(Protocol):
    """What is to be known of a partition that this worker reads."""

    @property
    def topic(self) -> TopicState: ...
    @property
    def number(self) -> int: ...
    @property
    def ticks(self) -> PartitionTicks: ...

    live: bool
    heard_at: float


class Marks:
    """Marks the passing of time in live partitions that are silent, and in those that were never written to."""

    def __init__(self, settings: Settings, publisher: Publisher, reader: LogReader) -> None:
        self._settings: Final = settings
        self._publisher: Final = publisher
        self._reader: Final = reader
        self._written: set[int] = set()
        self._asked_at = 0.0

    async def tend(self, partitions: Sequence[Quiet]) -> None:
        """Mark what is silent now."""
        now, wall = time.monotonic(), time.time_ns()
        silent = [each for each in partitions if self._silent(each, now, wall)]
        numbers = [each.number for each in silent]
        if any(each.live for each in partitions) and now - self._asked_at > NEVER_WRITTEN_SECONDS:
            self._asked_at = now
            numbers += await self._never_written(partitions[0].topic)
        if numbers:
            await self._publisher.publish(self._mark(number) for number in numbers)
        for each in silent:
            each.heard_at = now

    def _silent(self, partition: Quiet, now: float, wall: int) -> bool:
        return (
            partition.live
            and now - partition.heard_at > self._settings.idle_seconds
            and partition.ticks.closes_by(wall)
        )

    async def _never_written(self, topic: TopicState) -> list[int]:
        unknown = sorted(set(range(topic.partitions)) - self._written)
        try:
            ends = {number: (await self._reader.bounds(topic.name, number)).end for number in unknown}
        except (KafkaError, OSError):
            return []  # the broker is away; asked again soon
        self._written |= {number for number, end in ends.items() if end}
        return [number for number, end in ends.items() if not end]

    def _mark(self, partition: int) -> Message:
        return time_mark(partition, self._settings)


def time_mark(partition: int, settings: Settings) -> Message:
    """Return an event that says only that time has passed."""
    now = time.time_ns()
    mark = Telemetry(
        event_id=f"mark-{partition}-{now}",
        source="watchkeeper-watch",
        time_unix_nano=now,
        service_name="watchkeeper",
    )
    return Message(settings.topic(INFERENCE.name), encode(mark), None, partition)


def live_at(written_unix_ms: int, newest_unix_nano: int) -> bool:
    """Tell whether a partition's latest record was written about when its latest event happened.

    Examples
    --------
    >>> live_at(90_000, 31_000 * 1_000_000), live_at(92_000, 31_000 * 1_000_000)
    (True, False)
    """
    return written_unix_ms * 1_000_000 - newest_unix_nano < LIVE_SECONDS * NANO
