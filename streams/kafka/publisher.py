"""Messages to Kafka, awaited until they are durable, however long the broker is away."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from tenacity import AsyncRetrying, retry_if_exception, wait_random_exponential

from schemas.findings import Finding
from schemas.wire import encode
from streams.health.metrics import FINDINGS, RETRIES
from streams.health.problems import PROBLEMS, RIGHTS
from streams.kafka.topics import KafkaUnavailableError

log: Final = structlog.get_logger()

MAX_MESSAGE_BYTES: Final = 8_200_000
_RULES: Final = "give this worker's user its rules (`watchkeeper topics acl --apply`)"


class Message(NamedTuple):
    """A message on its way out; without a partition its key decides."""

    topic: str
    value: bytes
    key: bytes | None = None
    partition: int | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Publisher:
    """A producer whose messages are on disk with all replicas when `publish` returns."""

    def __init__(self, client: Mapping[str, Any]) -> None:
        self._client: Final = client
        self._producer: AIOKafkaProducer | None = None
        self.listeners: Final[list[Callable[[Sequence[Message]], None]]] = []
        """Each is told of messages that are durable."""

    async def start(self) -> None:
        """Connect.

        Raises
        ------
        KafkaUnavailableError
            Where the broker lets this user write nothing at all.
        """
        self._producer = AIOKafkaProducer(
            **self._client, acks="all", enable_idempotence=True, max_request_size=MAX_MESSAGE_BYTES, linger_ms=5
        )
        try:
            await self._producer.start()
        except ClusterAuthorizationFailedError:  # the answer to whoever wants a producer's number and writes nowhere
            await self.stop()
            raise KafkaUnavailableError(f"kafka lets this user write nothing: {_RULES}") from None

    async def stop(self) -> None:
        """Disconnect."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def publish(self, messages: Iterable[Message]) -> None:
        """Send messages in order and wait until all are durable.

        While the broker is away, or does not let us write, it is tried again; a message may then arrive twice, and its
        readers know a repeat by its identity.
        """
        waiting = list(messages)
        retry = retry_if_exception(_passes)
        async for attempt in AsyncRetrying(wait=wait_random_exponential(max=10), retry=retry, reraise=True):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    RETRIES.labels("kafka").inc()
                    log.warning("kafka does not take our messages; trying again", messages=len(waiting))
                with _rights():
                    await self._send_all(waiting)
        for tell in self.listeners:
            tell(waiting)

    async def publish_findings(self, topic: str, findings: Sequence[Finding]) -> None:
        """Publish findings under the key of their service, and count them."""
        await self.publish(Message(topic, encode(finding), finding.service_name.encode()) for finding in findings)
        for finding in findings:
            FINDINGS.labels(finding.kind, finding.severity).inc()

    async def _send_all(self, messages: list[Message]) -> None:
        if self._producer is None:
            raise RuntimeError("start() comes first")
        sent = [
            await self._producer.send(
                message.topic, message.value, message.key, partition=message.partition, headers=list(message.headers)
            )
            for message in messages
        ]
        await asyncio.gather(*sent)


@contextmanager
def _rights() -> Iterator[None]:
    """Say at `/health` that the broker does not let us write: a worker that waits does nothing else to be seen."""
    try:
        yield
    except TopicAuthorizationFailedError as error:
        topics = ", ".join(map(str, error.args))
        PROBLEMS.note(RIGHTS, f"kafka does not let us write {topics}, and what is to be written waits: {_RULES}")
        raise
    PROBLEMS.over(RIGHTS)


def _passes(error: BaseException) -> bool:
    return isinstance(error, KafkaError) and not isinstance(error, MessageSizeTooLargeError)
