"""Which actions are possible in which state, and what they do."""

from typing import Final

from msgspec.structs import replace

from schemas.incidents import IncidentAction, Mitigation
from streams.incidents.fold.state import Incident, Status, Step, stepped

_TALK: Final = ("note", "notify", "report", "waive", "correct")
_OPEN: Final = ("close", "false_positive", "merge", "assign", *_TALK, "escalate", "remind")

ALLOWED: Final[dict[Status, tuple[str, ...]]] = {
    "detected": ("acknowledge", "mitigate", *_OPEN),
    "acknowledged": ("mitigate", *_OPEN),
    "mitigated": ("acknowledge", *_OPEN),
    "recovered": ("acknowledge", "mitigate", "reopen", *_OPEN),
    "closed": ("reopen", "false_positive", *_TALK),
    "merged": _TALK,
}
"""What may be done in which state; anything else is refused by name."""

ORDER: Final[tuple[Status, ...]] = ("detected", "acknowledged", "mitigated", "recovered", "closed", "merged")

_BECOMES: Final[dict[str, Status]] = {
    "acknowledge": "acknowledged",
    "mitigate": "mitigated",
    "close": "closed",
    "false_positive": "closed",
    "merge": "merged",
}
_SAYS: Final = {
    "note": "noted", "notify": "notified", "escalate": "escalated", "remind": "reminded",
    "assign": "assigned", "report": "reported", "waive": "waived", "correct": "corrected",
}  # fmt: skip


NAMED: Final = {
    "report": "which duty was reported",
    "waive": "which duty does not apply",
    "correct": "which probe or rule keeps it from coming again",
}
"""What must be said with an action that is about something by name."""

CORRECTS: Final = ("probe:", "rule:")
"""What a correction may be; its name follows."""

MITIGATES: Final[dict[str, Mitigation]] = {
    "rolled_back": "rollback",
    "kill_switch": "kill_switch",
    "feature_flag": "feature_disabled",
    "model": "model_switched",
    "guard_policy": "policy_tightened",
    "threshold": "policy_tightened",
}
"""What a change does against an incident, by its action or by what is changed."""


class UnknownIncidentError(ValueError):
    """No incident has this id."""


class IllegalActionError(ValueError):
    """An action that the state of the incident does not allow; the message names those that it does."""


def refusal(incident: Incident, action: IncidentAction, at: int) -> str | None:
    """Return why an action is not possible, with what is; None where it is.

    Parameters
    ----------
    at
        When it was done, in Unix nanoseconds.
    """
    possible = ALLOWED[incident.status]
    if action.action not in possible:
        return f"incident {incident.incident_id} is {incident.status}: {', '.join(possible)} are possible"
    if incident.status in ("acknowledged", "recovered") and action.action == "acknowledge" and _is_done(incident):
        return f"incident {incident.incident_id} is acknowledged already: {', '.join(possible[1:])} are possible"
    if lack := _unsaid(incident, action):
        return f"say {lack}"
    if at < incident.clocks.detected:
        return f"incident {incident.incident_id} was not yet detected at that time; check happened_at_unix_nano"
    return None


def _unsaid(incident: Incident, action: IncidentAction) -> str | None:
    """Return what an action should say and does not."""
    if action.action == "merge" and action.into_incident_id in (None, incident.incident_id):
        return "into which other incident it is to be merged"
    if action.action == "assign" and not action.assignee_id:
        return "to whom it is to be given"
    if action.action == "correct" and not (action.about or "").startswith(CORRECTS):
        return f"{NAMED['correct']} (`about`: {' or '.join(f'{each}NAME' for each in CORRECTS)})"
    return f"{NAMED[action.action]} (`about`)" if action.action in NAMED and not action.about else None


def _is_done(incident: Incident) -> bool:
    return incident.clocks.acknowledged is not None


def act(incident: Incident, action: IncidentAction, at: int) -> Incident:
    """Return the incident after an action that `refusal` let pass."""
    step = Step(
        name=_SAYS.get(action.action) or ("reopened" if action.action == "reopen" else _BECOMES[action.action]),
        at=at,
        by=action.actor_id or action.actor_kind,
        entry=action.event_id,
        actor_kind=action.actor_kind,
        reason=action.reason,
        mitigation=action.mitigation_kind if action.action == "mitigate" else None,
        into=action.into_incident_id,
        assignee=action.assignee_id if action.action == "assign" else None,
        about=action.about,
        false_positive=True if action.action == "false_positive" else None,
    )
    if action.action in _SAYS:
        return stepped(incident, step)
    if action.action == "reopen":
        return reopened(incident, step)
    if action.action == "merge":
        incident = replace(incident, merged_into=action.into_incident_id, waiting=frozenset(), unproven=frozenset())
    false = incident.false_positive or action.action == "false_positive"
    return reached(replace(incident, false_positive=false), _BECOMES[action.action], step)


def reopened(incident: Incident, step: Step) -> Incident:
    """Return the incident as it goes on after an end that was none."""
    clocks = replace(incident.clocks, recovered=None, closed=None)
    return stepped(replace(incident, status="detected", clocks=clocks, false_positive=False), step)


def reached(incident: Incident, status: Status, step: Step) -> Incident:
    """Return the incident in a state: its clock stops the first time, and no earlier state comes back by itself."""
    name = "closed" if status == "merged" else status
    clocks = incident.clocks
    if getattr(clocks, name) is None:
        clocks = replace(clocks, **{name: step.at})
    later = status if ORDER.index(status) > ORDER.index(incident.status) else incident.status
    mitigation = incident.mitigation or step.mitigation
    return stepped(replace(incident, status=later, clocks=clocks, mitigation=mitigation), step)
