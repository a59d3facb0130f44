"""What must be reported of an incident, by when, and what was said of that."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from schemas.fields import NANO
from streams.incidents.fold.state import Incident
from streams.policy.duties import ReportingDuty
from streams.text.durations import span
from streams.text.times import utc

HOUR_NANO: Final = 3_600 * NANO
SAID: Final = ("reported", "waived")
"""Steps after which a duty is not open any more."""


class DutyView(Struct, frozen=True, kw_only=True):
    """One duty: when its report is due, and who said when that it was reported, or that it does not apply."""

    name: str
    due: int
    authority: str = ""
    source: str = ""
    said: str = ""
    at: int | None = None
    by: str = ""
    reason: str = ""


def duties(incident: Incident, agreed: Sequence[ReportingDuty]) -> Iterator[DutyView]:
    """Yield the duties of an incident; a false alarm has none, and one that was merged leaves them to the other."""
    if incident.false_positive or incident.status == "merged":
        return
    said = {step.about: step for step in incident.steps if step.name in SAID}
    for duty in agreed:
        if duty.concerns(incident.family, incident.severity, incident.services):
            step = said.get(duty.name)
            done = {"said": step.name, "at": step.at, "by": step.by, "reason": step.reason or ""} if step else {}
            due = incident.clocks.detected + round(duty.hours * HOUR_NANO)
            yield DutyView(name=duty.name, due=due, authority=duty.authority, source=duty.source, **done)  # type: ignore[arg-type]


def duty_text(duty: DutyView, now: int) -> str:
    """Return a duty in words, as of a time in Unix nanoseconds.

    >>> gdpr = DutyView(name="GDPR", due=1_770_000_000 * NANO, authority="the authority")
    >>> duty_text(gdpr, gdpr.due - HOUR_NANO)
    'GDPR, to the authority: due 2026-02-02 02:40:00 UTC, in 1 h 0 min'
    """
    whom = f"{duty.name}, to {duty.authority}" if duty.authority else duty.name
    if duty.at is not None:
        word = "reported" if duty.said == "reported" else "does not apply, said"
        late = " after it was due" if duty.said == "reported" and duty.at > duty.due else ""
        why = f": {duty.reason}" if duty.reason else ""
        return f"{whom}: {word} {utc(duty.at)}{late} by {duty.by}{why}"
    left = (duty.due - now) / NANO
    return f"{whom}: due {utc(duty.due)}, " + (f"in {span(left)}" if left >= 0 else f"{span(-left)} LATE")
