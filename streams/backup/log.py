"""The topics of an installation, saved: what each partition held, and how far each worker was.

State is older than what it was made of. A worker that comes back finds the log at its end or beyond, and does again
what it had not acknowledged: as after a crash, and exact for the same reason. So what a worker made is saved before
what it read.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from msgspec import Struct

from schemas.topics import (
    AUDIT_HEADS,
    CHECKPOINTS,
    CONTROLS,
    DEAD_LETTERS,
    DELIVERIES,
    EVIDENCE,
    FINDINGS,
    INCIDENTS,
    INFERENCE,
    REVIEW_QUEUE,
    TOPICS,
    WINDOWS,
    Topic,
)
from streams.backup.manifest import Partition, SavedTopic, write_packed
from streams.kafka.log_reader import Bounds, LogReader
from streams.kafka.topics import TopicState, client_arguments
from streams.settings import RESENT, WORKER_PORTS, Settings

STATE: Final = (CHECKPOINTS,)
_MADE: Final = (
    DELIVERIES, EVIDENCE, CONTROLS, INCIDENTS, AUDIT_HEADS, REVIEW_QUEUE, DEAD_LETTERS, FINDINGS, WINDOWS, INFERENCE,
)  # fmt: skip
LOGS: Final = (*_MADE, *(topic for topic in TOPICS if topic not in (*STATE, *_MADE)))
"""What is made of others comes before them; what comes from outside is last."""

TOGETHER: Final = 1_000


class SavedRecord(Struct, frozen=True, array_like=True):
    """One record, a line of JSON; bytes are Base64."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def groups_of(client: KafkaAdminClient, settings: Settings) -> dict[str, list[tuple[str, int, int]]]:
    """Return topic, partition and offset that each group has acknowledged, without prefixes.

    Groups are those of workers, and those that say up to where refused records were sent again.
    """
    again = settings.group(RESENT)
    found = sorted(str(each["group_id"]) for each in client.list_groups() if str(each["group_id"]).startswith(again))
    names = {group: group.removeprefix(settings.topic_prefix) for group in (*map(settings.group, WORKER_PORTS), *found)}
    ours = {settings.topic(topic.name): topic.name for topic in (*STATE, *LOGS)}
    return {
        names[group]: sorted(
            (ours[tp.topic], tp.partition, int(at.offset)) for tp, at in known.items() if tp.topic in ours
        )
        for group, known in client.list_group_offsets(dict.fromkeys(names)).items()
    }


def bounds_of(settings: Settings, states: dict[str, TopicState], topics: tuple[Topic, ...]) -> dict[str, list[Bounds]]:
    """Return what each partition of topics holds now, asked topic after topic; none of those that are missing."""
    consumer, found = KafkaConsumer(**client_arguments(settings), enable_auto_commit=False), {}
    try:
        for topic in topics:
            if (state := states.get(settings.topic(topic.name))) is not None:
                places = [TopicPartition(state.name, number) for number in range(state.partitions)]
                ends, begins = consumer.end_offsets(places), consumer.beginning_offsets(places)
                found[topic.name] = [Bounds(begins[place], max(begins[place], ends[place])) for place in places]
    finally:
        consumer.close()
    return found


def save_topics(
    settings: Settings, states: dict[str, TopicState], bounds: dict[str, list[Bounds]], folder: Path
) -> dict[str, SavedTopic]:
    """Write what topics held, a file a partition that held anything."""
    reader = LogReader(client_arguments(settings))
    return {
        name: SavedTopic(
            states[settings.topic(name)].topic_id,
            [_save(reader, settings.topic(name), at, each, file_of(folder, name, at)) for at, each in enumerate(parts)],
        )
        for name, parts in bounds.items()
    }


def file_of(folder: Path, topic: str, partition: int) -> Path:
    """Return where the records of a partition are kept."""
    return folder / "topics" / topic / f"{partition}.jsonl.gz"


def _save(reader: LogReader, topic: str, partition: int, bounds: Bounds, file: Path) -> Partition:
    if bounds.begin == bounds.end:
        return Partition(bounds.begin, bounds.end, 0)
    lines = _Lines(reader.stretch(topic, partition, bounds))
    write_packed(file, lines)
    return Partition(bounds.begin if lines.first is None else lines.first, bounds.end, lines.count)


class _Lines:
    """The records of a partition as lines, asked for from a loop of their own."""

    def __init__(self, records: AsyncIterator[Any]) -> None:
        self._records: Final = records
        self.first: int | None = None
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        with asyncio.Runner() as runner:
            while lines := runner.run(self._some()):
                yield b"".join(lines)

    async def _some(self) -> list[bytes]:
        lines: list[bytes] = []
        async for record in self._records:
            self.first = record.offset if self.first is None else self.first
            self.count += 1
            saved = SavedRecord(record.offset, record.timestamp, record.key, record.value, list(record.headers))
            lines.append(msgspec.json.encode(saved) + b"\n")
            if len(lines) == TOGETHER:
                break
        return lines
