"""Words that providers share between dialects: why an answer ended, and what that says of the outcome."""

from typing import Any, Final

from streams.dialects.values import text

FINISH: Final = {
    **dict.fromkeys(("stop", "end_turn", "stop_sequence", "COMPLETE", "STOP", "FINISH", "pause_turn"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "MAX_TOKENS", "LENGTH", "model_context_window_exceeded"), "length"),
    **dict.fromkeys(("tool_calls", "tool_use", "function_call", "tool-calls", "tool_call", "TOOL_CALL"), "tool_call"),
    **dict.fromkeys(
        ("content_filter", "content-filter", "content_filtered", "CONTENT_FILTERED", "guardrail_intervened", "refusal",
         "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "ERROR_TOXIC",
         "MODEL_ARMOR"),
        "content_filter",
    ),
    **dict.fromkeys(("error", "ERROR", "malformed_model_output", "malformed_tool_use"), "error"),
}  # fmt: skip
"""A provider's reason to end an answer, by our word."""

_OUTCOMES: Final = {
    "refusal": ("refused", "provider_refusal"),
    "guardrail_intervened": ("blocked", "guardrail"),
    "content_filter": ("filtered", "provider_filter"),
}


def finish_of(reason: Any) -> str | None:
    """Return our word for a reason to end an answer.

    >>> finish_of("end_turn"), finish_of("whim"), finish_of("")
    ('stop', 'unknown', None)
    """
    name = text(reason)
    return FINISH.get(name, "unknown") if name else None


def outcome_of(reason: Any) -> tuple[str, str | None]:
    """Return outcome and its source of an answer that came, by the reason why it ended.

    >>> outcome_of("end_turn"), outcome_of("SAFETY"), outcome_of("refusal")
    (('completed', None), ('filtered', 'provider_filter'), ('refused', 'provider_refusal'))
    """
    name = text(reason)
    return _OUTCOMES.get(name or "") or _OUTCOMES.get(finish_of(name) or "") or ("completed", None)
