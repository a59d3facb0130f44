"""LiteLLM's log of before (`generic_api_use_v1`): every value is Python's text of it, and only successes are sent."""

import re
from typing import Any, Final

from schemas.identity import identity
from streams.dialects.litellm.words import OPERATIONS
from streams.dialects.translation import Translation
from streams.dialects.values import count, nano, number, present, spent, text, told
from streams.dialects.words import finish_of

NAME: Final = "litellm"
KEYS: Final = frozenset({"id", "call_type", "modelParameters", "usage", "startTime", "endTime"})
_PAIR: Final = re.compile(r"\b(prompt_tokens|completion_tokens|reasoning_tokens|cached_tokens)=(\d+)")
_FINISH: Final = re.compile(r"\bfinish_reason='([a-z_]+)'")
_REFUSAL: Final = re.compile(r"\brefusal=(?!None\b)['\"]")
_WARNING: Final = (
    "this is LiteLLM's old log: it has no guards, no session, no failures and times without a zone (taken for UTC); "
    "leave generic_api_use_v1 off"
)


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record is of that log."""
    return set(record) >= KEYS and isinstance(record.get("usage"), str)


def translate(record: dict[str, Any]) -> Translation:
    """Return the call, as far as it can be read from text without taking it for code."""
    answer, usage = str(record.get("response")), dict(_PAIR.findall(str(record.get("usage"))))
    start, end = nano(record.get("startTime")), nano(record.get("endTime"))
    reason = match[1] if (match := _FINISH.search(answer)) else None
    refused, call = _REFUSAL.search(answer) is not None, text(record.get("call_type")) or ""
    filtered = reason == "content_filter" and not refused
    event = {
        "event_type": "ai.safety.inference.v1",
        "event_id": identity("litellm", *(str(record.get(key)) for key in ("id", "startTime", "endTime"))),
        "source": "litellm",
        "time_unix_nano": start or end,
        "service_name": "litellm",
        "ingest_dialect": NAME,
        "operation_name": OPERATIONS.get(call) or OPERATIONS.get(call.removeprefix("a")) or call or None,
        "request_model": text(record.get("model")),
        "response_model": text(record.get("model")),
        "response_id": text(record.get("id")),
        "user_pseudo_id": text(record.get("user")),
        "finish_reasons": [reason] if reason else None,
        "finish_reason_norm": finish_of(reason),
        "outcome": "refused" if refused else "filtered" if filtered else "completed",
        "outcome_source": "provider_refusal" if refused else "provider_filter" if filtered else None,
        "duration_ms": spent(start, end),
        "usage_input_tokens": count(usage.get("prompt_tokens")),
        "usage_output_tokens": count(usage.get("completion_tokens")),
        "usage_reasoning_output_tokens": count(usage.get("reasoning_tokens")),
        "usage_cache_read_input_tokens": count(usage.get("cached_tokens")),
        "cost_usd": number(record.get("cost")),
    }
    return Translation(NAME, (present(event),), told(record, ("messages", "response", "metadata")), (_WARNING,))
