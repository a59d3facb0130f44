"""Heads: the number and the hash of the last entry, signed and published to Kafka every little while.

A chain shows what was changed within it. That its end was cut off, or that all of it was written anew, is shown by
what was said of it elsewhere.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import structlog

from schemas.topics import AUDIT_HEADS
from streams.audit.log import AuditLog
from streams.audit.signing import signed
from streams.audit.verifier import Head, read_head
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.settings import Settings
from streams.worker.background import in_background

log: Final = structlog.get_logger()

HEAD_SECONDS: Final = 60.0
"""The longest time until an entry is under a head."""
HEAD_ENTRIES: Final = 500
"""And the most entries until then."""
LOOK_SECONDS: Final = 2.0


class Heads:
    """Publishes heads; a companion of a worker.

    Parameters
    ----------
    every
        Seconds between two heads of a log that grows.
    """

    def __init__(self, settings: Settings, audit: AuditLog, publisher: Publisher, every: float = HEAD_SECONDS) -> None:
        self._settings: Final = settings
        self._audit: Final = audit
        self._publisher: Final = publisher
        self._every: Final = every
        self._last = 0
        self._at = -every
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to publish."""
        self._task = in_background(self._work())

    async def stop(self) -> None:
        """Publish the end, unless Kafka is away, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=LOOK_SECONDS)  # a client of Kafka may swallow a cancellation
            self._last = 0  # one that was on its way may not have come to be kept
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._publish(0, 0.0)

    async def _work(self) -> None:
        while True:
            await self._publish(HEAD_ENTRIES, self._every)
            await asyncio.sleep(min(LOOK_SECONDS, self._every))

    async def _publish(self, entries: int, seconds: float) -> None:
        """Publish a head where the log has grown by so many entries, or has grown and so much time is over."""
        try:
            sequence, end = await asyncio.to_thread(self._audit.end)
            grown, waited = sequence - self._last, time.monotonic() - self._at
            if not grown or (0 < grown < entries and waited < seconds):
                return
            name = await asyncio.to_thread(self._audit.name)
            unsigned = Head(name, sequence, end, datetime.now(UTC).isoformat(timespec="seconds"), "")
            head = await asyncio.to_thread(signed, self._settings, unsigned)
            topic = self._settings.topic(AUDIT_HEADS.name)
            await self._publisher.publish([Message(topic, head.line(), name.encode())])
            self._last, self._at = sequence, time.monotonic()
            await asyncio.to_thread(self._audit.keep, head)
        except OSError as error:
            log.warning("a head of the audit log is missing", error=str(error))


def read_heads(settings: Settings) -> list[Head]:
    """Return the heads that Kafka holds, of all logs; what is none is left out.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where Kafka does not answer, or has no such topic.
    """
    topics = list(check_topics(settings, [AUDIT_HEADS]).values())

    async def read() -> Sequence[bytes]:
        return [record.value or b"" async for record in LogReader(client_arguments(settings)).whole(topics)]

    return [head for value in asyncio.run(read()) if (head := read_head(value)) is not None]
