"""A provider's bare answer: a call with its outcome, tokens and what the provider's own filters said."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from schemas import vendors
from schemas.guards import GuardResult
from schemas.identity import identity
from streams.dialects.building import event
from streams.dialects.translation import Translation
from streams.dialects.values import at, count, first, mapping, nano, rows, text, told
from streams.dialects.words import finish_of, outcome_of

NAME: Final = "provider"
Record = dict[str, Any]


class Provider(NamedTuple):
    """Where a provider puts things in its answers: `paths` are tried in order.

    Parameters
    ----------
    knows
        Whether an answer is one of its.
    read
        What its own filters said.
    reasons
        Why each choice ended.
    apart
        Tokens that were read and are not among those `given`.
    thought
        Tokens of reasoning; `thought_apart` says that those that were `made` leave them out.
    """

    name: str
    knows: Callable[[Record], bool]
    read: Callable[..., list[GuardResult]]
    reasons: Callable[[Record], list[Any]]
    model: tuple[str, ...] = ("model",)
    response_id: tuple[str, ...] = ("id",)
    given: tuple[str, ...] = ("usage.input_tokens", "usage.prompt_tokens")
    made: tuple[str, ...] = ("usage.output_tokens", "usage.completion_tokens")
    cached: tuple[str, ...] = ("usage.prompt_tokens_details.cached_tokens", "usage.input_tokens_details.cached_tokens")
    written: tuple[str, ...] = ("usage.cache_creation_input_tokens", "usage.cacheWriteInputTokens")
    apart: tuple[str, ...] = ()
    thought: tuple[str, ...] = (
        "usage.completion_tokens_details.reasoning_tokens", "usage.output_tokens_details.reasoning_tokens",
    )  # fmt: skip
    thought_apart: bool = False


def _choices(record: Record) -> list[Any]:
    return [choice.get("finish_reason") for choice in rows(record.get("choices"))]


def _parts(record: Record) -> list[Any]:
    kinds = [part.get("type") for item in rows(record.get("output")) for part in rows(item.get("content"))]
    return [at(record, "incomplete_details.reason"), *(kind for kind in kinds if kind == "refusal")]


def _is_azure(record: Record) -> bool:
    held = [*rows(record.get("choices")), record]
    code = first(at(record, "error.code"), at(record, "error.innererror.code"))
    filtered = any(name in one for one in held for name in ("content_filter_results", "prompt_filter_results"))
    return filtered or code in ("content_filter", "ResponsibleAIPolicyViolation")


def _is_error(record: Record) -> bool:
    """Tell whether a record is an error that says no more than that: whose it is stands nowhere."""
    error = mapping(record.get("error"))
    return "message" in error and any(name in error for name in ("code", "type", "status"))


PROVIDERS: Final = (
    Provider("azure.ai.openai", _is_azure, vendors.guards_from_azure_openai, _choices),
    Provider("openai", lambda r: any(_choices(r)), vendors.guards_from_openai, _choices),
    Provider("openai", lambda r: r.get("object") == "response", vendors.guards_from_openai, _parts),
    Provider(
        "anthropic", lambda r: "stop_reason" in r and r.get("type", "message") == "message",
        vendors.guards_from_anthropic, lambda r: [r.get("stop_reason")],
        cached=("usage.cache_read_input_tokens",),
        apart=("usage.cache_read_input_tokens", "usage.cache_creation_input_tokens"),
    ),
    Provider(
        "gcp.gemini", lambda r: "candidates" in r or "promptFeedback" in r, vendors.guards_from_gemini,
        lambda r: [one.get("finishReason") for one in rows(r.get("candidates"))],
        model=("modelVersion",), response_id=("responseId",), given=("usageMetadata.promptTokenCount",),
        made=("usageMetadata.candidatesTokenCount",), cached=("usageMetadata.cachedContentTokenCount",),
        apart=("usageMetadata.toolUsePromptTokenCount",), thought=("usageMetadata.thoughtsTokenCount",),
        thought_apart=True,
    ),
    Provider(
        "aws.bedrock", lambda r: "stopReason" in r, vendors.guards_from_bedrock, lambda r: [r.get("stopReason")],
        response_id=("ResponseMetadata.RequestId",), given=("usage.inputTokens",), made=("usage.outputTokens",),
        cached=("usage.cacheReadInputTokens",), apart=("usage.cacheReadInputTokens", "usage.cacheWriteInputTokens"),
    ),
    Provider("", _is_error, vendors.guards_from_openai, _choices),
)  # fmt: skip
"""In the order in which they are asked."""

_TEXTS: Final = ("choices", "output", "content", "candidates", "trace", "error.message")
_BARE: Final = "a provider's bare answer names no service and no session; send an event with both around it"


def _provider(record: Record) -> Provider | None:
    return next((provider for provider in PROVIDERS if provider.knows(record)), None)


def knows(record: Record) -> bool:
    """Tell whether a record is the answer of a provider that we read."""
    return _provider(record) is not None


def translate(record: Record) -> Translation:
    """Return the call.

    Raises
    ------
    ValueError
        Where the answer has another shape than its provider's.
    """
    provider = _provider(record)
    assert provider is not None  # noqa: S101  it is known
    guards = msgspec.to_builtins(provider.read(record))
    outcome, source, error = _ending(record, provider, guards)
    given, cached = _first_count(record, provider.given), _first_count(record, provider.cached)
    beside = sum(count(at(record, path)) or 0 for path in provider.apart)
    made, thought = _first_count(record, provider.made), _first_count(record, provider.thought)
    reasons = [reason for reason in map(text, provider.reasons(record)) if reason]
    call = event(
        "inference", NAME, (identity(msgspec.json.encode(record, order="sorted").decode()),),
        time_unix_nano=nano(first(record.get("created"), record.get("created_at"), record.get("createTime"))),
        operation_name="chat", provider_name=provider.name,
        response_model=first(*(at(record, path) for path in provider.model)),
        response_id=first(*(at(record, path) for path in provider.response_id)),
        finish_reasons=reasons, finish_reason_norm=finish_of(*reasons),
        outcome=outcome, outcome_source=source, error_type=error,
        usage_input_tokens=None if given is None else given + beside,
        usage_output_tokens=made + thought if made is not None and thought and provider.thought_apart else made,
        usage_reasoning_output_tokens=thought, usage_cache_read_input_tokens=cached,
        usage_cache_write_input_tokens=_first_count(record, provider.written),
        duration_ms=at(record, "metrics.latencyMs"), guards=guards,
    )  # fmt: skip
    return Translation(NAME, (call,), told(record, _TEXTS), (_BARE,))


def _first_count(record: Record, paths: tuple[str, ...]) -> int | None:
    return next((found for path in paths if (found := count(at(record, path))) is not None), None)


def _ending(record: Record, provider: Provider, guards: list[dict[str, Any]]) -> tuple[str, str | None, str | None]:
    """Return outcome, source and error: a refusal, a filter of the provider, an error of its own, or an answer."""
    if any(text(mapping(choice.get("message")).get("refusal")) for choice in rows(record.get("choices"))):
        return "refused", "provider_refusal", None
    outcome, source = outcome_of(*provider.reasons(record))
    if outcome != "completed":
        return outcome, source, None
    blocked = any(guard.get("action") == "blocked" for guard in guards)
    if blocked or at(record, "promptFeedback.blockReason"):
        return "filtered", "provider_filter", None
    if record.get("error"):
        return "error", None, first(at(record, "error.code"), at(record, "error.type")) or "_OTHER"
    return "completed", None, None
