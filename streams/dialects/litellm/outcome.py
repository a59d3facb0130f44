"""How a call ended: LiteLLM says success or failure, and what it means stands elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.dialects.litellm.words import CONTENT_ERRORS, LIMIT_ERRORS, LIMIT_TYPES, REFUSING_PROVIDERS
from streams.dialects.values import at, first, mapping, rows, text
from streams.dialects.words import outcome_of

Guard = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended.

    Parameters
    ----------
    reached
        Whether the gateway let the call through to a model, as far as it is known.
    answered
        Whether a model answered to the end, and its tokens are known.
    cut
        Whether the answer was cut, so that its finish reason is not its own.
    """

    outcome: str
    source: str | None = None
    error: str | None = None
    reached: bool = True
    answered: bool = False
    cut: bool = False
    reached_user: bool | None = None
    warnings: tuple[str, ...] = field(default=())

    def guards(self, guards: Sequence[Guard]) -> list[Guard]:
        """Return the results to keep: an attempt that failed at the provider carries copies, and the clean ones go."""
        if not self._copies:
            return list(guards)
        return [guard for guard in guards if guard.get("verdict") not in ("allow", "unknown")]

    def dropped(self, guards: Sequence[Guard]) -> tuple[str, ...]:
        """Return what `guards` leaves out, as a path."""
        less = len(guards) - len(self.guards(guards))
        return (f"guardrail_information ({less} that found nothing; the next attempt repeats them)",) if less else ()

    @property
    def _copies(self) -> bool:
        return self.outcome == "error" and self.reached and not self.answered


def ending_of(record: dict[str, Any], guards: Sequence[Guard]) -> Ending:
    """Return how a call ended.

    Parameters
    ----------
    record
        The payload.
    guards
        The results of its guards, of which one may say that it blocked.
    """
    if record.get("status") == "failure":
        return _failure(record, guards)
    if text(at(record, "error_information.error_code")) == "499":
        return Ending("cancelled", error=None, answered=True, cut=True)
    stopped = any(guard.get("action") == "blocked" for guard in guards)
    if stopped:
        return Ending("blocked", "guardrail", answered=True, reached_user=False)
    return _success(record)


def _success(record: dict[str, Any]) -> Ending:
    choices = rows(at(record, "response.choices"))
    parts = [part for item in rows(at(record, "response.output")) for part in rows(item.get("content"))]
    refused = any(text(mapping(choice.get("message")).get("refusal")) for choice in choices)
    if refused or any(part.get("type") == "refusal" for part in parts):
        return Ending("refused", "provider_refusal", answered=True)
    reasons = [choice.get("finish_reason") for choice in choices] or [at(record, "response.incomplete_details.reason")]
    outcome, source = outcome_of(*reasons)
    if outcome == "filtered" and text(record.get("custom_llm_provider")) in REFUSING_PROVIDERS:
        outcome, source = "refused", "provider_refusal"
    return Ending(outcome, source, answered=True)


def _failure(record: dict[str, Any], guards: Sequence[Guard]) -> Ending:
    error = mapping(record.get("error_information"))
    code, kind = text(error.get("error_code")), text(error.get("error_class"))
    if any(guard.get("action") == "blocked" for guard in guards):
        return Ending("blocked", "guardrail", reached=True, reached_user=False)
    if any(guard.get("fail_mode") == "closed" for guard in guards):
        return Ending("error", error="guardrail_failed", reached=False, reached_user=False)
    if code in CONTENT_ERRORS or kind in CONTENT_ERRORS:
        return Ending("filtered", "provider_filter", reached_user=False)
    name = first(error.get("normalized_error"), code, kind) or "_OTHER"
    if name == "UNCLASSIFIED":
        name = kind or name
    if limit := _limit(error, kind):
        return Ending("rate_limited", limit, error=name, reached=False, reached_user=False)
    reached = bool(text(record.get("api_base")))
    return Ending("error", error=name, reached=reached)


def _limit(error: dict[str, Any], kind: str | None) -> str | None:
    """Return which limit of the gateway turned a call away, None where none did: a provider's limit is its failure."""
    category = text(error.get("error_rate_limit_category"))
    if category == "litellm_rate_limit" or (category is None and kind in LIMIT_ERRORS):
        said = text(error.get("error_rate_limit_type"))
        return LIMIT_TYPES.get(said or "") or LIMIT_ERRORS.get(kind or "", "rate_limit")
    return None
