"""Incidents as the API shows them: plain, with the clocks in seconds and what may be done next."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.fields import NANO
from schemas.incidents import IncidentEvidence
from streams.incidents.fold.moves import ALLOWED
from streams.incidents.fold.state import Incident, Step

STATES = ("acknowledged", "mitigated", "recovered", "closed")


def instant(unix_nano: int | None) -> str | None:
    """Return a time as people and machines read it, to the millisecond.

    >>> instant(1_770_000_000_123_000_000)
    '2026-02-02T02:40:00.123Z'
    """
    if unix_nano is None:
        return None
    moment = datetime.fromtimestamp(unix_nano // NANO, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{unix_nano // 1_000_000 % 1000:03d}Z"


def summary(incident: Incident, now: int | None) -> dict[str, Any]:
    """Return what a list shows of an incident.

    Parameters
    ----------
    now
        Time of the stream in Unix nanoseconds, for the age of what goes on.
    """
    clocks = incident.clocks
    age = None if incident.ended is not None or now is None else max(now - clocks.detected, 0) / 1e9
    return {
        "incident_id": incident.incident_id,
        "status": incident.status,
        "severity": incident.severity,
        "service": incident.service,
        "services": incident.services,
        "family": incident.family,
        "metric": incident.metric,
        "onset": instant(clocks.onset),
        "detected": instant(clocks.detected),
        "seconds_to": {
            "detect": None if clocks.onset is None else (clocks.detected - clocks.onset) / 1e9,
            **{state: clocks.since_detection(state) for state in STATES},
        },
        "open_seconds": age,
        "findings": incident.findings,
        "false_positive": incident.false_positive,
        "merged_into": incident.merged_into,
    }


def full(incident: Incident, now: int | None) -> dict[str, Any]:
    """Return everything that is known of an incident; parameters as of `summary`."""
    return summary(incident, now) | {
        "opened_by": incident.opened_by,
        "detector": incident.detector,
        "tenants": list(incident.tenants),
        "causes": list(incident.causes),
        "suspected_change": incident.suspected_change,
        "mitigation": incident.mitigation,
        "not_proven_back": {"pages": sorted(incident.waiting), "tickets": sorted(incident.unproven)},
        "event_ids": list(incident.event_ids),
        "possible_actions": list(ALLOWED[incident.status]),
        "steps": [_step(step) for step in incident.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    shown = {"step": step.name, "at": instant(step.at), "by": step.by, "who": step.actor_kind, "entry": step.entry}
    extra = {"reason": step.reason, "mitigation": step.mitigation, "into": step.into, "assignee": step.assignee,
             "about": step.about}  # fmt: skip
    return shown | {name: value for name, value in extra.items() if value is not None}


def shown_evidence(record: IncidentEvidence) -> dict[str, Any]:
    """Return a bundle as it was written, with what was missing."""
    return {"moment": record.moment, "missing": record.missing or []} | msgspec.json.decode(record.bundle)
