"""The evidence of an incident at one moment: what a person needs to believe it, and to begin."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
import numpy as np
from msgspec import Struct

from detectors.intervals import wilson
from schemas.findings import Finding
from schemas.identity import identity
from schemas.incidents import IncidentEvidence
from streams.incidents.evidence.ended import Ended
from streams.incidents.evidence.questions import Question
from streams.incidents.evidence.spread import Spread, spread
from streams.incidents.fold.state import SOURCE, Incident, Step
from streams.incidents.fold.views import instant
from streams.policy.policy import Policy

Answers = dict[str, list[dict[str, Any]]]

_MOMENTS: Final[dict[str, Literal["opening", "escalation", "end"]]] = {
    "detected": "opening", "escalated": "escalation", "recovered": "end", "closed": "end",
}  # fmt: skip
"""What the moment of a step is called."""


class Contributor(Struct, frozen=True):
    """One tenant, version, user or category, with its share of what was flagged, and its own rate."""

    dimension: str
    name: str
    flagged: int
    trials: int | None
    rate: float | None
    lower: float | None
    upper: float | None


class Bundle(Struct, frozen=True, omit_defaults=True):
    """Everything that was known; written once and never changed."""

    incident_id: str
    moment: str
    as_of: str
    title: str
    owner: str
    runbook: str
    tier: str
    finding: dict[str, Any]
    budget: dict[str, float]
    onset: str | None
    affected: dict[str, int]
    contributors: list[Contributor]
    changes: list[dict[str, Any]]
    suspected_change: str | None
    event_ids: list[str]
    sql: dict[str, Question]
    spread: Spread | None = None


def bundle(
    incident: Incident, step: Step, finding: Finding | None, asked: dict[str, Question], rows: Answers, policy: Policy
) -> Bundle:
    """Return the evidence of an incident at one of its steps.

    Parameters
    ----------
    step
        Its opening, or an escalation.
    finding
        What opened it, whole; None where the log does not hold it any more.
    asked, rows
        The questions to the store, and the answers of those that were answered.
    """
    service = policy.service(incident.service)
    affected = {name: int(value) for name, value in (rows.get("affected") or [{}])[0].items() if name != "stored_until"}
    found = [row["event_id"] for row in rows.get("examples", [])]
    return Bundle(
        incident_id=incident.incident_id,
        moment=_MOMENTS.get(step.name, step.name),
        as_of=instant(step.at) or "",
        title=finding.evidence or incident.metric if finding else incident.metric,
        owner=service.owner,
        runbook=service.runbook,
        tier=service.tier,
        finding=msgspec.to_builtins(finding) if finding else {"finding_id": incident.opened_by},
        budget={"pages_per_day": policy.budget.pages_per_day, "tickets_per_day": policy.budget.tickets_per_day},
        onset=instant(incident.clocks.onset),
        affected=affected | ({"services": len(incident.services)} if affected else {}),
        contributors=contributors([*rows.get("contributors", []), *rows.get("categories", [])]),
        changes=rows.get("changes", []),
        suspected_change=incident.suspected_change,
        event_ids=list(dict.fromkeys([*incident.event_ids, *found]))[:20],
        sql=asked,
        spread=spread(rows.get("spread", []), rows.get("trace", []), rows.get("memory", [])),
    )


def contributors(rows: list[dict[str, Any]]) -> list[Contributor]:
    """Return rows of the store with the interval of each rate.

    >>> contributors([{"dimension": "tenant", "name": "a", "flagged": "3", "trials": "30"}])[0].upper > 0.2
    True
    """
    flagged = np.array([int(row["flagged"]) for row in rows], float)
    trials = np.array([int(row["trials"]) for row in rows], float)
    lower, upper = wilson(np.minimum(flagged, trials), trials)
    found = []
    for at, row in enumerate(rows):
        some = trials[at] > 0
        found.append(
            Contributor(
                dimension=row["dimension"],
                name=row["name"],
                flagged=int(flagged[at]),
                trials=int(trials[at]) if some else None,
                rate=float(flagged[at] / trials[at]) if some else None,
                lower=float(lower[at]) if some else None,
                upper=float(upper[at]) if some else None,
            )
        )
    return found


def moments(incident: Incident) -> Iterator[Step]:
    """Yield the steps at which evidence is gathered: its opening, each escalation, and its end.

    It ends when it is proven recovered, else when it is closed; what comes between the two is no part of it.
    """
    over = False
    for step in incident.steps:
        if step.name in _MOMENTS and not (over and step.name == "closed"):
            yield step
        over = step.name == "recovered" or (over and step.name != "reopened")


def evidence(
    incident: Incident, step: Step, whole: Bundle, missing: list[str], harm: Ended | None = None
) -> IncidentEvidence:
    """Return a bundle as a record; its identity is that of the moment, so that there is one of each.

    Parameters
    ----------
    harm
        When it ended, where that is known.
    """
    known = whole.affected
    return IncidentEvidence(
        event_id=evidence_id(incident, step),
        source=SOURCE,
        time_unix_nano=step.at,
        service_name=incident.service,
        incident_id=incident.incident_id,
        moment=_MOMENTS[step.name],
        bundle=msgspec.json.encode(whole).decode(),
        complete=not missing,
        missing=missing or None,
        users_affected=known.get("users") or None,
        sessions_affected=known.get("sessions") or None,
        tenants_affected=known.get("tenants") or None,
        outputs_affected=known.get("outputs"),
        reached_user=reached(known),
        ended_time_unix_nano=harm and harm.at,
        ended_lower_time_unix_nano=harm and harm.lower,
        ended_upper_time_unix_nano=harm and harm.upper,
    )


def reached(affected: Mapping[str, int]) -> bool | None:
    """Return whether something bad reached a person, None where no event says so and not all say that it did not.

    >>> reached({"flagged": 3, "reached": 1, "unclear": 2}), reached({"flagged": 3, "reached": 0, "unclear": 0})
    (True, False)
    >>> reached({"flagged": 3, "reached": 0, "unclear": 1}), reached({})
    (None, None)
    """
    if affected.get("reached"):
        return True
    return False if affected.get("flagged") and affected.get("unclear") == 0 else None


def evidence_id(incident: Incident, step: Step) -> str:
    """Return the identity of the evidence of a step."""
    return identity(incident.incident_id, "evidence", step.name, step.entry)
