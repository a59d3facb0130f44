"""The evidence of an incident at one moment: what a person needs to believe it, and to begin."""

from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from detectors.intervals import wilson
from schemas.findings import Finding
from schemas.identity import identity
from schemas.incidents import IncidentEvidence
from streams.incidents.evidence.questions import Question
from streams.incidents.fold.state import SOURCE, Incident, Step
from streams.incidents.fold.views import instant
from streams.policy.policy import Policy

Answers = dict[str, list[dict[str, Any]]]


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
        moment=_moment(step),
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


def evidence(incident: Incident, step: Step, whole: Bundle, missing: list[str]) -> IncidentEvidence:
    """Return a bundle as a record; its identity is that of the moment, so that there is one of each."""
    return IncidentEvidence(
        event_id=evidence_id(incident, step),
        source=SOURCE,
        time_unix_nano=step.at,
        service_name=incident.service,
        incident_id=incident.incident_id,
        moment="opening" if step.name == "detected" else "escalation",
        bundle=msgspec.json.encode(whole).decode(),
        complete=not missing,
        missing=missing or None,
    )


def evidence_id(incident: Incident, step: Step) -> str:
    """Return the identity of the evidence of a step."""
    return identity(incident.incident_id, "evidence", step.name, step.entry)


def _moment(step: Step) -> str:
    return "opening" if step.name == "detected" else "escalation"
