"""What Kafka still holds of the events, and how far history has acknowledged them: offsets alone, no records."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.fields import NANO
from schemas.topics import INFERENCE, Topic
from streams.events.decode import events_decoder
from streams.kafka.letters import read_letters
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import KafkaUnavailableError, TopicError, admin, client_arguments, known_topics
from streams.settings import Settings

log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Held:
    """One partition: what Kafka holds of it in the period, and what history has acknowledged of it."""

    begin: int
    """First offset that Kafka still holds."""
    first: int
    """First offset of the period, not before `begin`."""
    end: int
    """Offset after the last of the period."""
    committed: int


def held(settings: Settings, topic: Topic, since: int | None, until: int | None) -> dict[tuple[str, int], Held]:
    """Return what Kafka holds of a topic, by topic id and partition.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where no broker answers or the topic is missing.
    """
    name, group = settings.topic(topic.name), settings.group("history")
    try:
        with admin(settings) as client:
            states = known_topics(client, settings)
            if name not in states:
                raise TopicError(f"missing topics: {name}; run `watchkeeper topics create`")
            committed = client.list_group_offsets({group: None})[group]
        consumer = KafkaConsumer(**client_arguments(settings), enable_auto_commit=False)
        try:
            tps = [TopicPartition(name, number) for number in range(states[name].partitions)]
            begins, ends = consumer.beginning_offsets(tps), consumer.end_offsets(tps)
            firsts = _at(consumer, tps, since, begins)
            lasts = _at(consumer, tps, until, ends)
        finally:
            consumer.close()
    except KafkaError as error:
        raise KafkaUnavailableError(f"Kafka at {settings.kafka} does not answer: {error}") from error
    return {
        (states[name].topic_id, tp.partition): Held(
            begins[tp],
            begins[tp] if since is None else firsts.get(tp, ends[tp]),
            ends[tp] if until is None else lasts.get(tp, ends[tp]),
            committed[tp].offset if tp in committed else 0,
        )
        for tp in tps
    }


def _at(consumer: Any, tps: list[Any], seconds: int | None, default: dict[Any, int]) -> dict[Any, int]:
    """Return the first offset at or after a time, of partitions that have one."""
    if seconds is None:
        return default
    found = consumer.offsets_for_times(dict.fromkeys(tps, seconds * 1000))
    return {tp: item.offset for tp, item in found.items() if item is not None}


def letters_of(settings: Settings) -> set[tuple[int, int]]:
    """Return partition and offset of every dead letter of the events that Kafka holds."""
    name = settings.topic(INFERENCE.name)
    return {(letter.origin[1], letter.origin[2]) for letter in read_letters(settings) if letter.origin[0] == name}


def all_before(settings: Settings, partition: int, first: int, last: int, kept: int) -> bool:
    """Tell whether all events between two offsets are of before a time, in Unix seconds, as Kafka still has them."""
    log, name = LogReader(client_arguments(settings)), settings.topic(INFERENCE.name)
    records = asyncio.run(log.between(name, partition, first, last + 1, last + 1 - first))
    decoded = events_decoder()(records)
    times = [columns.table.column("time_unix_nano").to_numpy() for columns in decoded.kinds.values()]
    return len(records) == last + 1 - first and all((each < kept * NANO).all() for each in times)
