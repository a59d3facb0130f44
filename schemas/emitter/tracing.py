"""Where an event belongs in a trace: from a header of W3C's trace context, or from OpenTelemetry's current span."""

import re
import sys
from typing import Any, Final

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


def traced(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an event with its trace, and its parent span, where it names no trace itself.

    The span of the header, or the current one, is the *parent*: several calls under one span are several events. A
    header that is none is left out, as W3C says.

    >>> traced({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
    {'trace_id': '0af7651916cd43dd8448eb211c80319c', 'parent_span_id': 'b7ad6b7169203331'}
    """
    header = fields.pop("traceparent", None)
    if fields.get("trace_id"):
        return fields
    trace, parent = _from_header(header) if header else _current()
    return fields | ({"trace_id": trace, "parent_span_id": fields.get("parent_span_id") or parent} if trace else {})


def _from_header(header: object) -> tuple[str, str]:
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    found = _TRACEPARENT.match(text.strip()) if isinstance(text, str) else None
    return (found[1], found[2]) if found else ("", "")


def _current() -> tuple[str, str]:
    """Return trace and span of OpenTelemetry's current span; nothing is imported that the service has not."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return "", ""
    context = trace.get_current_span().get_span_context()
    return (f"{context.trace_id:032x}", f"{context.span_id:016x}") if context.is_valid else ("", "")
