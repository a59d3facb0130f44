"""Steps of incidents as records of ``incidents.v1``; a repeat gives the same record."""

from schemas.findings import FROM_ONE_EVENT
from schemas.identity import identity
from schemas.incidents import IncidentAction, IncidentTransition
from streams.incidents.fold.state import SOURCE, Incident, Step, happened


def transition(incident: Incident, step: Step) -> IncidentTransition:
    """Return one step as a record."""
    acted = step.actor_kind != "system" or step.name in ("escalated", "reminded")
    return IncidentTransition(
        event_id=identity(incident.incident_id, step.name, step.entry),
        source=SOURCE,
        time_unix_nano=step.at,
        service_name=incident.service,
        incident_id=incident.incident_id,
        dedup_key=incident.incident_id,
        transition=step.name,  # type: ignore[arg-type]
        transition_time_unix_nano=step.at,
        actor_kind=step.actor_kind,
        actor_id=step.by,
        severity=step.severity,
        category=incident.metric,
        family=incident.family,
        detector_id=incident.detector,
        rule_id=incident.opened_by,
        onset_time_unix_nano=step.onset,
        onset_method="first_bad_event" if incident.detector in FROM_ONE_EVENT else "estimated",
        evidence_event_ids=list(step.event_ids) or None,
        suspected_change_id=incident.suspected_change,
        mitigation_kind=step.mitigation,
        false_positive=(step.false_positive or False) if step.name == "closed" else None,
        services=list(step.services),
        tenants_affected=step.tenants or None,
        sessions_affected=step.sessions,
        outputs_affected=step.outputs,
        reached_user=step.reached,
        finding_id=None if acted else step.entry,
        action_id=step.entry if acted else None,
        into_incident_id=step.into,
        assignee_id=step.assignee,
        about=step.about,
        reason=step.reason,
    )


def refused(action: IncidentAction, why: str) -> IncidentTransition:
    """Return an action that was not possible as a record, so that nothing that was said is lost."""
    at, _, _ = happened(action)
    return IncidentTransition(
        event_id=identity(action.incident_id, "refused", action.event_id),
        source=SOURCE,
        time_unix_nano=at,
        service_name=action.service_name,
        incident_id=action.incident_id,
        dedup_key=action.incident_id,
        transition="refused",
        transition_time_unix_nano=at,
        actor_kind=action.actor_kind,
        actor_id=action.actor_id,
        severity="sev4",
        action_id=action.event_id,
        reason=f"{action.action}: {why}",
    )
