"""A body of records in any dialect to events: an array, JSON lines, or a single record, as gateways post their logs."""

import time
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from fastapi import HTTPException, status

from schemas.emitter import headers, routing_key
from schemas.events import Event
from schemas.wire import InvalidRecordError, decoder, encode, refuse_shape
from streams.dialects import spans
from streams.dialects.registry import UnknownDialectError, dialect_of
from streams.dialects.translation import Event as Translated
from streams.kafka.publisher import Message

MOST_RECORDS_BYTES: Final = 8_388_608
MOST_PARTS: Final = 400_000
TOLD: Final = 20
"""Refused records that an answer tells of; all are counted."""

_NOT_HERE: Final = "send OTLP to /v1/traces and /v1/logs, where spans find their relatives"


@dataclass(slots=True)
class Taken:
    """What a body came to: messages for Kafka, and its refused records with position and reason."""

    records: int = 0
    messages: list[Message] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """Return what the sender is told."""
        events, refused = len(self.messages), len(self.refused)
        return {"records": self.records, "events": events, "refused": refused, "reasons": self.refused[:TOLD]}


_decode = decoder(Event)  # type: ignore[arg-type]


def taken(body: bytes, topic: str) -> Taken:
    """Return what the records of an inflated body come to.

    Parameters
    ----------
    topic
        Where the events go, as it is called on the broker.

    Raises
    ------
    HTTPException
        400 where the body is no JSON, 413 where it is larger than is taken.
    """
    found = Taken()
    for position, record in enumerate(_records(body)):
        found.records += 1
        try:
            events = _events(record)
        except UnknownDialectError as error:
            found.refused.append({"record": position, "reason": "unknown_dialect", "detail": str(error)[:300]})
            continue
        except ValueError as error:
            found.refused.append({"record": position, "reason": "invalid", "detail": str(error)[:300]})
            continue
        for event in events:
            try:
                found.messages.append(_message(event, topic))
            except InvalidRecordError as error:
                found.refused.append({"record": position, "reason": error.reason, "detail": str(error)[:300]})
    return found


def _events(record: Any) -> tuple[Translated, ...]:
    dialect = dialect_of(record)
    if dialect.name == spans.NAME:
        raise UnknownDialectError(_NOT_HERE)
    return dialect.translate(record).events


def _message(plain: dict[str, Any], topic: str) -> Message:
    event: Any = _decode(msgspec.json.encode(plain), time.time_ns())
    return Message(topic, encode(event), routing_key(event), headers=headers(event))


def _records(body: bytes) -> list[Any]:
    """Return the records of a body: the items of an array, else its one value, else its lines."""
    try:
        refuse_shape(body, MOST_RECORDS_BYTES, MOST_PARTS)
    except InvalidRecordError as error:
        code = status.HTTP_413_CONTENT_TOO_LARGE if error.reason == "too_large" else status.HTTP_400_BAD_REQUEST
        raise HTTPException(code, str(error)) from None
    try:
        value = msgspec.json.decode(body)
        return value if isinstance(value, list) else [value]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return [msgspec.json.decode(line) for line in body.splitlines() if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = "the body is neither JSON nor JSON lines"
        raise HTTPException(status.HTTP_400_BAD_REQUEST, text) from None
