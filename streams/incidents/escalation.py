"""What time alone makes due: escalations, reminders and the close of what has been quiet.

Nothing is remembered here. Each action has an id that follows from the incident, its round (an incident that was
reopened begins a new one), the kind and a number; what an incident's steps already hold is not made due again.
"""

from collections.abc import Iterable, Iterator

from schemas.identity import identity
from schemas.incidents import ActionKind, IncidentAction
from streams.incidents.fold.state import MINUTE_NANO, SOURCE, Incident
from streams.policy.receivers import ResponseTimes


def due(incidents: Iterable[Incident], now: int, times: ResponseTimes) -> list[IncidentAction]:
    """Return the actions that time has made due and that the incidents do not hold yet.

    Parameters
    ----------
    incidents
        As known now.
    now
        Unix nanoseconds.
    times
        What the policy says about answers.

    Returns
    -------
    list
        Of each incident at most one escalation for each limit, one reminder and one close. After a pause only the
        latest of several that were missed is due: nobody is helped by a burst.
    """
    found = []
    for incident in incidents:
        taken = {step.entry for step in incident.steps}
        found += [action for action in _due(incident, now, times) if action.event_id not in taken]
    return found


def level(elapsed: int, wait: int) -> int:
    """Return how often an unanswered incident is to have been escalated: after w, 3w, 7w and so on.

    Parameters
    ----------
    elapsed, wait
        In the same unit; each wait is twice the one before it.

    >>> [level(minutes, 5) for minutes in (4, 5, 14, 15, 34, 35)]
    [0, 1, 1, 2, 2, 3]
    """
    return (max(elapsed, 0) // wait + 1).bit_length() - 1


def _due(incident: Incident, now: int, times: ResponseTimes) -> Iterator[IncidentAction]:
    """Yield what is due of one incident, whether it is held already or not."""
    if incident.status == "recovered" and incident.clocks.recovered is not None:
        if now - incident.clocks.recovered >= times.close_after_quiet_hours * 60 * MINUTE_NANO:
            reason = f"recovered for {times.close_after_quiet_hours:g} hours"
            yield _action(incident, "close", "close", 1, reason, now)
        return
    if incident.status not in ("detected", "acknowledged"):
        return
    acknowledge = times.acknowledge_within(incident.severity)
    mitigate = times.mitigate_within(incident.severity)
    elapsed = now - _began(incident)
    if acknowledge is not None and incident.status == "detected":
        yield from _escalation(incident, "acknowledged", acknowledge, elapsed, now)
    if mitigate is not None:
        yield from _escalation(incident, "mitigated", mitigate, elapsed, now)
    if acknowledge is not None and times.remind_every_minutes is not None:
        number = elapsed // int(times.remind_every_minutes * MINUTE_NANO)
        if number > 0:
            reason = f"open and not mitigated for {elapsed // MINUTE_NANO} minutes"
            yield _action(incident, "remind", "remind", number, reason, now)


def _escalation(incident: Incident, state: str, minutes: float, elapsed: int, now: int) -> Iterator[IncidentAction]:
    number = level(elapsed, int(minutes * MINUTE_NANO))
    if number > 0:
        reason = f"not {state} within {minutes:g} minutes; escalation {number}"
        yield _action(incident, "escalate", f"escalate/{state}", number, reason, now)


def _began(incident: Incident) -> int:
    """Return when the present round of an incident began."""
    return max((step.at for step in incident.steps if step.name in ("detected", "reopened")), default=2**63)


def _action(incident: Incident, action: ActionKind, what: str, number: int, reason: str, now: int) -> IncidentAction:
    rounds = sum(step.name == "reopened" for step in incident.steps)
    return IncidentAction(
        event_id=identity(incident.incident_id, rounds, what, number),
        source=SOURCE,
        time_unix_nano=now,
        service_name=incident.service,
        incident_id=incident.incident_id,
        action=action,
        actor_kind="system",
        actor_id="watchkeeper",
        reason=reason,
    )
