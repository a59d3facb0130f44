"""`otlp_proto`: TracesData and LogsData, which have the wire form of the export requests."""

from collections.abc import Callable, Iterable, Iterator
from sys import intern
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from streams.dialects.otlp.reading.signal import Signal
from streams.dialects.otlp.records import Attributes, LogRecord, Origin, Record, Span, SpanEvent

MAX_NESTING: Final = 16
"""Levels of an attribute's value that are read; what lies deeper is left out."""


def read_proto(data: bytes, signal: Signal) -> list[Record]:
    """Return the spans or log records of one message.

    Parameters
    ----------
    data
        As the Collector's Kafka exporter writes it, or the body of an OTLP/HTTP request, not compressed.
    signal
        What the bytes are said to be.

    Raises
    ------
    ValueError
        The bytes are no such message.
    """
    parse = TracesData.FromString if signal == "traces" else LogsData.FromString
    try:
        message: Any = parse(data)
    except DecodeError as error:
        raise ValueError(
            f"no OTLP protobuf of {signal}: {error}; is the encoding of the exporter otlp_proto?"
        ) from None
    return list(_spans(message)) if signal == "traces" else list(_logs(message))


def _spans(message: Any) -> Iterator[Span]:
    for group in message.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            origin = _origin(resource, scoped, group.schema_url)
            for span in scoped.spans:
                status = span.status
                yield Span(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    span.kind,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    status.code,
                    status.message,
                    span.flags,
                    _attributes(span.attributes),
                    [SpanEvent(e.name, e.time_unix_nano, _attributes(e.attributes)) for e in span.events],
                    [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                    origin,
                )


def _logs(message: Any) -> Iterator[LogRecord]:
    for group in message.resource_logs:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_logs:
            origin = _origin(resource, scoped, group.schema_url)
            for log in scoped.log_records:
                attributes = _attributes(log.attributes)
                yield LogRecord(
                    log.trace_id.hex(),
                    log.span_id.hex(),
                    log.time_unix_nano or log.observed_time_unix_nano,
                    log.event_name or str(attributes.get("event.name", "")),
                    _value(log.body),
                    attributes,
                    origin,
                )


def _origin(resource: Attributes, scoped: Any, schema_url: str) -> Origin:
    return Origin(resource, scoped.scope.name, scoped.scope.version, scoped.schema_url or schema_url)


def _attributes(pairs: Iterable[Any], nesting: int = 0) -> Attributes:
    # by far the most values are texts, and asking for one is cheaper than for the kind
    return {intern(pair.key): (value := pair.value).string_value or _value(value, nesting) for pair in pairs}


def _value(value: Any, nesting: int = 0) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or nesting > MAX_NESTING:
        return None
    read = _NESTED.get(kind)
    return read(getattr(value, kind), nesting + 1) if read else getattr(value, kind)


_NESTED: Final[dict[str, Callable[[Any, int], Any]]] = {
    "array_value": lambda array, nesting: [_value(item, nesting) for item in array.values],
    "kvlist_value": lambda pairs, nesting: _attributes(pairs.values, nesting),
}
