"""Kong's log of a proxied request (`kafka-log`, `http-log` and their like) with what its AI plugins add."""

from typing import Any, Final

from schemas.vendors.words import NONE, table
from streams.dialects.building import event
from streams.dialects.translation import Event, Translation
from streams.dialects.values import at, count, first, mapping, nano, number, present, rows, text, told

NAME: Final = "kong"
OPERATIONS: Final = (
    ("/chat/completions", "chat"), ("/messages", "chat"), ("/responses", "chat"), ("/embeddings", "embeddings"),
    ("/images/generations", "image_generation"), ("/audio/speech", "speech"),
    ("/audio/transcriptions", "transcription"), ("/completions", "text_completion"), ("/rerank", "rerank"),
)  # fmt: skip
"""By the end of the path; the first that fits."""

GUARDS: Final = {
    "aws-guardrails": "aws",
    "lakera-guard": "lakera",
    "azure-content-safety": "azure",
    "gcp-model-armor": "gcp",
}
"""Plugins that ask a guard, with the vendor's name. They say how long it took, and why where they blocked."""

VENDORS: Final = {"aws": "bedrock", "lakera": "lakera", "azure": "azure", "gcp": "google"}
"""By vendor, as plugins name it: whose table has its codes."""

_NO_VERDICT: Final = "Kong logs that guard {name!r} ran and not what it said; it counts as unknown unless it blocked"


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record is a log of Kong's with a model behind it."""
    return bool(_plugins(record)) and ("started_at" in record or "latencies" in record)


def _plugins(record: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the plugins that called a model: in older versions each has a name of its own."""
    found = mapping(record.get("ai")).items()
    return [(name, said) for name, said in found if isinstance(said, dict) and ("meta" in said or "usage" in said)]


def translate(record: dict[str, Any]) -> Translation:
    """Return a call for each plugin that called a model."""
    events, warnings = [], []
    for name, said in _plugins(record):
        guards = _guards(said)
        warnings += [_NO_VERDICT.format(name=guard["guard_name"]) for guard in guards if guard["verdict"] == "unknown"]
        events.append(_call(record, name, said, guards))
    texts = ("ai.payload", "ai.proxy.payload", "ai.sanitizer.sanitized_items", "request.headers", "request.querystring")
    return Translation(NAME, tuple(events), told(record, texts), tuple(warnings))


def _call(record: dict[str, Any], name: str, said: dict[str, Any], guards: list[dict[str, Any]]) -> Event:
    meta, usage = mapping(said.get("meta")), mapping(said.get("usage"))
    status, upstream = count(at(record, "response.status")), count(record.get("upstream_status"))
    asked = upstream is not None or number(meta.get("llm_latency")) is not None or bool(usage)
    outcome, source, error = _outcome(status, upstream, guards, asked=asked)
    answered = outcome in ("completed", "filtered") and status is not None
    request = first(at(record, "request.id"), at(record, "request.headers.x-kong-request-id"))
    cost = number(usage.get("cost"))
    return event(
        "inference", NAME, (name, *((request,) if request else (record.get("started_at"), record.get("client_ip")))),
        time_unix_nano=nano(record.get("started_at")),
        service_name=first(at(record, "service.name"), at(record, "route.name")),
        tenant_id=first(at(record, "consumer.username"), at(record, "consumer.custom_id")),
        trace_id=first(at(record, "trace_id.w3c"), at(record, "trace_id.w3c-child")),
        operation_name=_operation(first(at(record, "request.uri"), record.get("upstream_uri"))),
        provider_name=text(meta.get("provider_name")),
        request_model=text(meta.get("request_model")),
        response_model=text(meta.get("response_model")) if answered else None,
        request_stream=True if meta.get("request_mode") in ("stream", "streaming") else None,
        outcome=outcome, outcome_source=source, error_type=error,
        reached_user=False if outcome in ("blocked", "rate_limited") else None,
        usage_input_tokens=count(usage.get("prompt_tokens", usage.get("prompt_token"))),
        usage_output_tokens=count(usage.get("completion_tokens", usage.get("completion_token"))),
        usage_cache_read_input_tokens=count(at(usage, "prompt_tokens_details.cached_tokens")),
        usage_reasoning_output_tokens=count(at(usage, "completion_tokens_details.reasoning_tokens")),
        cost_usd=cost or None,
        duration_ms=number(meta.get("llm_latency")) or number(at(record, "latencies.request")),
        time_to_first_chunk_ms=number(usage.get("time_to_first_token")),
        guards=[present(guard) for guard in guards],
    )  # fmt: skip


def _operation(uri: str | None) -> str | None:
    path = (uri or "").partition("?")[0].rstrip("/")
    return next((operation for end, operation in OPERATIONS if path.endswith(end)), None)


def _outcome(
    status: int | None, upstream: int | None, guards: list[dict[str, Any]], *, asked: bool
) -> tuple[str, str | None, str | None]:
    """Return outcome, its source and the error; `asked` is whether the provider was."""
    if any(guard["action"] == "blocked" for guard in guards):
        return "blocked", "guardrail", None
    if status == 429 and not asked:  # a plugin's own limit: the provider never heard of it
        return "rate_limited", "rate_limit", None
    if status is None or status >= 400:
        return "error", None, str(status or upstream or "_OTHER")
    return "completed", None, None


def _guards(said: dict[str, Any]) -> list[dict[str, Any]]:
    results = []
    for name, provider in GUARDS.items():
        found = mapping(said.get(name))
        for side in ("input", "output"):
            reason, latency = text(found.get(f"{side}_block_reason")), number(found.get(f"{side}_processing_latency"))
            if reason is None and latency is None:
                continue
            detail = rows(found.get(f"{side}_block_detail"))
            detected = [text(item.get("detector_type")) for item in detail if item.get("detected") is not False]
            results.append(
                {
                    "guard_name": name, "guard_provider": provider, "layer": side, "status": "ok",
                    "verdict": "block" if reason else "unknown", "action": "blocked" if reason else "unknown",
                    "policy_id": first(found.get("guardrails_id"), found.get("lakera_project_id")),
                    "policy_version": text(found.get("guardrails_version")),
                    "native_result_type": f"{side}_block_reason", "native_result_value": reason, "latency_ms": latency,
                    "findings": _findings(provider, reason, [kind for kind in detected if kind]),
                }
            )  # fmt: skip
    return results


def _findings(provider: str, reason: str | None, detected: list[str]) -> list[dict[str, Any]]:
    names = dict.fromkeys(detected or ([reason] if reason else []))
    return [
        {"category": _category(provider, name), "native_category": name, "native_taxonomy": provider} for name in names
    ]


def _category(provider: str, name: str) -> str:
    """Return our code of a vendor's; one that its table does not know keeps its name, and counts as any unknown code.

    >>> _category("lakera", "pii/email"), _category("aws", "VIOLENCE"), _category("aws", "Contains a policy violation")
    ('sec.data_leakage.pii', 'content.vcr', 'aws.Contains a policy violation')
    """
    codes = table(VENDORS[provider]).categories.values()
    known = (of.get(code) for code in (name, name.partition("/")[0]) for of in codes)
    return next((code for code in known if code and code != NONE), f"{provider}.{name}")
