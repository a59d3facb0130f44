"""Vendors' spellings of outcomes and of reasons to finish, taken for ours (`schemas/vendors/data/outcomes.json`)."""

from typing import Any, Final, NamedTuple

from ..vendors.words import table
from ..vocabulary import EVENT_WORDS, OUTCOMES


class Stop(NamedTuple):
    """What a vendor's reason says of an answer that was stopped."""

    outcome: str
    source: str


_TABLE: Final = table("outcomes")
_REASONS: Final = {
    native: ours for name, words in _TABLE.words.items() if name != "outcome" for native, ours in words.items()
}
_STOPPED: Final = {native: Stop(*one) for reasons in _TABLE.verdicts.values() for native, one in reasons.items()}
_OURS: Final = frozenset(EVENT_WORDS["finish_reason_norm"])
_OUTCOMES: Final = frozenset(OUTCOMES)


def respell(fields: dict[str, Any]) -> None:
    """Put outcome and reason to finish of a call in our words, where they are known.

    What the service says itself is only respelled; what it left out is read from the reasons of the vendor, if all
    choices agree. A word that nobody knows stays as it is.

    >>> fields = {"finish_reasons": ["guardrail_intervened"]}
    >>> respell(fields)
    >>> fields["outcome"], fields["outcome_source"], fields["finish_reason_norm"]
    ('blocked', 'guardrail', 'content_filter')
    """
    norm, outcome = fields.get("finish_reason_norm"), fields.get("outcome")
    if isinstance(norm, str) and norm not in _OURS:
        fields["finish_reason_norm"] = reason_of(norm)
    if isinstance(outcome, str) and outcome not in _OUTCOMES:
        fields["outcome"] = outcome_of(outcome)
    if not (norm and outcome) and fields.get("finish_reasons"):
        _add_told(fields)


def _add_told(fields: dict[str, Any]) -> None:
    """Add what the reasons of all choices say together and the service does not."""
    reasons = fields["finish_reasons"]
    given = {reason for reason in reasons if isinstance(reason, str)} if isinstance(reasons, list | tuple) else set()
    if not fields.get("finish_reason_norm") and len(ours := {reason_of(reason) for reason in given}) == 1:
        fields["finish_reason_norm"] = ours.pop()
    stops = {_STOPPED.get(reason) for reason in given}
    stop = stops.pop() if len(stops) == 1 else None
    if stop and not fields.get("outcome"):
        fields["outcome"] = stop.outcome
        fields["outcome_source"] = fields.get("outcome_source") or stop.source


def reason_of(native: str) -> str:
    """Return our word for a reason to finish; its own where it is not known."""
    return _REASONS.get(native, _REASONS.get(native.lower(), _REASONS.get(native.upper(), native)))


def outcome_of(native: str) -> str:
    """Return our word for an outcome; its own where it is not known.

    >>> outcome_of("SUCCESS"), outcome_of("guardrail_intervened"), outcome_of("our own")
    ('completed', 'blocked', 'our own')
    """
    return native if native in _OUTCOMES else _TABLE.words["outcome"].get(native.lower(), native)
