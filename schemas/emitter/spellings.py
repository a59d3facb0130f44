"""Vendors' spellings of outcomes and of reasons to finish, taken for ours (`schemas/vendors/data/outcomes.json`)."""

from typing import Any, Final

from ..vendors.words import table
from ..vocabulary import EVENT_WORDS

_TABLE: Final = table("outcomes")
_REASONS: Final = {
    native: ours for name, words in _TABLE.words.items() if name != "outcome" for native, ours in words.items()
}
_STOPPED: Final = {native: one for reasons in _TABLE.verdicts.values() for native, one in reasons.items()}
_OURS: Final = EVENT_WORDS["finish_reason_norm"]


def spelled(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a call with outcome and reason to finish in our words, where they are known.

    What the service says itself is only respelled; what it left out is read from the reasons of the vendor, if all
    choices agree. A word that nobody knows stays as it is.

    >>> spelled({"finish_reasons": ["guardrail_intervened"]})["outcome"]
    'blocked'
    >>> spelled({"outcome": "success", "finish_reason_norm": "tool_use"})
    {'outcome': 'completed', 'finish_reason_norm': 'tool_call'}
    """
    reasons = fields.get("finish_reasons")
    given = [reason for reason in reasons if isinstance(reason, str)] if isinstance(reasons, list | tuple) else []
    more: dict[str, Any] = {}
    norm = fields.get("finish_reason_norm")
    if isinstance(norm, str) and norm:
        more["finish_reason_norm"] = norm if norm in _OURS else reason_of(norm)
    elif len(found := {reason_of(reason) for reason in given}) == 1:
        more["finish_reason_norm"] = found.pop()
    outcome = fields.get("outcome")
    if isinstance(outcome, str) and outcome:
        more["outcome"] = outcome_of(outcome)
    elif given and len(stops := {_STOPPED.get(reason) for reason in given}) == 1 and (stop := stops.pop()):
        more |= {"outcome": stop[0]} | ({} if fields.get("outcome_source") else {"outcome_source": stop[1]})
    return fields | more


def reason_of(native: str) -> str:
    """Return our word for a reason to finish; its own where it is not known."""
    return _REASONS.get(native, _REASONS.get(native.lower(), _REASONS.get(native.upper(), native)))


def outcome_of(native: str) -> str:
    """Return our word for an outcome; its own where it is not known.

    >>> outcome_of("SUCCESS"), outcome_of("guardrail_intervened"), outcome_of("our own")
    ('completed', 'blocked', 'our own')
    """
    return native if native in EVENT_WORDS["outcome"] else _TABLE.words["outcome"].get(native.lower(), native)
