"""An incident as its page shows it: the fold's facts, the evidence, and the course of the rate from the store."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np

from detectors.intervals import wilson
from schemas.fields import NANO
from schemas.findings import FROM_ONE_EVENT, Finding
from schemas.incidents import IncidentEvidence
from streams.incidents.evidence.bundle import Bundle
from streams.incidents.evidence.questions import curve
from streams.incidents.fold.state import DAY_NANO, MINUTE_NANO, Incident, Step
from streams.incidents.pages import view
from streams.incidents.pages.corrections import corrections
from streams.incidents.pages.duties import duties
from streams.pages.plots import Point
from streams.policy.policy import Policy
from streams.settings import Settings
from streams.store.ask import ask_running
from streams.store.client import StoreUnavailableError

SCRIPTED: Final = "scripted"
"""Names of people that begin so are played."""

STEPS: Final = 96
"""Points of a course."""


def portrait(
    incident: Incident,
    known: list[IncidentEvidence],
    finding: Callable[[str], Finding | None],
    policy: Policy,
    now: int,
) -> view.IncidentView:
    """Return what is known of an incident.

    Parameters
    ----------
    known
        Its evidence, the opening first and the latest last.
    finding
        Returns a paged finding by its id.
    now
        The time of the stream, Unix nanoseconds.
    """
    opening = msgspec.json.decode(known[0].bundle) if known else {}
    last = msgspec.json.decode(known[-1].bundle, type=Bundle) if known else None
    latest, service = msgspec.structs.asdict(known[-1]) if known else {}, policy.service(incident.service)
    paged = [found for step in incident.steps if (found := finding(step.entry)) is not None]
    return view.IncidentView(
        incident_id=incident.incident_id,
        service=", ".join(incident.services),
        family=incident.family,
        severity=incident.severity,
        status=incident.status,
        now=now,
        clocks=_times(incident, latest),
        onset_method="first bad event" if incident.detector in FROM_ONE_EVENT else "estimated",
        owner=service.owner,
        runbook=service.runbook,
        false_positive=incident.false_positive,
        scripted=any(step.by.startswith(SCRIPTED) for step in incident.steps),
        users=latest.get("users_affected"),
        sessions=latest.get("sessions_affected") or incident.sessions,
        tenants=latest.get("tenants_affected"),
        outputs=latest.get("outputs_affected") or incident.outputs,
        reached_user=incident.reached or latest.get("reached_user"),
        acknowledge_by=_limit(incident, policy.response.acknowledge_within(incident.severity)),
        mitigate_by=_limit(incident, policy.response.mitigate_within(incident.severity)),
        corrections=list(corrections(incident, {})),
        duties=list(duties(incident, policy.duties)),
        steps=[view.TimelineEntry(step.name, step.at, step.by, _why(step)) for step in incident.steps],
        findings=[_finding(each) for each in paged],
        changes=[change(row, incident) for row in opening.get("changes", [])],
        spread=last.spread if last else None,
        evidence=known[0].bundle if known else "",
        evidence_missing=known[0].missing or [] if known else ["the store was not asked yet"],
    )


def course(settings: Settings, incident: Incident, baseline: float | None, now: int) -> list[view.Series]:
    """Return the rate that was paged from a while before its onset to a while after its end; nothing without a store.

    Intervals are Wilson's, over the events of each step.
    """
    began = incident.clocks.onset or incident.clocks.detected
    end = min(incident.clocks.recovered or now, began + 14 * DAY_NANO)
    margin = max((end - began) // 2, 120 * MINUTE_NANO)
    since, until = began - margin, min(end + margin // 2, now)
    question = curve(incident, since, until, max((until - since) // STEPS // NANO // 60, 1) * 60)
    if question is None:
        return []
    try:
        rows = ask_running(settings, question.query, question.parameters)
    except (StoreUnavailableError, ValueError):
        return []
    flagged = np.array([int(row["flagged"]) for row in rows], float)
    trials = np.array([int(row["trials"]) for row in rows], float)
    lower, upper = wilson(flagged, trials)
    points = [
        Point(int(row["at"]) * NANO, float(flagged[at] / trials[at]), float(lower[at]), float(upper[at]), baseline)
        for at, row in enumerate(rows)
    ]
    return [view.Series(incident.metric, points)] if points else []


def _why(step: Step) -> str:
    return " · ".join(filter(None, (f"to {step.assignee}" if step.assignee else "", step.about, step.reason)))


def _times(incident: Incident, latest: dict[str, Any]) -> view.ClockTimes:
    """Return when an incident came to each state, and when its harm ended where it is over."""
    found = view.ClockTimes(**msgspec.structs.asdict(incident.clocks))
    if incident.clocks.recovered is None:
        return found
    names = ("ended", "ended_lower", "ended_upper")
    return msgspec.structs.replace(found, **{name: latest.get(f"{name}_time_unix_nano") for name in names})


def _limit(incident: Incident, minutes: float | None) -> int | None:
    return None if minutes is None else incident.clocks.detected + int(minutes * MINUTE_NANO)


def _finding(found: Finding) -> view.FindingView:
    return view.FindingView(
        at=found.detected_time_unix_nano,
        severity=found.severity,
        kind=found.kind,
        metric=found.metric,
        evidence=found.evidence or "",
        rate=found.rate,
        lower=found.rate_lower,
        upper=found.rate_upper,
        baseline=found.baseline,
        e_value=found.e_value,
        promise=found.promise,
        sql=found.evidence_sql or "",
    )


def change(row: dict[str, Any], incident: Incident) -> view.ChangeView:
    """Return a row about a change near an incident as its page shows it."""
    what = f"{row['subject_type']} {row['subject_name']} {row['action']} {row['to_version']}".strip()
    return view.ChangeView(int(row["at"]), what, row["reason"], row["change_id"] == incident.suspected_change)
