"""The watch worker: events to windows per tick, severe single events to findings at once.

Offsets wait: what is acknowledged lies before every open tick, and goes with a checkpoint of what a successor
needs to know (the watermark there, which ticks are out, which sessions were flagged lately).
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from detectors.columns import prefixed, under
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.reviews import ReviewItem
from schemas.topics import CHECKPOINTS, FINDINGS, INFERENCE, REVIEW_QUEUE
from schemas.topics import WINDOWS as WINDOWS_TOPIC
from schemas.windows import GroupSums, Window, partition_of
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.events.flags import event_flags
from streams.events.words import note_words
from streams.health.metrics import LATE, OVERFLOW, count_refused, counted
from streams.identifiers.guard import guard_of
from streams.kafka.checkpoints import Arrays, Checkpoint, Checkpoints
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import TopicState, client_arguments
from streams.policy.policy import load_policy
from streams.settings import Settings
from streams.watch.counting import countable, highest_before
from streams.watch.marks import Marks, live_at
from streams.watch.memory import Memory
from streams.watch.names import Names
from streams.watch.reduce import reduce_block
from streams.watch.single.along import AlongTraces
from streams.watch.single.at_once import findings_at_once
from streams.watch.single.odd import OddWatch
from streams.watch.single.sampler import ReviewWatch
from streams.watch.ticks import PartitionTicks
from streams.watch.units import with_units
from streams.worker.background import in_background
from streams.worker.dead_letters import owner_of
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts

TOPICS: Final = (INFERENCE,)
NEEDED: Final = (INFERENCE, WINDOWS_TOPIC, FINDINGS, REVIEW_QUEUE, CHECKPOINTS)
BATCH_RECORDS: Final = 4_000


def stage(parts: Parts) -> "Watch":
    """Return what the worker does with its batches."""
    marks = Marks(parts.settings, parts.publisher, LogReader(client_arguments(parts.settings)))
    return Watch(parts.settings, parts.publisher, parts.checkpoints("watch"), parts.topic(WINDOWS_TOPIC), marks)


@dataclass(frozen=True, slots=True)
class Held:
    """A batch whose events may still be in open ticks."""

    offset: int
    newest: int | None
    last_tick: int | None
    ack: Callable[[], object]


@dataclass(slots=True)
class Partition:
    """What watch knows of one partition."""

    topic: TopicState
    number: int
    ticks: PartitionTicks
    memory: Memory
    odd: OddWatch
    along: AlongTraces
    review: ReviewWatch
    names: Names
    done: int = -1
    told: dict[int, int] = field(default_factory=dict)
    held: deque[Held] = field(default_factory=deque)
    saved_at: float = field(default_factory=time.monotonic)
    heard_at: float = field(default_factory=time.monotonic)
    live: bool = False


class Watch:
    """The stage of the watch worker."""

    gathers: Final = False

    def __init__(
        self, settings: Settings, publisher: Publisher, checkpoints: Checkpoints, windows: TopicState, marks: Marks
    ) -> None:
        self._settings: Final = settings
        self._publisher: Final = publisher
        self._checkpoints: Final = checkpoints
        self._windows: Final = windows
        self._policy: Final = load_policy(settings.policy)
        self._decode: Final = events_decoder(guard_of(settings))
        self._partitions: dict[int, Partition] = {}
        self._busy: Final = asyncio.Lock()
        self._marks: Final = marks
        self._tending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and begin to look for partitions that have fallen silent."""
        await self._publisher.start()
        self._tending = in_background(self._tend())

    async def stop(self) -> None:
        """Save what is finished, and disconnect."""
        if self._tending is not None:
            self._tending.cancel()
        async with self._busy:
            for partition in self._partitions.values():
                await self._acknowledge(partition, at_once=True)
        await self._publisher.stop()

    async def forget(self) -> None:
        """Start from the checkpoints again."""
        self._partitions.clear()

    async def take(self, batch: LogBatch) -> None:
        """Count a batch, publish the ticks that it closes, and acknowledge what lies behind them."""
        async with self._busy:
            partition = self._partitions[batch.partition]
            findings = await asyncio.to_thread(self._count, partition, batch)
            windows, single = await asyncio.to_thread(self._closed_ticks, partition)
            await self._publisher.publish_findings(self._settings.topic(FINDINGS.name), [*findings, *single])
            await self._publisher.publish(windows)
            await self._acknowledge(partition, at_once=False)

    async def position(self, topic: TopicState, partition: int) -> int:
        """Restore a partition from its checkpoint and return the offset after it."""
        async with self._busy:
            restored = self._partitions[partition] = await self._restored(topic, partition)
            return restored.done + 1

    async def _restored(self, topic: TopicState, number: int) -> Partition:
        settings = self._settings
        memory = -(-settings.session_memory_seconds // settings.tick_seconds)
        partition = Partition(
            topic,
            number,
            PartitionTicks(settings.tick_seconds * NANO, settings.lateness_seconds * NANO),
            Memory(memory, settings.tick_seconds),
            OddWatch(settings.tick_seconds, memory, 1 / topic.partitions, self._policy),
            AlongTraces(settings.tick_seconds, self._policy),
            ReviewWatch(settings.tick_seconds, 1 / topic.partitions, self._policy),
            Names(settings.tick_seconds),
        )
        checkpoint = await self._checkpoints.load(topic.topic_id, number)
        if checkpoint is not None:
            partition.done = checkpoint.offset
            restore(partition, checkpoint.arrays)
        return partition

    def _count(self, partition: Partition, batch: LogBatch) -> list[Finding]:
        records = batch.records
        decoded = self._decode(records)
        count_refused(batch.topic.name, decoded.refused)
        written = np.fromiter((record.timestamp for record in records), np.int64, len(records))
        flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
        for kind, columns in decoded.kinds.items():
            note_words(columns, flags[kind].guards)
        before = highest_before(decoded, written, partition.ticks.newest)
        policy = self._policy
        last_tick = partition.ticks.add(countable(decoded, flags, written, policy.risk, policy.watches_tools))
        refused = partition.ticks.refuse(
            [owner_of(records[item.position], batch.partition) for item in decoded.refused],
            before[[item.position for item in decoded.refused]],
        )
        last_tick = max((tick for tick in (last_tick, refused) if tick is not None), default=None)
        partition.held.append(Held(batch.last_offset, partition.ticks.newest, last_tick, batch.ack))
        if decoded.kinds:
            partition.heard_at = time.monotonic()
        if partition.ticks.newest is not None:
            partition.live = live_at(int(written[-1]), partition.ticks.newest)
        return [
            finding
            for kind, columns in decoded.kinds.items()
            for finding in findings_at_once(columns, flags[kind].guards, self._policy)
        ]

    def _closed_ticks(self, partition: Partition) -> tuple[list[Message], list[Finding]]:
        """Return windows to every partition that a closed tick has something for, and what single events show."""
        before, overflow = partition.ticks.first_open, partition.names.overflow
        block = partition.names.admitted(partition.memory.versions.resolved(with_units(partition.ticks.close())))
        single = [*partition.odd.judge(block), *partition.along.judge(block)]
        messages = [self._item(item) for item in partition.review.judge(block)]
        for tick, groups in reduce_block(block, partition.memory):
            for target, share in shared_out(groups, self._windows.partitions).items():
                messages.append(self._window(partition, target, tick, share))
        counted(LATE, int((block.batch.events.late > 0).sum()))
        counted(OVERFLOW, partition.names.overflow - overflow)
        end = partition.ticks.first_open
        if end is None or before is None:
            return messages, single
        messages.extend(
            self._window(partition, target, end - 1, [])
            for target in range(self._windows.partitions)
            if partition.told.get(target, before - 1) < end - 1
        )
        return messages, single

    def _item(self, item: ReviewItem) -> Message:
        return Message(self._settings.topic(REVIEW_QUEUE.name), encode(item), item.target_event_id.encode())

    def _window(self, partition: Partition, target: int, tick: int, groups: list[GroupSums]) -> Message:
        first = min(partition.told.get(target, tick - 1) + 1, tick)
        partition.told[target] = tick
        window = Window(
            source_topic=partition.topic.name,
            source_topic_id=partition.topic.topic_id,
            source_partition=partition.number,
            source_partitions=partition.topic.partitions,
            tick_seconds=self._settings.tick_seconds,
            first_tick=first,
            tick=tick,
            groups=groups,
        )
        return Message(self._windows.name, encode(window), str(partition.number).encode(), target)

    async def _acknowledge(self, partition: Partition, *, at_once: bool) -> None:
        """Checkpoint and acknowledge the batches whose ticks are all out, at most every so often."""
        first_open = partition.ticks.first_open or 0
        if not at_once and time.monotonic() - partition.saved_at < self._settings.checkpoint_seconds:
            return
        done: list[Held] = []
        while partition.held and (partition.held[0].last_tick is None or partition.held[0].last_tick < first_open):
            done.append(partition.held.popleft())
        if not done:
            return
        await self._checkpoints.save(
            partition.topic.topic_id, partition.number, Checkpoint(done[-1].offset, state(partition, done[-1].newest))
        )
        partition.done = done[-1].offset
        partition.saved_at = time.monotonic()
        for held in done:
            held.ack()

    async def _tend(self) -> None:
        """Let time pass where nothing comes, and acknowledge what has become final meanwhile."""
        while True:
            await asyncio.sleep(1)
            await self._marks.tend(list(self._partitions.values()))
            async with self._busy:
                for partition in self._partitions.values():
                    await self._acknowledge(partition, at_once=False)


def shared_out(groups: list[GroupSums], partitions: int) -> dict[int, list[GroupSums]]:
    """Return groups by the partition of the windows their service belongs to, so that all of a service meets."""
    shares: dict[int, list[GroupSums]] = {}
    for group in groups:
        shares.setdefault(partition_of(group.service_name, partitions), []).append(group)
    return shares


def state(partition: Partition, newest: int | None) -> Arrays:
    """Return what a successor needs: the watermark after the acknowledged offset, and what is out by now."""
    targets = sorted(partition.told)
    return {
        "newest": np.array([] if newest is None else [newest], np.int64),
        "first_open": np.array([partition.ticks.first_open or 0], np.int64),
        "live": np.array([partition.live], np.uint8),
        "told": np.array([[target, partition.told[target]] for target in targets], np.int64).reshape(-1, 2),
        **prefixed("memory_", partition.memory.state()),
        **prefixed("odd_", partition.odd.state()),
        **prefixed("along_", partition.along.state()),
        **prefixed("review_", partition.review.state()),
        **prefixed("names_", partition.names.state()),
    }


def restore(partition: Partition, arrays: Arrays) -> None:
    """Take over what `state` returned."""
    newest = arrays["newest"]
    partition.ticks.newest = int(newest[0]) if len(newest) else None
    partition.ticks.first_open = int(arrays["first_open"][0]) if len(newest) else None
    partition.live = bool(arrays["live"][0])
    partition.told = {int(target): int(tick) for target, tick in arrays["told"]}
    partition.memory.restore(under("memory_", arrays))
    partition.odd.restore(under("odd_", arrays))
    partition.along.restore(under("along_", arrays))
    partition.review.restore(under("review_", arrays))
    partition.names.restore(under("names_", arrays))
