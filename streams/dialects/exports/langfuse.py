"""Langfuse's observations and scores: of its API, of a trace with all in it, and of its export to blob storage."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.identity import identity
from streams.dialects.building import event, failure_of, times
from streams.dialects.exports.langfuse_scores import is_score, score
from streams.dialects.exports.langfuse_words import KINDS, NAME, either
from streams.dialects.translation import Event, Translation
from streams.dialects.values import at, count, first, mapping, milliseconds, number, rows, spent, text, told

_TEXTS: Final = ("input", "output", "metadata", "statusMessage", "status_message", "comment")
_NO_EVENT: Final = "an observation of type {kind!r} only holds others together; no event is made of it"


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record is an observation, a score, a trace with both, or a page of the API."""
    return any(_is_observation(item) or is_score(item) for item, _ in _parts(record))


def _is_observation(record: dict[str, Any]) -> bool:
    named = str(record.get("type")).upper() in KINDS
    return named and either(record, "traceId") is not None and either(record, "startTime") is not None


def translate(record: dict[str, Any]) -> Translation:
    """Return the events of everything that the record holds, with session and user of its trace."""
    events: list[Event] = []
    dropped: list[str] = []
    warnings: list[str] = []
    for item, trace in _parts(record):
        found = score(item) if is_score(item) else _observation(item, trace)
        events += found.events
        dropped += found.dropped
        warnings += found.warnings
    return Translation(NAME, tuple(events), tuple(dict.fromkeys(dropped)), tuple(dict.fromkeys(warnings)))


def _parts(record: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    inner = rows(record.get("data"))
    for trace in inner or [record]:
        held = [*rows(trace.get("observations")), *rows(trace.get("scores"))]
        yield from ((item, trace) for item in held or [trace])


def _observation(item: dict[str, Any], trace: dict[str, Any]) -> Translation:
    dropped = told(item, _TEXTS)
    kind, operation = KINDS.get(str(item.get("type")).upper(), (None, None))
    if kind is None:
        return Translation(NAME, (), dropped, (_NO_EVENT.format(kind=item.get("type")),))
    (start, end), warnings = times(either(item, "startTime"), either(item, "endTime"))
    fields = _shared(item, trace) | {"time_unix_nano": start, "duration_ms": spent(start, end)}
    if kind == "inference":
        fields |= _call(item) | {"operation_name": operation}
    elif kind == "agent_step":
        fields |= {"step_kind": operation, "status": "error" if item.get("level") == "ERROR" else "ok"}
        fields |= {"tool_name" if operation == "execute_tool" else "agent_name": text(item.get("name"))}
    elif kind == "retrieval":
        fields["data_source_id"] = text(item.get("name"))
    else:
        fields.pop("duration_ms")
        fields["guard"] = _guard(item, start, end)
        fields["target_event_id"] = _id(either(item, "parentObservationId"))
    return Translation(NAME, (event(kind, NAME, (item.get("id"),), **fields),), dropped, warnings)


def _id(observation: Any) -> str | None:
    return identity(NAME, observation) if text(observation) else None


def _shared(item: dict[str, Any], trace: dict[str, Any]) -> Event:
    resource = mapping(at(item, "metadata.resourceAttributes"))
    return {
        "service_name": first(resource.get("service.name"), either(item, "projectName")),
        "service_version": first(resource.get("service.version"), item.get("version"), item.get("release")),
        "environment": first(item.get("environment"), trace.get("environment")),
        "session_id": first(either(item, "sessionId"), either(trace, "sessionId")),
        "user_pseudo_id": first(either(item, "userId"), either(trace, "userId")),
        "trace_id": first(either(item, "traceId")),
        "span_id": text(item.get("id")),
        "parent_span_id": text(either(item, "parentObservationId")),
    }


def _call(item: dict[str, Any]) -> Event:
    failed = item.get("level") == "ERROR"
    outcome, source = failure_of(either(item, "statusMessage")) if failed else ("completed", None)
    model = first(item.get("model"), either(item, "providedModelName"), either(item, "internalModelId"))
    return {
        "request_model": model,
        "response_model": None if failed else model,
        "outcome": outcome,
        "outcome_source": source,
        "error_type": "_OTHER" if outcome == "error" else None,
        "prompt_name": text(either(item, "promptName")),
        "prompt_version": text(either(item, "promptVersion")),
        "time_to_first_chunk_ms": milliseconds(either(item, "timeToFirstToken")),
        "cost_usd": _cost(item),
        **_usage(item),
    }


def _cost(item: dict[str, Any]) -> float | None:
    found = (at(item, "costDetails.total"), at(item, "cost_details.total"), either(item, "calculatedTotalCost"))
    return next((cost for cost in map(number, (*found, either(item, "totalCost"))) if cost), None)


def _usage(item: dict[str, Any]) -> Event:
    """Return tokens with one meaning: Langfuse keeps cached and reasoning tokens apart, ours include them."""
    said = mapping(either(item, "usageDetails")) or mapping(item.get("usage"))
    tokens = {name: found for name, value in said.items() if (found := count(value)) is not None}
    read = tokens.get("cache_read_input_tokens", tokens.get("input_cached_tokens"))
    write, reasoning = tokens.get("cache_creation_input_tokens"), tokens.get("output_reasoning_tokens")
    given, made = tokens.get("input", tokens.get("promptTokens")), tokens.get("output", tokens.get("completionTokens"))
    return {
        "usage_input_tokens": None if given is None else given + (read or 0) + (write or 0),
        "usage_output_tokens": None if made is None else made + (reasoning or 0),
        "usage_cache_read_input_tokens": read,
        "usage_cache_write_input_tokens": write,
        "usage_reasoning_output_tokens": reasoning,
    }


def _guard(item: dict[str, Any], start: int | None, end: int | None) -> dict[str, Any]:
    failed = item.get("level") == "ERROR"
    found = {"guard_name": text(item.get("name")) or "guardrail", "layer": "unknown", "latency_ms": spent(start, end)}
    found |= {"status": "error" if failed else "ok", "verdict": None if failed else "unknown"}
    return {name: value for name, value in found.items() if value is not None}
