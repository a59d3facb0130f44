"""Dead letters, read and sent again by people."""

import asyncio
from typing import Any, NamedTuple

from kafka import KafkaProducer

from schemas.topics import DEAD_LETTERS, TOPICS
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import TopicState, check_topics, client_arguments
from streams.settings import Settings


class Letter(NamedTuple):
    """A refused record, with the headers that say why."""

    headers: dict[str, str]
    value: bytes

    @property
    def origin(self) -> tuple[str, int, int]:
        """Topic, partition and offset that it came from."""
        partition, offset = (self.headers.get(f"origin-{name}", "") for name in ("partition", "offset"))
        if not (partition.isdecimal() and offset.isdecimal()):
            return "", -1, -1  # written there by somebody else
        return self.headers.get("origin-topic", ""), int(partition), int(offset)

    def summary(self) -> dict[str, Any]:
        """Return what a person wants to see of it; the record itself may hold anything and is not shown."""
        return {**self.headers, "bytes": len(self.value)}


def read_letters(settings: Settings) -> list[Letter]:
    """Return the dead letters, each origin once, oldest first."""
    state = check_topics(settings, [DEAD_LETTERS])[settings.topic(DEAD_LETTERS.name)]
    return list({letter.origin: letter for letter in asyncio.run(_letters(settings, state))}.values())


async def _letters(settings: Settings, state: TopicState) -> list[Letter]:
    records = [record async for record in LogReader(client_arguments(settings)).whole([state])]
    return [
        Letter({key: value.decode(errors="replace") for key, value in record.headers}, record.value or b"")
        for record in sorted(records, key=lambda record: int(record.timestamp))
    ]


def send_again(settings: Settings, reason: str | None = None) -> int:
    """Send the records of dead letters to the topics they came from, and return how many.

    A record that is refused again becomes a dead letter again, under its new offset. Letters that only tell how many
    were not kept are left out, and so is what names no topic of ours.
    """
    ours = {settings.topic(topic.name) for topic in TOPICS}
    producer = KafkaProducer(**client_arguments(settings), acks="all")
    letters = [
        item
        for item in read_letters(settings)
        if reason in (None, item.headers.get("reason")) and "count" not in item.headers and item.origin[0] in ours
    ]
    for letter in letters:
        producer.send(letter.origin[0], value=letter.value, partition=letter.origin[1])
    producer.close()
    return len(letters)
