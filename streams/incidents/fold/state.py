"""What an incident is: its facts, its steps and its clocks. All of it is plain and never changed in place."""

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from schemas.changes import Change
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.incidents import Actor, IncidentAction, IncidentSeverity, Mitigation

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
    """A finding, as far as incidents need it."""

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


Entry = FindingSummary | IncidentAction | Change


class Step(Struct, frozen=True):
    """One transition: what the incident became or what was said of it, when, by whom, and by which entry.

    `severity`, `onset` and `services` are those of the incident after it.
    """

    name: str
    at: int
    by: str
    entry: str
    actor_kind: Actor = "system"
    reason: str | None = None
    mitigation: Mitigation | None = None
    into: str | None = None
    false_positive: bool | None = None
    severity: IncidentSeverity = "sev4"
    onset: int | None = None
    services: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()


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
    joined; `findings` counts all of them.
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
    known = replace(step, severity=incident.severity, onset=incident.clocks.onset, services=tuple(incident.services))
    return replace(incident, steps=(*incident.steps, known))


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
    )


def happened(entry: Entry) -> tuple[int, int, str]:
    """Return the place of an entry in the history: when it happened, and a fixed order of what happened at once."""
    if isinstance(entry, FindingSummary):
        return entry.at, 1, entry.id
    if isinstance(entry, Change):
        return entry.time_unix_nano, 0, entry.event_id
    return entry.happened_at_unix_nano or entry.time_unix_nano, 2, entry.event_id
