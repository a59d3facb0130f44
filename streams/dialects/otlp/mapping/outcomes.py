"""How a call ended, in the contract's words; nothing where no span says it."""

from functools import lru_cache
from typing import Any, Final

from streams.dialects.otlp.tables.readers import plain
from streams.dialects.otlp.tables.words import FINISH_REASONS, OUTCOMES

SOURCES: Final = {"refused": "provider_refusal", "filtered": "provider_filter", "blocked": "guardrail"}
"""Who stopped a call, by how it ended."""
_OK: Final = 1
_ERROR: Final = 2
SPOKEN: Final = ("chat", "generate_content", "text_completion", None)
"""Operations whose input may be counted before there is an answer."""
_RANK: Final = ("content_filter", "refusal", "error", "length", "tool_call", "compaction", "stop")
"""Of several choices the one that tells most stands for all."""


@lru_cache(maxsize=1024)
def norm_of(reasons: tuple[str, ...]) -> str:
    """Return the one word for the finish reasons of a call.

    >>> norm_of(("end_turn",)), norm_of(("stop", "SAFETY")), norm_of(("because",))
    ('stop', 'content_filter', 'unknown')
    """
    words = {FINISH_REASONS.get(plain(reason), "unknown") for reason in reasons}
    return next((word for word in _RANK if word in words), "unknown")


def settle_outcome(fields: dict[str, Any], *, status: int, refused: bool, fault: str) -> None:
    """Fill `outcome`, `outcome_source` and `finish_reason_norm` of a call, in place; what the source said stands.

    Parameters
    ----------
    fields
        Of the call.
    status
        Of its span: 0 unset, 1 ok, 2 error.
    refused
        Whether its messages hold a refusal.
    fault
        What its error says of the outcome, empty where it has none or says nothing.

    >>> fields = {"finish_reasons": ["stop"]}
    >>> settle_outcome(fields, status=0, refused=True, fault=""); fields["outcome"]
    'refused'
    """
    reasons = fields.get("finish_reasons", ())
    if reasons:
        fields.setdefault("finish_reason_norm", norm_of(tuple(reasons)))
    outcome = fields.get("outcome") or _outcome(fields, status=status, refused=refused, fault=fault)
    if outcome:
        fields["outcome"] = outcome
        if source := SOURCES.get(outcome):
            fields.setdefault("outcome_source", source)


def _outcome(fields: dict[str, Any], *, status: int, refused: bool, fault: str) -> str | None:
    settled = _settled(tuple(fields.get("finish_reasons", ())))
    if refused:
        return "refused"
    for outcome in ("refused", "blocked", "filtered"):
        if outcome in settled or fault == outcome:
            return outcome
    if fault in ("rate_limited", "cancelled") or "cancelled" in settled:
        return fault if fault == "rate_limited" else "cancelled"
    if status == _ERROR or "error_type" in fields:
        return "error"
    if "unknown" in settled:
        return "unknown"
    return "completed" if status == _OK or settled - {"error"} or _answered(fields) else None


@lru_cache(maxsize=1024)
def _settled(reasons: tuple[str, ...]) -> frozenset[str]:
    return frozenset(OUTCOMES.get(plain(reason), "") for reason in reasons)


def _answered(fields: dict[str, Any]) -> bool:
    """Tell whether an answer was counted; emitters write `error` for a finish reason where none was obtained."""
    counted = bool(fields.get("usage_output_tokens"))
    return counted or ("usage_input_tokens" in fields and fields.get("operation_name") not in SPOKEN)
