"""Events of the contract, put together from what is known of a foreign record."""

import re
from typing import Any, Final

from schemas.identity import identity
from streams.dialects.otlp.mapping.outcomes import SOURCES
from streams.dialects.otlp.tables.words import outcome_of_error
from streams.dialects.translation import Event
from streams.dialects.values import nano, present, text, zoned

_NAME_OF_ERROR: Final = re.compile(r"\s*((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*?(?:Error|Exception|Timeout|Warning))\b")

NO_ZONE: Final = "its times say no zone and are taken for UTC; write them with one"


def event(kind: str, dialect: str, parts: tuple[Any, ...], **fields: Any) -> Event:
    """Return an event of which only what is known stands there.

    Parameters
    ----------
    kind
        Between ``ai.safety.`` and its version, for example `inference`.
    dialect
        The dialect it came in; with `parts` it gives the `event_id`.
    parts
        What identifies the record where it comes from.
    """
    own = {"event_type": f"ai.safety.{kind}.v1", "event_id": identity(dialect, *parts), "source": dialect}
    return present(own | {"service_name": dialect, "ingest_dialect": dialect} | present(fields))


def error_named(said: Any) -> str | None:
    """Return the class that an error's text begins with, or `_OTHER`; the text itself is people's.

    >>> error_named("openai.RateLimitError: slow down"), error_named("it broke"), error_named("")
    ('openai.RateLimitError', '_OTHER', None)
    """
    if text(said) is None:
        return None
    found = _NAME_OF_ERROR.match(str(said))
    return found[1][:256] if found else "_OTHER"


def failure_of(*said: Any) -> tuple[str, str | None]:
    """Return outcome and its source of a call that failed, by what its error says; the text itself is not kept.

    >>> failure_of("Error code: 400 - {'error': {'code': 'content_filter'}}"), failure_of("it broke", None)
    (('filtered', 'provider_filter'), ('error', None))
    """
    outcome = outcome_of_error(*map(str, filter(None, said))) or "error"
    return outcome, SOURCES.get(outcome)


def times(*values: Any) -> tuple[list[int | None], tuple[str, ...]]:
    """Return times in nanoseconds, and the warning that one of them says no zone."""
    return [nano(value) for value in values], () if all(map(zoned, values)) else (NO_ZONE,)
