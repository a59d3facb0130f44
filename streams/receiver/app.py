"""The paths of OTLP over HTTP: a request is answered with 200 when all of it is in Kafka with every copy."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from fastapi import FastAPI, HTTPException, Request, Response, status
from google.protobuf.json_format import MessageToDict
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse

from schemas.topics import DOORS, Topic
from streams.access.callers import Callers
from streams.access.proxy.hops import Behind, Hops
from streams.api.middleware import RequestLimits
from streams.health.metrics import RECEIVED, counted
from streams.health.problems import AWAY, PROBLEMS
from streams.kafka.publisher import Message, Publisher
from streams.receiver.admit import Door
from streams.receiver.body import JSON, MOST_BYTES, PROTOBUF, Kind, inflate, kind_of, parsed
from streams.receiver.signals import SIGNALS, Cut, Signal, cut
from streams.receiver.webhook import cut_webhook
from streams.settings import Settings

DOOR: Final = "otlp"
WEBHOOK: Final = "litellm"
MOST_HELD_BYTES: Final = 67_108_864
"""Of all bodies together; a small container has room for them, inflated and cut up."""

MOST_REQUESTS: Final = 256
PUBLISH_SECONDS: Final = 5.0
"""How long Kafka may take: SDKs give up after ten seconds."""

RETRY_SECONDS: Final = 2
"""What clients are told to wait for."""


class Room:
    """What all requests together may hold, so that many clients wait rather than fill the memory."""

    def __init__(self, most_bytes: int = MOST_HELD_BYTES, most_requests: int = MOST_REQUESTS) -> None:
        self._bytes, self._requests = most_bytes, most_requests

    @contextmanager
    def held(self) -> Iterator[Callable[[int], None]]:
        """Yield what takes more bytes for a request; all of them are given back at the end.

        Raises
        ------
        HTTPException
            503 with `Retry-After` where there is no room, also from what is yielded.
        """
        if self._requests <= 0:
            raise busy("too many requests at once")
        mine, self._requests = 0, self._requests - 1

        def take(more: int) -> None:
            nonlocal mine
            if more > self._bytes:
                raise busy("too much to take in at once")
            mine, self._bytes = mine + more, self._bytes - more

        try:
            yield take
        finally:
            self._bytes, self._requests = self._bytes + mine, self._requests + 1


def busy(why: str) -> HTTPException:
    """Return the answer that has a client send the same again a little later."""
    again = {"Retry-After": str(RETRY_SECONDS)}
    return HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, f"{why}; send it again later", again)


class Receiver:
    """Takes what clients export.

    Parameters
    ----------
    publisher
        To Kafka, connected.
    """

    def __init__(self, settings: Settings, publisher: Publisher, room: Room | None = None) -> None:
        self._settings: Final = settings
        self._publisher: Final = publisher
        self._room: Final = room or Room()
        self._door: Final = Door(settings)

    async def take(self, signal: Signal, request: Request) -> Response:
        """Answer a request to export."""

        def read(kind: Kind, body: bytes) -> Cut:
            return cut(signal, parsed(signal, kind, body))

        kind, found = await self._taken(signal.topic, request, read)
        return _answer(kind, _told(signal, found))

    async def take_webhook(self, request: Request) -> Response:
        """Answer a post of LiteLLM's logger."""
        _, found = await self._taken(DOORS[WEBHOOK], request, cut_webhook)
        counted(RECEIVED.labels("litellm", "records"), len(found.records))
        counted(RECEIVED.labels("litellm", "refused"), found.refused)
        return JSONResponse({"accepted": len(found.records), "refused": found.refused, "why": found.why})

    async def _taken(
        self, topic: Topic | None, request: Request, read: Callable[[Kind, bytes], Cut]
    ) -> tuple[Kind, Cut]:
        """Return what a request says of its body, and what of it is in Kafka now; without a topic nothing is read."""
        self._door.admit(request)
        if away := PROBLEMS.current().keys() & AWAY:
            raise busy(f"{', '.join(sorted(away))} is away")
        kind = kind_of(request.headers.get("Content-Type", ""), request.headers.get("Content-Encoding", ""))
        with self._room.held() as take:
            body = bytearray()
            async for chunk in request.stream():
                take(len(chunk))
                body += chunk
            if topic is None:
                return kind, Cut()
            inflated = await asyncio.to_thread(inflate, bytes(body), kind.encoding)
            take(2 * len(inflated))
            found = await asyncio.to_thread(read, kind, inflated)
            await self._publish(self._settings.topic(topic.name), found)
        return kind, found

    async def _publish(self, topic: str, found: Cut) -> None:
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._publisher.publish(Message(topic, value, key) for key, value in found.records)
        except MessageSizeTooLargeError:
            text = f"Kafka takes no record of this size; raise max.message.bytes of {topic}"
            raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, text) from None
        except (TimeoutError, KafkaError):
            raise busy("Kafka does not take it now") from None


def receiver_app(settings: Settings, receiver: Receiver, ready: Callable[[], bool]) -> FastAPI:
    """Return the application: the paths of OTLP, and `/health`, `/ready` and `/metrics` as every worker has them."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for signal in SIGNALS:

        async def export(request: Request, signal: Signal = signal) -> Response:
            return await receiver.take(signal, request)

        app.add_route(f"/v1/{signal.name}", export, methods=["POST"])

    app.add_route(f"/v1/{WEBHOOK}", receiver.take_webhook, methods=["POST"])

    @app.get("/health")
    async def health() -> JSONResponse:
        problems = list(PROBLEMS.current().values())
        body = {"healthy": not problems, "ready": ready(), "stalled": False, "problems": problems, "pid": os.getpid()}
        return JSONResponse(body, 503 if problems else 200)

    @app.get("/ready")
    async def readiness() -> JSONResponse:
        return JSONResponse({"ready": ready()}, 200 if ready() else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app.add_exception_handler(HTTPException, _refusal)
    app.add_middleware(RequestLimits, most_bytes=MOST_BYTES, callers=Callers(settings), door=DOOR)
    app.add_middleware(Behind, hops=Hops(settings))
    return app


def _told(signal: Signal, found: Cut) -> Any:
    """Return the answer of the protocol, after counting."""
    answer = signal.response()
    counted(RECEIVED.labels(signal.name, "discarded"), signal.topic is None)
    if found.refused:
        setattr(answer.partial_success, signal.refused, found.refused)
        answer.partial_success.error_message = found.why
    counted(RECEIVED.labels(signal.name, "records"), len(found.records))
    counted(RECEIVED.labels(signal.name, "refused"), found.refused)
    return answer


def _answer(kind: Kind, answer: Any) -> Response:
    if kind.content_type == JSON:
        return JSONResponse(MessageToDict(answer))
    return Response(answer.SerializeToString(), media_type=PROTOBUF)


async def _refusal(request: Request, error: Exception) -> Response:
    """Answer with the status message of the protocol, in the encoding that the client speaks."""
    assert isinstance(error, HTTPException)  # noqa: S101
    if request.headers.get("Content-Type", "").lower().startswith(PROTOBUF):
        text = str(error.detail).encode("ascii", "replace")[:120]
        body = b"\x12" + bytes([len(text)]) + text  # google.rpc.Status with its field 2, shorter than 128 bytes
        return Response(body, error.status_code, error.headers, PROTOBUF)
    return JSONResponse({"message": error.detail}, error.status_code, error.headers)
