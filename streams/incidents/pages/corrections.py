"""What is to keep an incident from coming again, and whether it was seen to work since."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from schemas.sql import query
from streams.incidents.fold.state import Incident
from streams.settings import Settings
from streams.store.ask import ask_running
from streams.store.client import StoreUnavailableError
from streams.text.times import utc

CORRECTIONS: Final = query("streams.incidents.pages", "corrections")
SEEN: Final = {
    "verified": "verified: it held when it was tried last",
    "missed": "not verified: it was missed when it was sent last",
    "not verified": "not verified yet",
    "": "whether it works is not known",
}
"""What the store says of a correction, in words."""


class Correction(Struct, frozen=True):
    """A probe or rule: who named it when; what was seen of it, and since when, by the view `incident_corrections`."""

    about: str
    at: int
    by: str
    seen: str = ""
    verified: int | None = None


def corrections(incident: Incident, seen: Mapping[str, tuple[str, int]]) -> Iterator[Correction]:
    """Yield the corrections of an incident, each as it was named first.

    Parameters
    ----------
    seen
        State and Unix nanoseconds of the first proof, or 0, by what they are about.
    """
    named: dict[str, Correction] = {}
    for step in incident.steps:
        if step.name == "corrected" and step.about and step.about not in named:
            state, at = seen.get(step.about, ("", 0))
            named[step.about] = Correction(step.about, step.at, step.by, state, at or None)
    yield from named.values()


def seen_of(settings: Settings, incident: Incident) -> dict[str, tuple[str, int]]:
    """Return what the store has seen of the corrections of an incident; nothing where there is none, or no store."""
    if not any(step.name == "corrected" for step in incident.steps):
        return {}
    try:
        rows: list[dict[str, Any]] = list(ask_running(settings, CORRECTIONS, {"incident": incident.incident_id}))
    except (StoreUnavailableError, ValueError):
        return {}
    return {row["about"]: (row["correction"], int(row["verified"])) for row in rows}


def correction_text(found: Correction) -> str:
    """Return a correction in words.

    >>> correction_text(Correction("probe:direct-01", 1_770_000_000 * 10**9, "kim", "not verified"))
    'probe:direct-01, by kim 2026-02-02 02:40:00 UTC: not verified yet'
    """
    since = f", first {utc(found.verified)}" if found.seen == "verified" and found.verified is not None else ""
    return f"{found.about}, by {found.by} {utc(found.at)}: {SEEN[found.seen]}{since}"
