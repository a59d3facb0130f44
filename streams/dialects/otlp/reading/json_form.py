"""`otlp_json`: ids in hexadecimal, 64-bit integers as text, names in camel case.

Protobuf's own JSON reader takes the ids for base64 and gives 24 bytes where 16 were meant, so this form has a reader
of its own. Unknown fields are passed over; a span's field of a wrong type counts as absent.
"""

import binascii
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from streams.dialects.otlp.reading.signal import Signal
from streams.dialects.otlp.records import Attributes, LogRecord, Origin, Record, Span, SpanEvent

MAX_NESTING: Final = 16
"""Levels of an attribute's value that are read; what lies deeper is left out."""

_KINDS: Final = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUSES: Final = ("UNSET", "OK", "ERROR")
_KEYS: Final = {"traces": ("resourceSpans", "scopeSpans", "spans"), "logs": ("resourceLogs", "scopeLogs", "logRecords")}


def read_json(data: bytes, signal: Signal) -> list[Record]:
    """Return the spans or log records of one document.

    Parameters
    ----------
    data
        A TracesData or LogsData object in JSON, not compressed.
    signal
        What the bytes are said to be.

    Raises
    ------
    ValueError
        No JSON, or no object of that signal.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"no OTLP JSON of {signal}: {error}; is the encoding of the exporter otlp_json?") from None
    groups, scopes, records = _KEYS[signal]
    if not isinstance(document, dict) or not isinstance(document.get(groups), list):
        raise ValueError(f"no OTLP JSON of {signal}: an object with a list `{groups}` is expected")  # noqa: TRY004
    read = _span if signal == "traces" else _log
    return [
        read(record, origin)
        for group in _dicts(document[groups])
        for scoped, origin in _scopes(group, scopes)
        for record in _dicts(scoped.get(records))
    ]


def _scopes(group: dict[str, Any], key: str) -> Iterator[tuple[dict[str, Any], Origin]]:
    resource = _attributes(_dict(group.get("resource")).get("attributes"))
    for scoped in _dicts(group.get(key)):
        scope = _dict(scoped.get("scope"))
        url = _text(scoped.get("schemaUrl")) or _text(group.get("schemaUrl"))
        yield scoped, Origin(resource, _text(scope.get("name")), _text(scope.get("version")), url)


def _span(span: dict[str, Any], origin: Origin) -> Span:
    status = _dict(span.get("status"))
    return Span(
        _id(span.get("traceId"), 32),
        _id(span.get("spanId"), 16),
        _id(span.get("parentSpanId"), 16),
        _text(span.get("name")),
        _enum(span.get("kind"), _KINDS),
        _integer(span.get("startTimeUnixNano")),
        _integer(span.get("endTimeUnixNano")),
        _enum(status.get("code"), _STATUSES),
        _text(status.get("message")),
        _integer(span.get("flags")),
        _attributes(span.get("attributes")),
        [_event(event) for event in _dicts(span.get("events"))],
        [(_id(link.get("traceId"), 32), _id(link.get("spanId"), 16)) for link in _dicts(span.get("links"))],
        origin,
    )


def _event(event: dict[str, Any]) -> SpanEvent:
    name, time = _text(event.get("name")), _integer(event.get("timeUnixNano"))
    return SpanEvent(name, time, _attributes(event.get("attributes")))


def _log(log: dict[str, Any], origin: Origin) -> LogRecord:
    attributes = _attributes(log.get("attributes"))
    return LogRecord(
        _id(log.get("traceId"), 32),
        _id(log.get("spanId"), 16),
        _integer(log.get("timeUnixNano")) or _integer(log.get("observedTimeUnixNano")),
        _text(log.get("eventName")) or _text(attributes.get("event.name")),
        _value(log.get("body")),
        attributes,
        origin,
    )


def _attributes(pairs: Any, nesting: int = 0) -> Attributes:
    return {_text(pair.get("key")): _value(pair.get("value"), nesting) for pair in _dicts(pairs)}


def _value(value: Any, nesting: int = 0) -> Any:
    if not isinstance(value, dict) or nesting > MAX_NESTING:
        return None
    for kind, content in value.items():
        if read := _PLAIN.get(kind):
            return read(content)
        if nested := _NESTED.get(kind):
            return nested(content, nesting + 1)
    return None


def _number(value: Any) -> float | bool | None:
    """Return a truth or number; protobuf writes what JSON has no number for as text."""
    if isinstance(value, str):
        return {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.get(value)
    return value if isinstance(value, int | float) else None


def _integer(value: Any) -> int:
    if isinstance(value, str) and len(value) <= 20:
        try:
            return int(value)
        except ValueError:
            return 0
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _enum(value: Any, names: tuple[str, ...]) -> int:
    """Return an enumeration's number, also where a writer used its name (`SPAN_KIND_CLIENT`)."""
    if isinstance(value, str):
        name = value.rsplit("_", 1)[-1]
        return names.index(name) if name in names else 0
    return _integer(value)


def _id(value: Any, digits: int) -> str:
    text = _text(value).lower()
    return text if len(text) == digits and all(digit in "0123456789abcdef" for digit in text) else ""


def _bytes(value: Any) -> bytes:
    try:
        return binascii.a2b_base64(_text(value))
    except binascii.Error:
        return b""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


_PLAIN: Final[dict[str, Callable[[Any], Any]]] = {
    "stringValue": _text,
    "intValue": _integer,
    "boolValue": _number,
    "doubleValue": _number,
    "bytesValue": _bytes,
}
_NESTED: Final[dict[str, Callable[[Any, int], Any]]] = {
    "arrayValue": lambda value, nesting: [_value(item, nesting) for item in _dicts(_dict(value).get("values"))],
    "kvlistValue": lambda value, nesting: _attributes(_dict(value).get("values"), nesting),
}
