"""LangSmith's runs, as its API and its bulk export write them.

`session_id` there is the project, not a session of a user: that is in the metadata, where the caller put it.
"""

from collections.abc import Callable
from typing import Any, Final

from streams.dialects.building import error_named, event, failure_of, times
from streams.dialects.translation import Event, Translation
from streams.dialects.values import at, count, first, mapping, number, rows, sequence, spent, text, told
from streams.dialects.words import finish_of, outcome_of

NAME: Final = "langsmith"
SESSIONS: Final = ("session_id", "thread_id", "conversation_id")
"""Keys of the metadata that make a thread, in LangSmith's order."""

_MARKS: Final = ("trace_id", "dotted_order", "start_time", "session_id")
_TEXTS: Final = ("inputs", "outputs", "error", "events", "serialized", "inputs_preview", "outputs_preview")
_NO_EVENT: Final = (
    "a run of type {kind!r} only holds others together; no event is made of it, so that nothing counts twice"
)
_NO_THREAD: Final = (
    "the run's session_id is the project and counts as no session; put session_id or thread_id into its metadata, "
    "else each trace counts as a session of its own"
)


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record is a run."""
    return isinstance(record.get("run_type"), str) and any(mark in record for mark in _MARKS)


def translate(record: dict[str, Any]) -> Translation:
    """Return a model's call, a tool's step or a retrieval; chains and prompts are no events."""
    make = _MAKERS.get(record["run_type"])
    metadata = mapping(at(record, "extra.metadata"))
    dropped = told(record, _TEXTS)
    if "session_id" in record:
        dropped += ("session_id (the project)",)
    if make is None:
        return Translation(NAME, (), dropped, (_NO_EVENT.format(kind=record["run_type"]),))
    (start, end, begun), warnings = times(
        *(record.get(name) for name in ("start_time", "end_time", "first_token_time"))
    )
    session = first(*map(metadata.get, SESSIONS))
    made = make(record, metadata)
    made |= {
        "time_unix_nano": start, "duration_ms": spent(start, end), "session_id": session,
        "service_name": first(record.get("session_name"), record.get("project_name")),
        "trace_id": text(record.get("trace_id")), "span_id": text(record.get("id")),
        "parent_span_id": text(record.get("parent_run_id")),
        "user_pseudo_id": first(metadata.get("user_id")), "environment": text(metadata.get("environment")),
    }  # fmt: skip
    if made["kind"] == "inference":
        made["time_to_first_chunk_ms"] = spent(start, begun)
    parts = (first(record.get("id")) or repr(sorted((str(key), str(record[key])) for key in _MARKS if key in record)),)
    own = event(made.pop("kind"), NAME, parts, **made)
    return Translation(
        NAME, (own,), dropped, (*warnings, *(() if session or "session_id" not in record else (_NO_THREAD,)))
    )


def _call(record: dict[str, Any], metadata: dict[str, Any]) -> Event:
    answer = answer_of(record)
    reason = first(*(answer.get(name) for name in ("finish_reason", "stop_reason", "done_reason")))
    failed = record.get("status") == "error" or text(record.get("error")) is not None
    outcome, source = failure_of(record.get("error")) if failed else outcome_of(reason)
    asked = first(metadata.get("ls_model_name"), at(record, "extra.invocation_params.model"))
    return {
        "kind": "inference",
        "operation_name": "embeddings" if record["run_type"] == "embedding" else "chat",
        "provider_name": text(metadata.get("ls_provider")),
        "request_model": asked,
        "response_model": None if failed else first(answer.get("model_name"), answer.get("model")),
        "request_temperature": number(metadata.get("ls_temperature")),
        "request_max_tokens": count(metadata.get("ls_max_tokens")),
        "finish_reasons": [reason] if reason else None,
        "finish_reason_norm": finish_of(reason),
        "outcome": "unknown" if record.get("status") == "pending" else outcome,
        "outcome_source": source,
        "error_type": (error_named(record.get("error")) or "_OTHER") if outcome == "error" else None,
        "usage_input_tokens": _tokens(record, "prompt_tokens", "input_tokens"),
        "usage_output_tokens": _tokens(record, "completion_tokens", "output_tokens"),
        "usage_cache_read_input_tokens": count(at(record, "prompt_token_details.cache_read")),
        "usage_cache_write_input_tokens": count(at(record, "prompt_token_details.cache_creation")),
        "usage_reasoning_output_tokens": count(at(record, "completion_token_details.reasoning")),
        "cost_usd": number(record.get("total_cost")) or None,
    }


def _tokens(record: dict[str, Any], name: str, other: str) -> int | None:
    """Return a count of tokens; a run without any has zeros, which are not known."""
    return count(record.get(name)) or count(at(record, f"outputs.usage_metadata.{other}"))


def answer_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return what the model said about its answer, wherever the library put it."""
    outputs = mapping(record.get("outputs"))
    first_of = next(iter(rows(next(iter(sequence(outputs.get("generations"))), None))), {})
    choice = next(iter(rows(outputs.get("choices"))), {})
    found: dict[str, Any] = {}
    for said in (
        mapping(outputs.get("llm_output")),
        mapping(first_of.get("generation_info")),
        mapping(at(first_of, "message.kwargs.response_metadata")),
        mapping(at(outputs, "response_metadata")),
        {name: outputs[name] for name in ("model", "stop_reason") if name in outputs},
        {"finish_reason": choice.get("finish_reason")} if choice else {},
    ):
        found |= {name: value for name, value in said.items() if value}
    return found


def _step(record: dict[str, Any], metadata: dict[str, Any]) -> Event:
    failed = record.get("status") == "error" or text(record.get("error")) is not None
    return {
        "kind": "agent_step", "step_kind": "execute_tool", "tool_name": text(record.get("name")),
        "status": "error" if failed else "ok", "error_type": error_named(record.get("error")),
    }  # fmt: skip


def _retrieval(record: dict[str, Any], metadata: dict[str, Any]) -> Event:
    found = at(record, "outputs.documents")
    return {
        "kind": "retrieval", "data_source_id": first(metadata.get("ls_vector_store_provider"), record.get("name")),
        "embedding_model": text(metadata.get("ls_embedding_provider")),
        "returned_count": len(found) if isinstance(found, list) else None,
    }  # fmt: skip


_MAKERS: Final[dict[str, Callable[[dict[str, Any], dict[str, Any]], Event]]] = {
    "llm": _call,
    "embedding": _call,
    "tool": _step,
    "retriever": _retrieval,
}
