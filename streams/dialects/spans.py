"""OTLP by its shape: a document of spans or logs, bytes of protobuf, or the attributes of a single span."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from schemas.identity import identity
from streams.dialects.otlp import LogRecord, Record, Span, read_json, read_proto, translate
from streams.dialects.otlp.reading.signal import Signal
from streams.dialects.otlp.records import Origin
from streams.dialects.translation import Translation
from streams.dialects.values import at, first, mapping, nano, text

NAME: Final = "otlp"
GROUPS: Final[dict[str, Signal]] = {"resourceSpans": "traces", "resourceLogs": "logs"}
PREFIXES: Final = ("gen_ai.", "llm.", "openinference.", "traceloop.", "guard.", "rail.", "guardrails.", "mcp.", "ai.")
EVENTS: Final = {
    "gen_ai.guardrail.": "gen_ai.guardrail.result",
    "gen_ai.evaluation.": "gen_ai.evaluation.result",
}
"""By beginning of an attribute: the event that has it."""

_METRICS: Final = "metrics are not read: they are sums over what spans say one by one; send traces and logs"
_NOWHERE: Final = "it is none of GenAI: no span or log of it says anything of a call, a step or a verdict"


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record is a document of OTLP, or attributes of one span by their names."""
    groups = (*GROUPS, "resourceMetrics")
    return any(isinstance(record.get(name), list) for name in groups) or knows_attributes(record)


def knows_attributes(record: dict[str, Any]) -> bool:
    """Tell whether a record is the flat attributes of one span, by themselves or under `attributes`."""
    return any(str(key).startswith(PREFIXES) for key in (*record, *mapping(record.get("attributes"))))


def translate_record(record: dict[str, Any] | bytes) -> Translation:
    """Return what one document, message or span became, taken as complete."""
    return translate_all(records_of(record), metrics=isinstance(record, dict) and "resourceMetrics" in record)


def translate_all(records: Sequence[Record], *, metrics: bool = False) -> Translation:
    """Return what spans and logs became together, so that children find their roots."""
    spans = [record for record in records if isinstance(record, Span)]
    found = translate(spans, [record for record in records if isinstance(record, LogRecord)])
    events = tuple({name: value for name, value in event.items() if value or name != _TIME} for event in found.events)
    told = (_METRICS,) if metrics else () if events else (_NOWHERE,)
    return replace(found, dialect=NAME, events=events, warnings=(*found.warnings, *told))


_TIME: Final = "time_unix_nano"


def records_of(record: dict[str, Any] | bytes) -> list[Record]:
    """Return the spans and logs of a record.

    Raises
    ------
    ValueError
        Where bytes are neither; the message says so.
    """
    if isinstance(record, bytes):
        return _of_bytes(record)
    document = msgspec.json.encode(record)
    held = [signal for group, signal in GROUPS.items() if isinstance(record.get(group), list)]
    if held:
        return [one for signal in held for one in read_json(document, signal)]
    return [_of_attributes(record)] if knows_attributes(record) else []


def _of_bytes(data: bytes) -> list[Record]:
    """Return the spans of a message, or its logs: protobuf does not say which it is, but only spans have a start."""
    problem = None
    for signal in GROUPS.values():
        try:
            found = read_proto(data, signal)
        except ValueError as error:
            problem = error
            continue
        if signal == "logs" or any(isinstance(one, Span) and one.span_id and one.start_unix_nano for one in found):
            return found
    raise ValueError(f"bytes that are neither JSON nor OTLP: {problem}")


def _of_attributes(record: dict[str, Any]) -> Record:
    attributes = mapping(record.get("attributes")) or record
    ids = {name: first(record.get(name), at(record, f"context.{name}")) or "" for name in ("trace_id", "span_id")}
    ids["span_id"] = ids["span_id"] or identity(NAME, msgspec.json.encode(record, order="sorted").decode())[:16]
    start = nano(record.get("start_time")) or nano(record.get(_TIME)) or 0
    end = nano(record.get("end_time")) or start
    origin = Origin(mapping(record.get("resource")) or {}, "", "", "")
    for beginning, name in EVENTS.items():
        if any(str(key).startswith(beginning) for key in attributes):
            return LogRecord(ids["trace_id"], ids["span_id"], start, name, None, attributes, origin)
    if "gen_ai.request.model" in attributes or "gen_ai.response.model" in attributes:
        attributes = {"gen_ai.operation.name": "chat"} | attributes
    failed = at(record, "status.code") in (2, "ERROR", "STATUS_CODE_ERROR")
    return Span(
        trace_id=ids["trace_id"], span_id=ids["span_id"], parent_span_id=text(record.get("parent_id")) or "",
        name=text(record.get("name")) or "", kind=3, start_unix_nano=start, end_unix_nano=end,
        status=2 if failed else 0, status_message="", flags=0, attributes=attributes, events=[], links=[],
        origin=origin,
    )  # fmt: skip
