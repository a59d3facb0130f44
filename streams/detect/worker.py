"""The detect worker: windows to findings, its state in a checkpoint with the offset it belongs to."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiokafka import ConsumerRecord

from detectors.columns import prefixed, under
from schemas.findings import Finding
from schemas.topics import CHECKPOINTS, DAY_MS, FINDINGS, INFERENCE
from schemas.topics import WINDOWS as WINDOWS_TOPIC
from schemas.windows import Window
from schemas.wire import InvalidRecordError, decoder
from streams.detect.compiling import compile_beside
from streams.detect.judge import Judge, Step
from streams.detect.merge import TickMerger
from streams.findings.finding import about_ourselves
from streams.health.metrics import OVERFLOW, REFUSED, REPEATED, SERIES, counted
from streams.kafka.checkpoints import Arrays, Checkpoint, Checkpoints
from streams.kafka.publisher import Publisher
from streams.kafka.topics import TopicState
from streams.policy.policy import load_policy
from streams.settings import Settings
from streams.worker.background import in_background
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts
from streams.worker.plausible import Plausible

TOPICS: Final = (WINDOWS_TOPIC,)
NEEDED: Final = (INFERENCE, WINDOWS_TOPIC, FINDINGS, CHECKPOINTS)
BATCH_RECORDS: Final = 1_000
MANY_WINDOWS: Final = 200
MANY_SERIES: Final = 1_000
"""A batch of so many windows, or so many series, make compiled detectors worth the seconds and memory they take."""


def stage(parts: Parts) -> "Detect":
    """Return what the worker does with its batches."""
    return Detect(parts.settings, parts.publisher, parts.checkpoints("detect"), Plausible.here(parts))


@dataclass(slots=True)
class Partition:
    """What detect knows of one partition of the windows."""

    topic_id: str
    number: int
    judge: Judge
    merger: TickMerger
    done: int = -1
    waiting: deque[Callable[[], object]] = field(default_factory=deque)
    saved_at: float = field(default_factory=time.monotonic)
    told: str = ""


class Detect:
    """The stage of the detect worker."""

    gathers: Final = False

    def __init__(
        self, settings: Settings, publisher: Publisher, checkpoints: Checkpoints, plausible: Plausible
    ) -> None:
        self._settings: Final = settings
        self._publisher: Final = publisher
        self._checkpoints: Final = checkpoints
        self._decode: Final = decoder(Window)
        self._plausible: Final = plausible
        self._partitions: dict[int, Partition] = {}
        self._busy: Final = asyncio.Lock()
        self._saver: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect."""
        await self._publisher.start()
        self._saver = in_background(self._save_regularly())

    async def stop(self) -> None:
        """Save what was learned, and disconnect."""
        if self._saver is not None:
            self._saver.cancel()
        async with self._busy:
            for partition in self._partitions.values():
                await self._save(partition)
        await self._publisher.stop()

    async def forget(self) -> None:
        """Start from the checkpoints again."""
        self._partitions.clear()

    async def take(self, batch: LogBatch) -> None:
        """Judge the ticks that a batch makes whole, and publish what is found."""
        async with self._busy:
            partition = self._partitions[batch.partition]
            findings = await asyncio.to_thread(self._judge, partition, batch)
            await self._publisher.publish_findings(self._settings.topic(FINDINGS.name), findings)
            partition.done = batch.last_offset
            partition.waiting.append(batch.ack)
            SERIES.set(sum(each.judge.series for each in self._partitions.values()))
            if time.monotonic() - partition.saved_at >= self._settings.checkpoint_seconds:
                await self._save(partition)

    async def position(self, topic: TopicState, partition: int) -> int:
        """Restore a partition from its checkpoint and return the offset after it."""
        async with self._busy:
            restored = self._partitions[partition] = await self._restored(topic, partition)
            return restored.done + 1

    async def _restored(self, topic: TopicState, number: int) -> Partition:
        settings = self._settings
        judge = Judge(
            settings.tick_seconds,
            1 / topic.partitions,
            settings.max_series,
            load_policy(settings.policy),
            settings.dead_letter_limit,
        )
        partition = Partition(topic.topic_id, number, judge, TickMerger())
        checkpoint = await self._checkpoints.load(topic.topic_id, number)
        if checkpoint is not None:
            partition.done = checkpoint.offset
            arrays = checkpoint.arrays
            partition.merger.restore(under("merger_", arrays))
            partition.judge.restore(under("judge_", arrays))
        return partition

    def _judge(self, partition: Partition, batch: LogBatch) -> list[Finding]:
        findings: list[Finding] = []
        if len(batch.records) >= MANY_WINDOWS or partition.judge.series >= MANY_SERIES:
            compile_beside()
        repeats, overflow = partition.merger.repeats, partition.judge.overflow
        self._plausible.begin()
        steps: list[Step] = []
        for record in batch.records:
            window = self._window(batch, record)
            if isinstance(window, Finding):
                findings += [window] if window.finding_id != partition.told else []
                partition.told = window.finding_id
            elif partition.merger.add(window):
                steps.append(([*partition.merger.whole()], partition.merger.end()))
        findings += partition.judge.judge_steps(steps)
        counted(REPEATED.labels(batch.topic.name), partition.merger.repeats - repeats)
        counted(OVERFLOW, partition.judge.overflow - overflow)
        return findings

    def _window(self, batch: LogBatch, record: ConsumerRecord) -> Window | Finding:
        """Return the window that a record holds, or what there is to say where it holds none that can be.

        History makes a dead letter of it. It is told once a day, and again only where the worker has started anew.
        """
        try:
            window = self._decode(record.value or b"", record.timestamp * 1_000_000)
            assert isinstance(window, Window)  # noqa: S101
            self._plausible.check(window, record, batch.partition)
        except InvalidRecordError as error:
            REFUSED.labels(batch.topic.name, error.reason).inc()
            return intruded(batch, record, error)
        return window

    async def _save(self, partition: Partition) -> None:
        if not partition.waiting:
            return
        arrays = await asyncio.to_thread(state, partition)
        await self._checkpoints.save(partition.topic_id, partition.number, Checkpoint(partition.done, arrays))
        partition.saved_at = time.monotonic()
        while partition.waiting:
            partition.waiting.popleft()()

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._settings.checkpoint_seconds)
            async with self._busy:
                for partition in self._partitions.values():
                    await self._save(partition)


def intruded(batch: LogBatch, record: ConsumerRecord, error: InvalidRecordError) -> Finding:
    """Return the finding that somebody else writes to the windows: the same one for all of a day."""
    return about_ourselves(
        ("telemetry", "intruded", batch.topic.topic_id, batch.partition, record.timestamp // DAY_MS),
        "windows",
        "contract",
        record.timestamp * 1_000_000,
        f"record {batch.topic.name}/{batch.partition}/{record.offset} is no window of ours ({error.reason}: "
        f"{str(error)[:1000]}) and is left out; only watch workers may write there",
        verdict="intruded",
    )


def state(partition: Partition) -> Arrays:
    """Return everything a successor needs."""
    return prefixed("merger_", partition.merger.state()) | prefixed("judge_", partition.judge.state())
