"""Amazon Bedrock's log of a model's invocation, as CloudWatch and S3 have it."""

import base64
import binascii
from typing import Any, Final

import msgspec

from streams.dialects.building import event
from streams.dialects.translation import Translation
from streams.dialects.values import at, count, first, mapping, nano, number, rows, text, told
from streams.dialects.words import finish_of, outcome_of

NAME: Final = "bedrock"
SESSIONS: Final = ("session_id", "sessionId", "conversation_id", "conversationId", "thread_id")
SERVICES: Final = ("service", "service_name", "application", "app")
_EMBEDS: Final = (".titan-embed", ".embed-", "-embed")


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record names itself so."""
    return record.get("schemaType") == "ModelInvocationLog"


def translate(record: dict[str, Any]) -> Translation:
    """Return the call. Bedrock counts cached tokens beside the input; ours include them."""
    metadata = mapping(record.get("requestMetadata"))
    body = body_of(record)
    reason, error = reason_of(body), text(record.get("errorCode"))
    outcome, source = ("error", None) if error else outcome_of(reason)
    read, write = _tokens(record, body, "cacheRead"), _tokens(record, body, "cacheWrite")
    given, model = _tokens(record, body, "input"), text(record.get("modelId"))
    call = event(
        "inference", NAME, (first(record.get("requestId")) or str(record.get("timestamp")), model),
        time_unix_nano=nano(record.get("timestamp")),
        service_name=first(*map(metadata.get, SERVICES)),
        session_id=first(*map(metadata.get, SESSIONS)),
        trace_id=first(metadata.get("traceId"), metadata.get("trace_id")),
        user_pseudo_id=first(metadata.get("user_id"), metadata.get("userId")),
        operation_name="embeddings" if model and any(part in model for part in _EMBEDS) else "chat",
        provider_name="aws.bedrock", request_model=model,
        request_stream=True if "Stream" in str(record.get("operation")) else None,
        finish_reasons=[reason] if reason else None, finish_reason_norm=finish_of(reason),
        outcome=outcome, outcome_source=source, error_type=error,
        reached_user=False if outcome == "blocked" else None,
        usage_input_tokens=None if given is None else given + (read or 0) + (write or 0),
        usage_output_tokens=_tokens(record, body, "output"),
        usage_cache_read_input_tokens=read, usage_cache_write_input_tokens=write,
        duration_ms=number(at(body, "metrics.latencyMs")),
    )  # fmt: skip
    texts = ("input.inputBodyJson", "output.outputBodyJson", "input.inputBodyS3Path", "output.outputBodyS3Path")
    return Translation(NAME, (call,), told(record, (*texts, "identity.arn", "accountId")))


def body_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return what was answered: JSON as it stands, in base64, or the last words of a stream's parts as one."""
    body = at(record, "output.outputBodyJson")
    if isinstance(body, str):
        try:
            body = msgspec.json.decode(base64.b64decode(body, validate=True))
        except (binascii.Error, ValueError, msgspec.DecodeError):
            return {}
    if not isinstance(body, list):
        return mapping(body)
    merged: dict[str, Any] = {}
    for part in rows(body):
        for each in (part, *(mapping(part.get(name)) for name in ("messageStop", "metadata", "delta"))):
            merged |= {name: value for name, value in each.items() if name in _KEPT}
    return merged


_KEPT: Final = ("stopReason", "stop_reason", "usage", "metrics", "trace")


def reason_of(body: dict[str, Any]) -> str | None:
    """Return why the answer ended, in the words of whichever model it was."""
    if body.get("amazon-bedrock-guardrailAction") == "INTERVENED":
        return "guardrail_intervened"
    results = [*rows(body.get("results")), *rows(body.get("choices")), *rows(body.get("generations"))]
    said = [item.get(name) for item in results for name in ("completionReason", "finish_reason", "stop_reason")]
    return first(body.get("stopReason"), body.get("stop_reason"), *said)


def _tokens(record: dict[str, Any], body: dict[str, Any], side: str) -> int | None:
    """Return a count of tokens from the log itself, or from the usage that the model gave."""
    if side in ("input", "output"):
        own, usage = at(record, f"{side}.{side}TokenCount"), at(body, f"usage.{side}Tokens")
        other = at(body, f"usage.{side}_tokens")
    else:
        own, usage = at(record, f"input.{side}InputTokenCount"), at(body, f"usage.{side}InputTokens")
        other = at(body, f"usage.{'cache_read' if side == 'cacheRead' else 'cache_creation'}_input_tokens")
    return next((found for found in map(count, (own, usage, other)) if found is not None), None)
