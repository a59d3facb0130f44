"""The state of a service, and what an open incident is, in the words of the console."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from schemas.fields import NANO
from schemas.kpis import BY_ID
from streams.incidents.fold.state import OVER, Incident
from streams.text.durations import span

State = Literal["incident", "unknown", "watch", "fine"]
ORDER: Final[tuple[State, ...]] = ("incident", "unknown", "watch", "fine")
WORDS: Final[dict[State, str]] = {"incident": "Incident", "unknown": "Untrusted", "watch": "Watch", "fine": "Fine"}
RATE: Final = BY_ID["unsafe_served"]
"""The rate that a service is judged by."""
SILENT_SECONDS: Final = 3_600
"""A service that was not heard of for so long is not known to be fine."""

Row = dict[str, Any]


def state_of(
    rate: Row | None, ticket: Row | None, incidents: Sequence[Incident], silent: float | None
) -> tuple[State, str]:
    """Return the state of a service and the reason for it.

    What is open counts first, then what is not known: a service of which nothing is known is never called fine.

    Parameters
    ----------
    silent
        Seconds since its last event; None where that is not known.

    >>> state_of(None, None, [], None)
    ('unknown', 'the store says nothing of it')
    >>> state_of({"value": 0.001, "lower": 0.0, "trust": "trusted"}, None, [], 7200)
    ('unknown', 'no event for 2 h 0 min')
    >>> state_of({"value": 0.001, "lower": 0.0, "trust": "trusted"}, None, [], 12)
    ('fine', '')
    """
    if any(each.status != "recovered" for each in incidents):
        return "incident", ""
    if unknown := next(_unknown(rate, silent), None):
        return "unknown", unknown
    watched = next(_watched(rate or {}, ticket, incidents), None)
    return ("watch", watched) if watched else ("fine", "")


def _unknown(rate: Row | None, silent: float | None) -> Iterator[str]:
    if rate is None:
        yield "the store says nothing of it"
        return
    if silent is not None and silent >= SILENT_SECONDS:
        yield f"no event for {span(silent)}"
    if rate["trust"] != "trusted":
        yield str(rate["trust_reason"])
    if rate["value"] is None:
        yield "no outputs"


def _watched(rate: Row, ticket: Row | None, incidents: Sequence[Incident]) -> Iterator[str]:
    if incidents:
        yield "recovered, not closed"
    if ticket is not None:
        yield f"{ticket['metric'].replace('_', ' ')}: {ticket['kind'].replace('_', ' ')} (ticket)"
    if RATE.objective is not None and (rate["lower"] or 0) > RATE.objective:
        yield "surely above its objective"


def is_open(incident: Incident) -> bool:
    """Tell whether something is left to do about an incident."""
    return incident.status not in OVER


def on_it(incident: Incident) -> str:
    """Return who has an incident in hand; empty where nobody does.

    That is whoever acknowledged it last since it was last reopened, or to whom it was given after that.
    """
    given = ""
    for step in reversed(incident.steps):
        if step.name == "assigned":
            given = given or step.assignee or ""
        if step.name == "acknowledged":
            return given or step.by
        if step.name == "reopened":
            break
    return ""


def given_to(incident: Incident) -> str:
    """Return to whom an incident was given that nobody has acknowledged; empty where it was given to nobody."""
    if on_it(incident):
        return ""
    return next((step.assignee or "" for step in reversed(incident.steps) if step.name == "assigned"), "")


def what(incident: Incident) -> str:
    """Return what an incident is about in two or three words."""
    return f"{incident.family.replace('_', ' ')} incident"


def age(incident: Incident, now: int) -> str:
    """Return for how long an incident has been open."""
    return span(max(now - incident.clocks.detected, 0) / NANO)


def headline(incidents: Sequence[Incident], states: Sequence[State], *, store: bool) -> str:
    """Return the answer to how things are as a sentence.

    Parameters
    ----------
    store
        Whether it answers.
    """
    waiting = [each for each in incidents if is_open(each) and each.status != "recovered"]
    if waiting:
        return _open(waiting)
    blind = sum(each == "unknown" for each in states)
    if not store:
        return "No incident is open, but nothing is known of the services: the store does not answer."
    if not states:
        return "Nothing is known yet: no service has sent an event."
    if blind == len(states):
        return "No incident is open, but no service can be trusted to be fine."
    some = "1 service is" if blind == 1 else f"{blind:,} services are"
    return f"No incident is open. {some} not known to be fine." if blind else "Nothing is wrong."


def _open(waiting: Sequence[Incident]) -> str:
    alone = [each for each in waiting if not on_it(each)]
    said = "1 incident is open." if len(waiting) == 1 else f"{len(waiting):,} incidents are open."
    if not alone:
        return f"{said} Somebody has {'it' if len(waiting) == 1 else 'each of them'} in hand."
    if len(waiting) == 1:
        return f"{said} Nobody has it yet."
    whose = f"the one on {alone[0].service}" if len(alone) == 1 else f"{len(alone):,} of them"
    return f"{said} Nobody has {whose}."
