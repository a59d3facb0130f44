"""Dead letters, read and sent again by people."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing
from typing import Any, Final, NamedTuple

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from schemas.topics import DEAD_LETTERS, TOPICS
from streams.kafka.log_reader import LogReader
from streams.kafka.resent import Kind, Resent
from streams.kafka.sending import SECONDS
from streams.kafka.topics import KafkaUnavailableError, TopicState, admin, check_topics, client_arguments
from streams.settings import Settings

AT_ONCE: Final = 500
"""Records that are sent before it is waited for Kafka to have them."""


class Letter(NamedTuple):
    """A refused record, with the headers that say why, and where the letter itself lies."""

    headers: dict[str, str]
    value: bytes
    place: TopicPartition
    offset: int

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
                place = TopicPartition(record.topic, record.partition)
                letter = Letter(headers, record.value or b"", place, record.offset)
                if letter.origin not in seen:
                    seen.add(letter.origin)
                    yield int(record.timestamp), letter


class Sent(NamedTuple):
    """How many records were sent, and how many left out because they had been sent before."""

    records: int
    before: int


def send_again(settings: Settings, reason: str | None = None, topic: str | None = None, *, twice: bool = False) -> Sent:
    """Send the records of dead letters to the topics they came from.

    A record that is refused again becomes a dead letter again, under its new offset. Letters that only tell how many
    were not kept are left out, and so is what names no topic of ours. Few are held at once, however many there are.

    Parameters
    ----------
    reason, topic
        Only those refused for this reason, and only those of the topic of this whole name.
    twice
        Also those that were sent again before.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where not all of them are in Kafka: the last 500 of those that are may be sent twice by another attempt.
    """
    return asyncio.run(_send_again(settings, reason, topic, twice=twice))


async def _send_again(settings: Settings, reason: str | None, topic: str | None, *, twice: bool) -> Sent:
    state = _state(settings)  # first: it says in words that nobody answers
    try:
        with admin(settings) as client, closing(KafkaProducer(**client_arguments(settings), acks="all")) as producer:
            outbox, waiting = _Outbox(settings, producer, Resent(settings, client), twice=twice), list[Letter]()
            async with aclosing(_letters(settings, state)) as letters:
                async for _, letter in letters:
                    if reason in (None, letter.headers.get("reason")) and topic in (None, letter.origin[0]):
                        waiting.append(letter)
                    if len(waiting) == AT_ONCE:
                        await asyncio.to_thread(outbox.send, waiting)
                        waiting = []
            await asyncio.to_thread(outbox.send, waiting)
            return outbox.sent
    except KafkaError as error:
        raise KafkaUnavailableError(
            f"Kafka at {settings.kafka} did not take all of the records ({type(error).__name__})"
        ) from None


class _Outbox:
    """Sends letters, and has it remembered when Kafka has them."""

    def __init__(self, settings: Settings, producer: KafkaProducer, resent: Resent, *, twice: bool) -> None:
        self._ours: Final = {settings.topic(name) for name in (*(each.name for each in TOPICS), *settings.dialects)}
        self._producer, self._resent, self._twice = producer, resent, twice
        self.sent = Sent(0, 0)

    def send(self, letters: list[Letter]) -> None:
        """Send letters that are ones to be sent again, and were not, and wait until Kafka has them."""
        futures, newest, before = list[Any](), dict[tuple[Kind, TopicPartition], int](), 0
        for letter in letters:
            origin, partition, _ = letter.origin
            if "count" in letter.headers or origin not in self._ours:
                continue
            kind = origin, letter.headers.get("reason", "")
            if not self._twice and self._resent.before(kind, letter.place, letter.offset):
                before += 1
                continue
            futures.append(self._producer.send(origin, value=letter.value, partition=partition))
            newest[kind, letter.place] = letter.offset
        for future in futures:
            future.get(timeout=SECONDS)
        self._resent.keep(newest)
        self.sent = Sent(self.sent.records + len(futures), self.sent.before + before)
