"""Dead letters, read and sent again by people."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.topics import DEAD_LETTERS, TOPICS
from streams.kafka.log_reader import LogReader
from streams.kafka.sending import SECONDS
from streams.kafka.topics import KafkaUnavailableError, TopicState, check_topics, client_arguments
from streams.settings import Settings

AT_ONCE: Final = 500
"""Records that are sent before it is waited for Kafka to have them."""


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
    return [letter for _, letter in sorted(asyncio.run(_gathered(settings)), key=lambda pair: pair[0])]


async def _gathered(settings: Settings) -> list[tuple[int, Letter]]:
    return [pair async for pair in _letters(settings, _state(settings))]


def _state(settings: Settings) -> TopicState:
    return check_topics(settings, [DEAD_LETTERS])[settings.topic(DEAD_LETTERS.name)]


async def _letters(settings: Settings, state: TopicState) -> AsyncGenerator[tuple[int, Letter]]:
    """Yield the letters that there are now with the times at which they were written, each origin once."""
    reader, seen = LogReader(client_arguments(settings)), set[tuple[str, int, int]]()
    bounds = [await reader.bounds(state.name, number) for number in range(state.partitions)]
    for number, each in enumerate(bounds):
        async with aclosing(reader.stretch(state.name, number, each)) as records:
            async for record in records:
                headers = {key: value.decode(errors="replace") for key, value in record.headers}
                letter = Letter(headers, record.value or b"")
                if letter.origin not in seen:
                    seen.add(letter.origin)
                    yield int(record.timestamp), letter


def send_again(settings: Settings, reason: str | None = None, topic: str | None = None) -> int:
    """Send the records of dead letters to the topics they came from, and return how many.

    A record that is refused again becomes a dead letter again, under its new offset. Letters that only tell how many
    were not kept are left out, and so is what names no topic of ours. Few are held at once, however many there are.

    Parameters
    ----------
    reason, topic
        Only those refused for this reason, and only those of the topic of this whole name.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where not all of them are in Kafka: those that are would be sent twice by another attempt.
    """
    return asyncio.run(_send_again(settings, reason, topic))


async def _send_again(settings: Settings, reason: str | None, topic: str | None) -> int:
    state = _state(settings)  # first: it says in words that nobody answers
    ours = {settings.topic(name) for name in (*(known.name for known in TOPICS), *settings.dialects)}
    producer, count = KafkaProducer(**client_arguments(settings), acks="all"), 0
    try:
        async with aclosing(_letters(settings, state)) as letters:
            waiting = []
            async for _, letter in letters:
                origin, partition, _ = letter.origin
                asked = reason in (None, letter.headers.get("reason")) and topic in (None, origin)
                if asked and "count" not in letter.headers and origin in ours:
                    waiting.append(producer.send(origin, value=letter.value, partition=partition))
                    count += 1
                if len(waiting) >= AT_ONCE:
                    await asyncio.to_thread(_taken, waiting)
                    waiting = []
            await asyncio.to_thread(_taken, waiting)
    except KafkaError as error:
        raise KafkaUnavailableError(
            f"Kafka at {settings.kafka} did not take all of the records ({type(error).__name__})"
        ) from None
    finally:
        producer.close()
    return count


def _taken(sent: list[Any]) -> None:
    for future in sent:
        future.get(timeout=SECONDS)
