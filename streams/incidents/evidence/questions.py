"""What the store is asked about an incident: who is affected, where it comes from, what changed.

All questions are about the events of the services of the incident between its onset and now. They are kept in the
evidence with their parameters, so that anybody can ask them again.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from schemas.categories import FAMILIES
from schemas.metrics import CASCADING, RATES
from schemas.sql import query
from streams.incidents.fold.state import Incident
from streams.store.ask import Parameters

MOST: Final = 5

OF_AGENTS: Final = frozenset({"cascade", "tool", "injection", "leak"})
"""Families whose harm may spread from step to step."""

BITS: Final = {rate.name: bit for bit, rate in enumerate(RATES)}
"""Bit of each rate in the columns `trials` and `flagged`."""

_HERE: Final = __package__ or ""
STORED: Final = query(_HERE, "stored")
"""Up to when all partitions are stored; silent ones are carried along by time marks."""


class Question(Struct, frozen=True):
    """A query with its parameters."""

    query: str
    parameters: Parameters


def questions(incident: Incident, until: int) -> dict[str, Question]:
    """Return what to ask about an incident, by name; nothing about single events where the rate is not of events.

    Parameters
    ----------
    until
        End of the time that is looked at, Unix nanoseconds.
    """
    asked = {"changes": Question(query(_HERE, "changes"), _common(incident, until))}
    found = _source(incident)
    if found is None:
        return asked
    source, own = found
    base = _common(incident, until) | own
    most = {"most": MOST}
    asked["affected"] = Question(query(_HERE, "affected", source=source, **BITS), base)
    asked["contributors"] = Question(query(_HERE, "top", source=source, **BITS), base | most)
    asked["examples"] = Question(query(_HERE, "examples", source=source, **BITS), base)
    if incident.family in OF_AGENTS:
        starts = sum(1 << BITS[name] for name in (*CASCADING, "injection_flag"))
        for name in ("spread", "trace"):
            asked[name] = Question(query(_HERE, name, source=source, **BITS), base | {"starts": starts})
        asked["memory"] = Question(query(_HERE, "memory", source=source, **BITS), base)
    if categories := [code for code, family in FAMILIES.items() if family == incident.family]:
        asked["categories"] = Question(
            query(_HERE, "categories"), _common(incident, until) | most | {"categories": categories}
        )
    return asked


def ending(incident: Incident, metrics: Sequence[str], until: int) -> Question:
    """Return the question for the counts of risen rates from the onset of an incident to the proof that they are back.

    Parameters
    ----------
    until
        Time of the proof, Unix nanoseconds.
    """
    return Question(query(_HERE, "ending"), _common(incident, until) | {"metrics": list(metrics)})


def curve(incident: Incident, since: int, until: int, step_seconds: int) -> Question | None:
    """Return the question for counts over time, for a plot; None where the rate is not of single events."""
    found = _source(incident)
    if found is None or incident.metric == "cascade":
        return None
    source, own = found
    times = {"since": since, "until": until, "step": step_seconds}
    return Question(query(_HERE, "curve", source=source, **BITS), _common(incident, until) | own | times)


def _source(incident: Incident) -> tuple[str, Parameters] | None:
    """Return the query of the events that an incident is about, and its own parameters."""
    if incident.metric in BITS:
        return "rated.sql", {"bit": BITS[incident.metric]}
    if incident.metric == "cascade":
        return "cascade.sql", {"unsafe": sum(1 << BITS[name] for name in CASCADING)}
    if incident.detector == "severe_event":
        return "severe.sql", {"metric": incident.metric}
    if incident.detector == "tool_policy":
        return "breach.sql", {"metric": incident.metric}
    return None


def _common(incident: Incident, until: int) -> Parameters:
    since = incident.clocks.onset or incident.clocks.detected
    return {"services": incident.services, "since": since, "until": until}
