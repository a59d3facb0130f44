"""Which incidents somebody sees, and as what: nobody else asks the fold for those that are shown.

An incident that touches services of several teams is seen by each. What of it is another's is left out: names, findings
with what they measured, counts over all of it, and what was known of it at its opening. What people said of it stays.
"""

from typing import Any, Final

import msgspec
from fastapi import HTTPException, status
from msgspec.structs import replace

from schemas.incidents import IncidentEvidence
from streams.access.teams import seen, sees
from streams.incidents.approvals.approvals import Approvals
from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.moves import UnknownIncidentError
from streams.incidents.fold.state import Incident, Step
from streams.incidents.pages.view import IncidentView
from streams.incidents.worker import Incidents


def incidents_seen(incident_log: IncidentLog) -> list[Incident]:
    """Return the incidents that may be seen here and now, in the order of their detection."""
    return [own for each in incident_log.folding.incidents() if (own := _own(incident_log, each)) is not None]


def known(incident_log: IncidentLog, incident_id: str) -> Incident:
    """Return an incident.

    Raises
    ------
    UnknownIncidentError
        Where there is none, or it may not be seen here and now.
    """
    found = incident_log.folding.fold.incidents.get(incident_id)
    own = None if found is None else _own(incident_log, found)
    if own is None:
        raise UnknownIncidentError(f"no incident is called {incident_id}")
    return own


async def require_incident(approvals: Approvals, incident_id: str | None) -> None:
    """Refuse what is said of an incident that may not be seen; raises as `known`, and 503 where nobody holds them."""
    if seen() is None or not incident_id:
        return
    incident_log = await approvals.held()
    if not isinstance(incident_log, IncidentLog):
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "another worker holds the incidents, or it starts")
    known(incident_log, incident_id)


def evidence_seen(work: Incidents, incident_log: IncidentLog, incident: Incident) -> list[IncidentEvidence]:
    """Return what was known of an incident at its moments; how far it spread through others' services is left out."""
    if seen() is None:
        return work.known_of(incident.incident_id)
    if not all(map(sees, incident_log.folding.fold.incidents[incident.incident_id].services)):
        return []
    return [replace(each, bundle=_without_spread(each.bundle)) for each in work.known_of(incident.incident_id)]


def portrayed(work: Incidents, incident_log: IncidentLog, incident: Incident) -> IncidentView:
    """Return what is known of an incident, as far as it may be seen here and now."""
    return work.portrait(incident_log, incident, evidence_seen(work, incident_log, incident))


def revision(work: Incidents) -> str:
    """Return what is another as soon as there is something new to be seen."""
    incident_log = work.held
    if seen() is None or incident_log is None:
        return str(work.revision)
    return str(hash(tuple((each.incident_id, len(each.steps)) for each in incidents_seen(incident_log))))


def _without_spread(bundle: str) -> str:
    known: dict[str, Any] = msgspec.json.decode(bundle)
    return msgspec.json.encode({name: value for name, value in known.items() if name != "spread"}).decode()


def _own(incident_log: IncidentLog, incident: Incident) -> Incident | None:
    """Return what may be seen of an incident; None where it is of other services."""
    if seen() is None:
        return incident
    keys = tuple(key for key in incident.keys if sees(key[0]))
    if not keys:
        return None
    whole = len(keys) == len(incident.keys)
    own = replace(
        incident,
        steps=tuple(_step(incident_log, each, whole=whole) for each in incident.steps if whole or not _measured(each)),
        merged_into=_target(incident_log, incident.merged_into),
    )
    if whole:
        return own
    first = {} if sees(incident.key[0]) else {"metric": keys[0][1], "opened_by": "", "detector": ""}
    return replace(own, key=incident.key if not first else keys[0], keys=keys, **_NOTHING, **first)


_NOTHING: Final[dict[str, Any]] = {
    "tenants": (), "causes": (), "waiting": frozenset(), "unproven": frozenset(), "findings": 0, "sessions": None,
    "outputs": None, "reached": None, "event_ids": (), "suspected_change": None,
}  # fmt: skip
"""What is counted or named over all services of an incident."""


def _measured(step: Step) -> bool:
    """Tell whether a step says that something more was found."""
    return step.name == "joined" and step.actor_kind != "human"


def _step(incident_log: IncidentLog, step: Step, *, whole: bool) -> Step:
    """Return a step as it may be seen: what was measured over all services is left out, what people said is not."""
    step = replace(step, into=_target(incident_log, step.into))
    if whole:
        return step
    step = replace(step, services=tuple(filter(sees, step.services)), event_ids=(), tenants=0, sessions=None,
                   outputs=None, reached=None)  # fmt: skip
    return step if step.actor_kind == "human" else replace(step, entry="", reason=None)


def _target(incident_log: IncidentLog, incident_id: str | None) -> str | None:
    """Return the incident that another was merged into, where it may be seen."""
    found = incident_log.folding.fold.incidents.get(incident_id or "")
    return None if found is None or not any(map(sees, found.services)) else incident_id
