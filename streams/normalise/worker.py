"""The normalise worker: spans and log records of OpenTelemetry, and others' records, to events of the contract.

A span may miss what its root says, and waits for it for a while. So offsets wait too: a batch is acknowledged when
nothing that came of it waits any more and all of it is out. Who starts learns from the log what its predecessor knew
(`streams.normalise.memory`) and what of the rest is out already (`streams.normalise.published`): no other state is
kept.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

import structlog

from schemas.fields import NANO
from schemas.topics import DEAD_LETTERS, INFERENCE, OTLP_LOGS, OTLP_SPANS, RAW
from schemas.wire import InvalidRecordError, Reason
from streams.dialects.otlp import Rules, read_json, read_proto
from streams.dialects.translation import Event
from streams.events.records import Refused
from streams.health.metrics import REFUSED, count_refused
from streams.identifiers.guard import guard_of
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message
from streams.kafka.topics import TopicState, check_topics, client_arguments
from streams.normalise.memory import before
from streams.normalise.outgoing import outgoing
from streams.normalise.partition import Partition
from streams.normalise.sources import OTLP, named_topics, sources, translated
from streams.policy.policy import load_policy
from streams.settings import Settings
from streams.worker.background import in_background
from streams.worker.dead_letters import Letters
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts

log: Final = structlog.get_logger()


TOPICS: Final = RAW
NEEDED: Final = (*TOPICS, INFERENCE, DEAD_LETTERS)
BATCH_RECORDS: Final = 1_000
"""Each is a trace, or a whole batch of spans."""

LOOK_SECONDS: Final = 0.2
"""How often it is looked for what has waited long enough."""

SETTLE_NANO: Final = 2 * NANO
"""How long a call that does not say how it ended waits for its logs: SDKs send them every second."""

MOST_SPANS: Final = 25_000
"""Of a partition, with what their traces need to be known by."""


def stage(parts: Parts) -> "Normalise":
    """Return what the worker does with its batches."""
    return Normalise(parts, LogReader(client_arguments(parts.settings)))


class Normalise:
    """The stage of the normalise worker."""

    gathers: Final = False

    def __init__(self, parts: Parts, reader: LogReader) -> None:
        self._settings: Final = parts.settings
        self._publisher: Final = parts.publisher
        self._reader: Final = reader
        self._rules: Final = rules_of(parts.settings)
        self._topics: Final = [parts.topic(topic) for topic in (*TOPICS, *named_topics(parts.settings))]
        self._signals: Final = {parts.topic(topic).name: OTLP[topic.name] for topic in (OTLP_SPANS, OTLP_LOGS)}
        self._dialects: Final = {parts.settings.topic(name): said for name, said in sources(parts.settings).items()}
        self._bound: Final = {parts.settings.topic(name): said for name, said in parts.settings.bound.items()}
        self._group: Final = f"{parts.settings.topic_prefix}watchkeeper-normalise"
        self._letters: Final = Letters(parts.settings.topic(DEAD_LETTERS.name))
        self._partitions: dict[int, Partition] = {}
        self._busy: Final = asyncio.Lock()
        self._tending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and begin to look for what has waited long enough."""
        await self._publisher.start()
        self._tending = in_background(self._tend())

    async def stop(self) -> None:
        """Disconnect; what waits is read again."""
        if self._tending is not None:
            self._tending.cancel()
        async with self._busy:
            await self._publisher.stop()

    async def position(self, topic: TopicState, partition: int) -> None:
        """Go on with what is committed: of what lies before, nothing waits."""

    async def forget(self) -> None:
        """Start from what is committed again."""
        async with self._busy:
            self._partitions.clear()

    async def take(self, batch: LogBatch) -> None:
        """Translate a batch, publish what needs not wait, and acknowledge what waits no more."""
        async with self._busy:
            partition = self._partitions.setdefault(batch.partition, Partition(batch.partition, self._rules))
            if not partition.begun:
                await self._begin(partition, int(batch.records[0].timestamp))
            messages, refused = await asyncio.to_thread(self._made, partition, batch)
            count_refused(batch.topic.name, refused)
            await self._publisher.publish(self._letters.of(batch, refused))
            await self._publish(partition, messages)
            await self._look(partition)
            partition.hold(batch.ack)

    async def _begin(self, partition: Partition, first_ms: int) -> None:
        """Learn what a predecessor knew, and what is out; what it had not published yet is published."""
        known = await before(self._reader, self._group, self._topics, partition.number, first_ms, self._rules)
        topic = (await asyncio.to_thread(check_topics, self._settings, [INFERENCE])).popitem()[1]
        await partition.published.ask(self._reader, topic, known.since_ms)
        messages: list[Message] = []
        for name, record in known.records:
            try:
                found = self._translated(partition, name, record.value or b"", int(record.timestamp))
            except ValueError:
                continue  # it is a dead letter by now
            messages += self._outgoing(partition, found, name)[0]
        await self._publish(partition, messages)
        partition.begun = True

    def _made(self, partition: Partition, batch: LogBatch) -> tuple[list[Message], list[Refused]]:
        messages, refused = list[Message](), list[Refused]()
        for position, record in enumerate(batch.records):
            try:
                found = self._translated(partition, batch.topic.name, record.value or b"", int(record.timestamp))
            except ValueError as error:
                refused.append(Refused(position, getattr(error, "reason", self._unreadable(batch)), str(error)))
                continue
            good, bad = self._outgoing(partition, found, batch.topic.name)
            messages += good
            refused += [Refused(position, error.reason, str(error)) for error in bad]
        return messages, refused

    def _unreadable(self, batch: LogBatch) -> Reason:
        return "not_otlp" if batch.topic.name in self._signals else "unknown_dialect"

    def _translated(self, partition: Partition, topic: str, value: bytes, written_ms: int) -> list[Event]:
        if topic in self._dialects:
            return translated(value, self._dialects[topic])
        signal, encoding = self._signals[topic], self._settings.otlp_encoding
        is_json = value.lstrip()[:1] == b"{" if encoding == "auto" else encoding == "otlp_json"
        return partition.add((read_json if is_json else read_proto)(value, signal), written_ms)

    def _outgoing(
        self, partition: Partition, events: Iterable[Event], topic: str = ""
    ) -> tuple[list[Message], list[InvalidRecordError]]:
        return outgoing(self._settings, events, time.time_ns(), partition.published.mark, self._bound.get(topic))

    async def _publish(self, partition: Partition, messages: list[Message]) -> None:
        await self._publisher.publish(partition.published.fresh(messages))

    async def _look(self, partition: Partition) -> None:
        """Publish what has waited long enough, and acknowledge the batches of which nothing waits any more."""
        messages, refused = self._outgoing(partition, await asyncio.to_thread(partition.passed))
        for error in refused:
            REFUSED.labels(INFERENCE.name, error.reason).inc()
            log.warning("an event that was translated is refused and left out", reason=error.reason)
        await self._publish(partition, messages)
        partition.acknowledge()

    async def _tend(self) -> None:
        """Let time pass where nothing comes."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            async with self._busy:
                for partition in [each for each in self._partitions.values() if each.begun]:
                    await self._look(partition)


def rules_of(settings: Settings) -> Rules:
    """Return how telemetry is translated here: by the policy, and with the patience of the settings."""
    telemetry = load_policy(settings.policy).telemetry
    return Rules(
        tenant_attribute=telemetry.tenant_attribute,
        keep_text=telemetry.keep_text,
        hash_key=(given := settings.hash_key.get_secret_value().encode()),
        user_key=guard_of(settings).pseudonyms.key if given else b"",
        wait_nano=int(settings.root_wait_seconds * NANO),
        settle_nano=SETTLE_NANO,
        most_spans=MOST_SPANS,
    )
