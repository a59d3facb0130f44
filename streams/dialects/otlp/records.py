"""Spans and log records as plain values, whatever encoding they came in."""

from typing import Any

from msgspec import Struct

Attributes = dict[str, Any]
"""By key: text, truth, number, bytes, list, dict or None, as the emitter set it."""


class Origin(Struct, frozen=True, gc=False):
    """Who emitted a record: its resource and its instrumentation scope, shared by all records of a batch.

    Parameters
    ----------
    resource
        Attributes of the resource.
    scope, scope_version
        Name and version of the instrumentation, empty where it gave none.
    schema_url
        Of the scope, or of the resource where the scope has none.
    """

    resource: Attributes
    scope: str = ""
    scope_version: str = ""
    schema_url: str = ""


class SpanEvent(Struct, frozen=True, gc=False):
    """Something that happened inside of a span, at nanoseconds of Unix time."""

    name: str
    time_unix_nano: int
    attributes: Attributes


class Span(Struct, frozen=True, gc=False):
    """A span that ended. Ids are lower-case hexadecimal, empty where absent; times are Unix nanoseconds.

    Parameters
    ----------
    kind
        0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    status
        0 unset, 1 ok, 2 error.
    flags
        Bits 8 and 9 tell whether the parent is remote, as OTLP has them.
    links
        Trace and span id of each.
    """

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: int
    start_unix_nano: int
    end_unix_nano: int
    status: int
    status_message: str
    flags: int
    attributes: Attributes
    events: list[SpanEvent]
    links: list[tuple[str, str]]
    origin: Origin


class LogRecord(Struct, frozen=True, gc=False):
    """A log record, an event where `event_name` says so. Ids as in a span; times are Unix nanoseconds."""

    trace_id: str
    span_id: str
    time_unix_nano: int
    event_name: str
    body: Any
    attributes: Attributes
    origin: Origin


Record = Span | LogRecord
