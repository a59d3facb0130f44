"""How an event gets its name, its key and its headers, and what is filled in that its service left out."""

import hashlib
import hmac
import time
import uuid
from functools import cache
from typing import Any, Final

import msgspec

from ..events import Envelope, Inference
from ..identity import identity
from ..reviews import ReviewLabel
from .sink import Headers
from .spellings import spelled
from .tracing import traced


def built(kind: type[Any], fields: dict[str, Any], source: str, service: str | None) -> Any:
    """Return an event of its fields; what was left out and is known is filled in, vendors' spellings become ours.

    Parameters
    ----------
    fields
        Of the event; guards and the like may be dicts. `traceparent` is a header of W3C's trace context.
    service
        Name of the service where the event names none.

    Raises
    ------
    TypeError, ValueError
        Where the fields don't make an event.
    """
    known = {"source": source, "time_unix_nano": time.time_ns()} | ({"service_name": service} if service else {})
    fields = traced(known | fields)
    if kind is Inference:
        fields = spelled(fields)
    if "event_id" not in fields:
        fields["event_id"] = event_identity(kind, fields.get("trace_id"), fields.get("span_id"))
    return msgspec.convert(fields, kind) if _is_plain(fields) else kind(**fields)


def _is_plain(fields: dict[str, Any]) -> bool:
    """Tell whether guards and the like came as dicts, as they do from a configuration or another library."""
    return any(
        isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict))
        for value in fields.values()
    )


def is_name(value: object) -> bool:
    """Tell whether something can be the name of a source or a service."""
    return isinstance(value, str) and 0 < len(value) <= 256


def event_identity(kind: type[Any], trace_id: str | None, span_id: str | None) -> str:
    """Return an event id: the same for the same span, so that a repeat is recognised; else a new one.

    >>> event_identity(Inference, "t", "s") == event_identity(Inference, "t", "s")
    True
    """
    if trace_id and span_id:
        return identity(kind.__struct_config__.tag, trace_id, span_id)
    return uuid.uuid4().hex


def routing_key(event: Envelope) -> bytes:
    """Return the key that keeps all of a session in one partition, in order; of a judgement, all of one event."""
    if isinstance(event, ReviewLabel):
        return event.target_event_id.encode()
    return (event.session_id or event.conversation_id or event.trace_id or event.event_id).encode()


def headers(event: Envelope) -> Headers:
    """Return the CloudEvents attributes of an event (Kafka binding, binary mode)."""
    return [
        _SPECVERSION,
        ("ce_type", _tag(type(event))),
        ("ce_id", event.event_id.encode()),
        ("ce_source", event.source.encode()),
    ]


_SPECVERSION: Final = ("ce_specversion", b"1.0")


@cache
def _tag(kind: type[Envelope]) -> bytes:
    return str(kind.__struct_config__.tag).encode()


def hash_text(text: str, key: bytes) -> str:
    """Return a keyed hash of a text, to compare texts without keeping them.

    >>> hash_text("hello", b"k")[:20]
    'hmac-sha256:406e4b43'
    """
    return "hmac-sha256:" + hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
