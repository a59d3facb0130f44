"""Why an answer ended, and what that says of the outcome: the table of instrumentations' words, for all dialects."""

from typing import Any, Final

from streams.dialects.otlp.mapping.outcomes import SOURCES, norm_of
from streams.dialects.otlp.tables.readers import plain
from streams.dialects.otlp.tables.words import OUTCOMES
from streams.dialects.values import text

_GRAVEST_FIRST: Final = {outcome: SOURCES[outcome] for outcome in ("refused", "blocked", "filtered")}


def finish_of(*reasons: Any) -> str | None:
    """Return our word for the reasons why the choices of an answer ended; of several the one that tells most.

    >>> finish_of("end_turn"), finish_of("whim"), finish_of("stop", "SAFETY"), finish_of(None)
    ('stop', 'unknown', 'content_filter', None)
    """
    said = [reason for reason in map(text, reasons) if reason]
    return norm_of(tuple(said)) if said else None


def outcome_of(*reasons: Any) -> tuple[str, str | None]:
    """Return outcome and its source of an answer that came, by the reasons why its choices ended.

    >>> outcome_of("end_turn"), outcome_of("stop", "SAFETY"), outcome_of("refusal")
    (('completed', None), ('filtered', 'provider_filter'), ('refused', 'provider_refusal'))
    """
    said = {OUTCOMES.get(plain(reason)) for reason in map(text, reasons) if reason}
    return next(
        ((outcome, source) for outcome, source in _GRAVEST_FIRST.items() if outcome in said), ("completed", None)
    )
