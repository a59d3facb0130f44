"""Topics made anew from a backup: the same records, with their times, at their offsets.

Kafka numbers records from 0 on. What a topic had lost to its retention is filled with empty records, which are then
deleted; so rows, windows, checkpoints and acknowledged offsets mean the same records as before.
"""

import gzip
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from schemas.topics import RESTORED, TOPICS
from streams.backup.log import STATE, SavedRecord, file_of
from streams.backup.manifest import BackupError, Manifest, Partition
from streams.kafka.offsets import acknowledge
from streams.kafka.publisher import MAX_MESSAGE_BYTES
from streams.kafka.restored import say
from streams.kafka.topics import client_arguments, options_of, set_configs, topic_states
from streams.settings import Settings

BATCH_BYTES: Final = 900_000
_BY_NAME: Final = {topic.name: topic for topic in TOPICS}
_COMPACTED: Final = {topic.name for topic in STATE}


def check_no_topics(client: KafkaAdminClient, settings: Settings, manifest: Manifest) -> None:
    """Refuse a Kafka that has one of the topics, whatever is in it.

    Raises
    ------
    BackupError
        With the first of them.
    """
    there = topic_states(client)
    if found := sorted(name for name in map(settings.topic, (RESTORED.name, *manifest.topics)) if name in there):
        raise BackupError(
            f"Kafka at {settings.kafka} has {found[0]} already; restore into one without topics of this installation"
        )


def make_topics(client: KafkaAdminClient, settings: Settings, manifest: Manifest, replication: int) -> None:
    """Create the topics of a backup, empty.

    Until all is done they take the times that they are given. So no worker takes them: where a restore is broken off
    they say that they are not as the contract wants them.
    """
    made = {}
    for name, saved in manifest.topics.items():
        options = options_of(_BY_NAME[name], len(saved.partitions), replication)
        options["configs"] |= {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
        made[settings.topic(name)] = options
    client.create_topics(made, wait_for_metadata=True)
    places = [TopicPartition(name, at) for name, options in made.items() for at in range(options["num_partitions"])]
    client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))  # answers when each has a leader


async def fill_topics(settings: Settings, folder: Path, manifest: Manifest) -> None:
    """Write the records of a backup into its topics, which are new."""
    async with _producer(settings) as producer:
        for name, saved in manifest.topics.items():
            for number, partition in enumerate(saved.partitions):
                records = _records(file_of(folder, name, number), partition)
                if name not in _COMPACTED:
                    records = _whole(records, partition)
                await _send(producer, settings.topic(name), number, records)


def finish_topics(client: KafkaAdminClient, settings: Settings, manifest: Manifest, replication: int) -> None:
    """Delete what only fills, give topics the settings of the contract, and say whose records they hold.

    Raises
    ------
    BackupError
        Where a partition does not end where it ended.
    """
    places = {
        TopicPartition(settings.topic(name), number): each
        for name, saved in manifest.topics.items()
        if name not in _COMPACTED
        for number, each in enumerate(saved.partitions)
    }
    _check_ends(client, places)
    if gone := {place: each.begin for place, each in places.items() if each.begin}:
        client.delete_records(gone)
    _acknowledge(client, settings, manifest)
    client.create_topics(
        {settings.topic(RESTORED.name): options_of(RESTORED, None, replication)}, wait_for_metadata=True
    )
    there = topic_states(client)
    former = {there[settings.topic(name)].topic_id: saved.topic_id for name, saved in manifest.topics.items()}
    say(client_arguments(settings), settings.topic(RESTORED.name), former)
    given = {settings.topic(name): _contract(name) for name in manifest.topics}
    set_configs(client, given)  # until then no worker starts


def _check_ends(client: KafkaAdminClient, places: dict[TopicPartition, Partition]) -> None:
    ends = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    for place, each in places.items():
        if ends[place].offset != each.end:
            raise BackupError(f"{place.topic}/{place.partition} ends at {ends[place].offset}, not at {each.end}")


def _contract(name: str) -> dict[str, str]:
    wanted = options_of(_BY_NAME[name])["configs"]
    return {each: wanted[each] for each in ("message.timestamp.type", "retention.ms")}


def _acknowledge(client: KafkaAdminClient, settings: Settings, manifest: Manifest) -> None:
    """Have every group go on where it was.

    Raises
    ------
    BackupError
        Where a worker of one runs.
    """
    for group, known in manifest.groups.items():
        try:
            acknowledge(
                client,
                settings.topic_prefix + group,
                {TopicPartition(settings.topic(topic), at): offset for topic, at, offset in known},
            )
        except KafkaError as error:
            raise BackupError(f"{error} can't be set to where it was; if a worker of it runs, stop it") from None


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        **client_arguments(settings),
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=BATCH_BYTES,
        max_request_size=MAX_MESSAGE_BYTES,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def _records(file: Path, partition: Partition) -> Iterator[SavedRecord]:
    if not partition.records:
        return
    decoder = msgspec.json.Decoder(SavedRecord)
    with gzip.open(file) as lines:
        yield from map(decoder.decode, lines)


def _whole(records: Iterator[SavedRecord], partition: Partition) -> Iterator[SavedRecord]:
    """Yield a record for every offset below the end of a partition, empty ones where nothing was held.

    >>> held = [SavedRecord(2, 7, None, b"x", [])]
    >>> [(each.offset, each.value) for each in _whole(iter(held), Partition(2, 4, 1))]
    [(0, None), (1, None), (2, b'x'), (3, None)]
    """
    offset, timestamp = 0, 0
    for record in records:
        yield from (SavedRecord(at, record.timestamp, None, None, []) for at in range(offset, record.offset))
        yield record
        offset, timestamp = record.offset + 1, record.timestamp
    yield from (SavedRecord(at, timestamp, None, None, []) for at in range(offset, partition.end))


async def _send(producer: AIOKafkaProducer, topic: str, partition: int, records: Iterator[SavedRecord]) -> None:
    """Send records in batches of our own: unlike single ones they may be without key and value."""
    batch: Any = producer.create_batch()
    for record in records:
        parts = {"timestamp": record.timestamp, "key": record.key, "value": record.value, "headers": record.headers}
        if batch.append(**parts) is None:
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(**parts)
    if batch.record_count():
        await (await producer.send_batch(batch, topic, partition=partition))
