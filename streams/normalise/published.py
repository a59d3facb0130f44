"""Names of events that are out already, so that nothing goes out twice.

A worker that starts reads again what its predecessor had not acknowledged, and some of what follows from it is out.
What is out stands in the log itself, from when the first of those records was written on: it is asked, and what it
names is not sent again. The same names catch records that a client has sent twice.
"""

from collections.abc import Iterable
from typing import Final

from schemas.topics import INFERENCE
from streams.health.metrics import REPEATED, counted
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message
from streams.kafka.topics import TopicState

MADE_BY: Final = "normalised"
"""The header that marks an event as made here; its value is the number of the partition that it was made of."""

MOST_NAMES: Final = 200_000
"""The latest so many are known; who sends the same again later than that is not caught."""


class Published:
    """What is out that was made of the partitions of one number."""

    def __init__(self, number: int) -> None:
        self.mark: Final = (MADE_BY, str(number).encode())
        self._names: dict[bytes, None] = {}

    async def ask(self, reader: LogReader, topic: TopicState, since_ms: int) -> None:
        """Learn from the log what was written from a time on, in milliseconds of the broker's clock."""
        for number in range(topic.partitions):
            async for record in reader.since(topic.name, number, since_ms):
                if self.mark in record.headers:
                    self._names[_name(record.headers)] = None

    def fresh(self, messages: Iterable[Message]) -> list[Message]:
        """Return those that are not out, each once, and note that they will be."""
        found, repeated = list[Message](), 0
        for message in messages:
            name = _name(message.headers)
            repeated += name in self._names
            if name not in self._names:
                self._names[name] = None
                found.append(message)
        while len(self._names) > MOST_NAMES:
            del self._names[next(iter(self._names))]
        counted(REPEATED.labels(INFERENCE.name), repeated)
        return found


def _name(headers: Iterable[tuple[str, bytes]]) -> bytes:
    return dict(headers).get("ce_id", b"")
