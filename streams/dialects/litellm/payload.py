"""One call of a model as LiteLLM logs it, with the guards that ran around it.

What the payload does not say is left out. Tokens and cost of a call that failed are zero there without being known to
be; an answer from the cache repeats the tokens of the call that was cached.
"""

import re
from typing import Any, Final

from schemas.identity import identity
from streams.dialects.litellm import old
from streams.dialects.litellm.guards import guards_of
from streams.dialects.litellm.outcome import Ending, ending_of
from streams.dialects.litellm.words import OPERATIONS, PROVIDERS
from streams.dialects.translation import Event, Translation
from streams.dialects.values import at, count, first, mapping, nano, number, present, rows, spent, text, told
from streams.dialects.words import finish_of

NAME = "litellm"
SOURCE: Final = "litellm"

TEXTS: Final = (
    "messages",
    "response.choices",
    "response.output",
    "response.data",
    "error_str",
    "error_information.traceback",
)
"""What holds, or may hold, text of people; never taken over."""

_GENERATED: Final = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_MARKS: Final = (
    "litellm_call_id", "call_type", "status_fields", "guardrail_information", "error_information", "model_group",
    "custom_llm_provider",
)  # fmt: skip


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record is a StandardLoggingPayload, or the log that came before it."""
    named = sum(mark in record for mark in _MARKS)
    return (named >= 2 and ("status" in record or "startTime" in record)) or old.knows(record)


def translate(record: dict[str, Any]) -> Translation:
    """Return the call with its guards; a failed attempt that was tried again is a call of its own."""
    if old.knows(record):
        return old.translate(record)
    guards, warnings = guards_of(record)
    ending = ending_of(record, guards)
    event = _envelope(record) | _call(record, ending) | _usage(record, ending)
    event["guards"] = ending.guards(guards)
    dropped = told(record, TEXTS) + ending.dropped(guards)
    return Translation(NAME, (present(event),), dropped, (*warnings, *ending.warnings))


def _envelope(record: dict[str, Any]) -> Event:
    metadata = mapping(record.get("metadata"))
    call = first(record.get("litellm_call_id"), record.get("id"), record.get("trace_id")) or "unknown"
    return {
        "event_type": "ai.safety.inference.v1",
        "event_id": identity(SOURCE, call, *(str(record.get(key)) for key in ("id", "status", "startTime", "endTime"))),
        "source": SOURCE,
        "time_unix_nano": nano(record.get("startTime")) or nano(record.get("endTime")),
        "service_name": first(at(metadata, "requester_metadata.service_name")) or SOURCE,
        "ingest_dialect": NAME,
        "tenant_id": first(*(metadata.get(f"user_api_key_{key}") for key in ("team_id", "org_id"))),
        "trace_id": text(record.get("trace_id")),
        "session_id": session_of(record),
        "user_pseudo_id": first(metadata.get("user_api_key_end_user_id"), record.get("end_user")),
        "labels": present({"litellm_call_id": text(record.get("litellm_call_id"))}),
    }


def session_of(record: dict[str, Any]) -> str | None:
    """Return the session that the caller named: a `trace_id` that LiteLLM made itself names none."""
    header = at(record, "metadata.requester_metadata.headers.x-litellm-session-id")
    given = first(header, record.get("session_id"))
    trace = text(record.get("trace_id"))
    return given or (trace if trace and not _GENERATED.fullmatch(trace) else None)


def _call(record: dict[str, Any], ending: Ending) -> Event:
    answered = mapping(record.get("response"))
    start, end = nano(record.get("startTime")), nano(record.get("endTime"))
    streamed = record.get("stream") is True or at(record, "model_parameters.stream") is True
    reasons = [reason for choice in rows(answered.get("choices")) if (reason := text(choice.get("finish_reason")))]
    asked = first(record.get("model_group"), record.get("model")) if ending.reached else None
    return {
        "operation_name": operation_of(record.get("call_type")),
        "provider_name": provider_of(record.get("custom_llm_provider")) if ending.reached else None,
        "request_model": asked,
        "response_model": upstream_of(record) if ending.answered else None,
        "response_id": text(answered.get("id")) if ending.answered else None,
        "request_temperature": number(at(record, "model_parameters.temperature")),
        "request_max_tokens": count(at(record, "model_parameters.max_tokens")),
        "request_stream": True if streamed else None,
        "finish_reasons": [] if ending.cut else reasons,
        "finish_reason_norm": None if ending.cut else finish_of(*reasons),
        "outcome": ending.outcome,
        "outcome_source": ending.source,
        "error_type": ending.error,
        "reached_user": ending.reached_user,
        "duration_ms": spent(start, end),
        "time_to_first_chunk_ms": spent(start, nano(record.get("completionStartTime"))) if streamed else None,
    }


def operation_of(call_type: Any) -> str | None:
    """Return the operation of a call type.

    >>> operation_of("acompletion"), operation_of("aembedding"), operation_of("create_batch")
    ('chat', 'embeddings', 'create_batch')
    """
    name = text(call_type)
    return OPERATIONS.get(name) or OPERATIONS.get(name.removeprefix("a")) or name if name else None


def provider_of(name: Any) -> str | None:
    """Return a provider in the words of the GenAI conventions."""
    found = text(name)
    return PROVIDERS.get(found, found) if found else None


def upstream_of(record: dict[str, Any]) -> str | None:
    """Return the model that was called: what the answer calls it is often the public name, which stands for several."""
    model = first(record.get("model"), at(record, "response.model"))
    provider = text(record.get("custom_llm_provider"))
    return model.removeprefix(f"{provider}/") if model and provider else model


def _usage(record: dict[str, Any], ending: Ending) -> Event:
    if record.get("cache_hit") is True:
        return {"cost_usd": number(record.get("response_cost")), "labels": _labels(record, cache_hit="true")}
    known = ending.answered or count(record.get("total_tokens"))
    cost = number(record.get("response_cost"))
    usage = mapping(at(record, "metadata.usage_object")) or mapping(at(record, "response.usage"))
    return {
        "usage_input_tokens": count(record.get("prompt_tokens")) if known else None,
        "usage_output_tokens": count(record.get("completion_tokens")) if known else None,
        "usage_cache_read_input_tokens": count(at(usage, "prompt_tokens_details.cached_tokens")),
        "usage_cache_write_input_tokens": count(usage.get("cache_creation_input_tokens")),
        "usage_reasoning_output_tokens": count(at(usage, "completion_tokens_details.reasoning_tokens")),
        "cost_usd": cost if ending.answered or cost else None,
    }


def _labels(record: dict[str, Any], **more: str) -> dict[str, str]:
    return present({"litellm_call_id": text(record.get("litellm_call_id"))}) | more
