"""APISIX's log of a proxied request (`kafka-logger` and its like) with the summary of its `ai-proxy` plugin."""

from typing import Any, Final

from streams.dialects.building import event
from streams.dialects.translation import Translation
from streams.dialects.values import at, count, first, mapping, nano, number, text, told

NAME: Final = "apisix"


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record is a log of APISIX's with a model behind it."""
    return isinstance(record.get("llm_summary"), dict) or "llm_prompt_tokens" in record


def translate(record: dict[str, Any]) -> Translation:
    """Return the call; its times and durations are milliseconds."""
    said = mapping(record.get("llm_summary")) or record
    status = count(at(record, "response.status")) or count(record.get("status"))
    failed = status is not None and status >= 400
    asked = first(said.get("request_model"), record.get("request_llm_model"), said.get("model"))
    answered = first(said.get("model"), record.get("llm_model"))
    started = nano(record.get("start_time"))
    call = event(
        "inference", NAME,
        (first(record.get("request_id"), at(record, "request.headers.x-request-id")) or "", record.get("start_time"),
         record.get("client_ip"), record.get("route_id")),
        time_unix_nano=started,
        service_name=first(record.get("service_id"), record.get("route_name"), record.get("route_id")),
        operation_name="chat",
        request_model=asked, response_model=None if failed else answered,
        outcome="error" if failed else "completed", error_type=str(status) if failed else None,
        request_stream=True if said.get("stream") in (True, "true", 1) else None,
        usage_input_tokens=_tokens(said, "prompt_tokens"), usage_output_tokens=_tokens(said, "completion_tokens"),
        usage_cache_read_input_tokens=_tokens(said, "cache_read_input_tokens"),
        usage_cache_write_input_tokens=_tokens(said, "cache_creation_input_tokens"),
        usage_reasoning_output_tokens=_tokens(said, "reasoning_tokens"),
        duration_ms=number(said.get("upstream_response_time")) or number(record.get("latency")),
        time_to_first_chunk_ms=number(said.get("time_to_first_token", said.get("llm_time_to_first_token"))),
        user_pseudo_id=text(said.get("end_user_id")),
    )  # fmt: skip
    return Translation(NAME, (call,), told(record, ("llm_request", "llm_response_text", "request.headers")))


def _tokens(said: dict[str, Any], name: str) -> int | None:
    return count(said.get(name, said.get(f"llm_{name}")))
