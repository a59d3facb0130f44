"""Translated events on their way to `inference.v1`: held against the contract as everybody's are."""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from schemas.emitter import routing_key
from schemas.events import Event
from schemas.topics import INFERENCE
from schemas.wire import InvalidRecordError, decoder
from streams.dialects.translation import Event as Translated
from streams.kafka.publisher import Message
from streams.kafka.sending import message
from streams.settings import Settings

_decode: Final = decoder(Event)  # type: ignore[arg-type]


def outgoing(
    settings: Settings,
    events: Iterable[Translated],
    written_unix_nano: int,
    mark: tuple[str, bytes],
    services: Collection[str] | None = None,
) -> tuple[list[Message], list[InvalidRecordError]]:
    """Return translated events as they travel, keyed by session, and why some of them do not.

    Parameters
    ----------
    written_unix_nano
        When they are written; events from well after it are refused.
    mark
        A header that they get beside their own.
    services
        Whose events the topic that they came by may bring; None where it may bring anybody's.
    """
    messages, refused = list[Message](), list[InvalidRecordError]()
    for event in events:
        try:
            record = _decode(msgspec.json.encode(event), written_unix_nano)
            assert isinstance(record, Event)  # noqa: S101  the decoder accepts nothing else
            _refuse_foreign(record, services)
        except InvalidRecordError as error:
            refused.append(error)
        else:
            messages.append(message(settings, INFERENCE, record, routing_key(record).decode(), [mark]))
    return messages, refused


def _refuse_foreign(event: Event, services: Collection[str] | None) -> None:
    if services is not None and event.service_name not in services:
        named = ", ".join(sorted(services))
        raise InvalidRecordError("foreign_service", f"an event of {event.service_name}, in a topic for {named} alone")
