"""What an incident is: its facts, its steps and its clocks. All of it is plain and never changed in place."""

from typing import Final, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from schemas.changes import Change
from schemas.fields import NANO
from schemas.findings import REACHED, Finding
from schemas.incidents import Actor, IncidentAction, IncidentSeverity, Mitigation

T = TypeVar("T", int, bool)

Status = Literal["detected", "acknowledged", "mitigated", "recovered", "closed", "merged"]
OVER: Final[tuple[Status, ...]] = ("closed", "merged")
"""States in which nothing is left to do."""
Key = tuple[str, str]
"""Service and metric family."""

SOURCE: Final = "watchkeeper/incidents"
"""Who says what the incidents worker says."""
MINUTE_NANO: Final = 60 * NANO
DAY_NANO: Final = 1_440 * MINUTE_NANO


class FindingSummary(Struct, frozen=True):
    """A finding, as far as incidents need it.

    `evidence` is its sentence of what was measured; `sessions` and `outputs` how many it names as affected, None where
    it says nothing of that; `reached` whether a person got something bad, None where that is not known.
    """

    id: str
    at: int
    kind: str
    severity: str
    service: str
    family: str
    metric: str
    tenant: str
    onset: int | None
    opened: str | None
    detector: str
    versions: tuple[str, ...]
    event_ids: tuple[str, ...]
    evidence: str = ""
    sessions: int | None = None
    outputs: int | None = None
    reached: bool | None = None


Entry = FindingSummary | IncidentAction | Change


class Step(Struct, frozen=True):
    """One transition: what the incident became or what was said of it, when, by whom, and by which entry.

    `severity`, `onset`, `services` and who is affected are those of the incident after it.
    """

    name: str
    at: int
    by: str
    entry: str
    actor_kind: Actor = "system"
    reason: str | None = None
    mitigation: Mitigation | None = None
    into: str | None = None
    assignee: str | None = None
    about: str | None = None
    false_positive: bool | None = None
    severity: IncidentSeverity = "sev4"
    onset: int | None = None
    services: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()
    tenants: int = 0
    sessions: int | None = None
    outputs: int | None = None
    reached: bool | None = None


class Clocks(Struct, frozen=True):
    """When an incident came to each state, in Unix nanoseconds; None where it has not.

    Acknowledged and mitigated stop once. Recovered and closed run on when the incident is reopened.
    """

    detected: int
    onset: int | None = None
    acknowledged: int | None = None
    mitigated: int | None = None
    recovered: int | None = None
    closed: int | None = None

    def since_detection(self, name: str) -> float | None:
        """Return the seconds from detection to a state.

        >>> Clocks(detected=10**9, closed=61 * 10**9).since_detection("closed")
        60.0
        """
        at: int | None = getattr(self, name)
        return None if at is None else (at - self.detected) / 1e9


class Incident(Struct, frozen=True):
    """One incident, as known now.

    `waiting` are the paged findings that nothing has called back yet, `unproven` the tickets among those that
    joined; `findings` counts all of them. `sessions` is what the finding that names most of them names, because those
    of two findings may be the same; outputs found one by one are different ones.
    """

    incident_id: str
    key: Key
    severity: IncidentSeverity
    opened_by: str
    metric: str
    detector: str
    clocks: Clocks
    status: Status = "detected"
    false_positive: bool = False
    steps: tuple[Step, ...] = ()
    keys: tuple[Key, ...] = ()
    causes: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    waiting: frozenset[str] = frozenset()
    unproven: frozenset[str] = frozenset()
    findings: int = 0
    sessions: int | None = None
    outputs: int | None = None
    reached: bool | None = None
    event_ids: tuple[str, ...] = ()
    suspected_change: str | None = None
    mitigation: Mitigation | None = None
    merged_into: str | None = None

    @property
    def service(self) -> str:
        """The service it began with."""
        return self.key[0]

    @property
    def family(self) -> str:
        """The metric family it began with."""
        return self.key[1]

    @property
    def services(self) -> list[str]:
        """All services that it touches, the first one first."""
        return list(dict.fromkeys(service for service, _ in self.keys))

    @property
    def ended(self) -> int | None:
        """When it was closed or, where nobody did, proven recovered; None while it goes on."""
        if self.status in OVER:
            return self.clocks.closed
        return self.clocks.recovered if self.status == "recovered" else None


def stepped(incident: Incident, step: Step) -> Incident:
    """Return the incident with one more step."""
    known = replace(
        step,
        severity=incident.severity,
        onset=incident.clocks.onset,
        services=tuple(incident.services),
        tenants=len(incident.tenants),
        sessions=incident.sessions,
        outputs=incident.outputs,
        reached=incident.reached,
    )
    return replace(incident, steps=(*incident.steps, known))


def affected(incident: Incident, by: FindingSummary | Incident) -> Incident:
    """Return the incident with those whom a page, or an incident that it takes over, names as affected."""
    return replace(
        incident,
        sessions=_most(incident.sessions, by.sessions),
        outputs=None if incident.outputs is by.outputs is None else (incident.outputs or 0) + (by.outputs or 0),
        reached=_most(incident.reached, by.reached),
    )


def _most(known: T | None, new: T | None) -> T | None:
    """Return the greater of what is known; yes is more than no."""
    return max((each for each in (known, new) if each is not None), default=None)


def summary_of(finding: Finding) -> FindingSummary | None:
    """Return what incidents need of a finding, or None where it is nothing to them."""
    if finding.severity == "info" and finding.kind != "recovery":
        return None
    return FindingSummary(
        id=finding.finding_id,
        at=finding.detected_time_unix_nano,
        kind=finding.kind,
        severity=finding.severity,
        service=finding.service_name,
        family=finding.family,
        metric=finding.metric,
        tenant=finding.tenant_id or "*",
        onset=finding.onset_time_unix_nano,
        opened=finding.opened_finding_id,
        detector=finding.detector,
        versions=tuple(finding.versions or ()),
        event_ids=tuple((finding.event_ids or ())[:20]),
        evidence=finding.evidence or "",
        sessions=finding.flagged if finding.kind == "rate" and finding.direction != "down" else None,
        outputs=1 if finding.kind == "severe_event" else None,
        reached=_reached(finding),
    )


def _reached(finding: Finding) -> bool | None:
    """Return whether a person got something bad, as far as a finding says."""
    told = (finding.details or {}).get(REACHED)
    if told is not None:
        return told > 0
    return (
        True if finding.kind == "rate" and finding.metric == "unsafe_served" and finding.direction != "down" else None
    )


def happened(entry: Entry) -> tuple[int, int, str]:
    """Return the place of an entry in the history: when it happened, and a fixed order of what happened at once."""
    if isinstance(entry, FindingSummary):
        return entry.at, 1, entry.id
    if isinstance(entry, Change):
        return entry.time_unix_nano, 0, entry.event_id
    return entry.happened_at_unix_nano or entry.time_unix_nano, 2, entry.event_id
