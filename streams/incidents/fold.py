"""Incidents as a fold: the same findings and actions give the same incidents, in whatever order they came.

An incident is what happened to one service in one metric family. It begins with a page, and everything of the same
service and family joins it until it is closed, and for a day after. Its history is worked out anew, by the times of
its entries, whenever one arrives: so a late or repeated entry changes nothing that it should not.

```
detected ──► acknowledged ──► mitigated ──► recovered ──► closed
   any of them may be missing: what recovers by itself was never mitigated, and says so
```
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from schemas.actions import IncidentAction
from schemas.findings import Finding

DAY_NANO: Final = 86_400_000_000_000
REOPENS_NANO: Final = DAY_NANO
"""A page within this time after an incident was closed or recovered belongs to it and reopens it."""

Status = Literal["detected", "acknowledged", "mitigated", "recovered", "closed"]

ALLOWED: Final[dict[Status, tuple[str, ...]]] = {
    "detected": ("acknowledge", "mitigate", "close", "false_positive", "note"),
    "acknowledged": ("mitigate", "close", "false_positive", "note"),
    "mitigated": ("close", "false_positive", "note", "acknowledge"),
    "recovered": ("acknowledge", "mitigate", "close", "false_positive", "reopen", "note"),
    "closed": ("reopen", "note", "false_positive"),
}
"""What may be done in which state; anything else is refused by name."""


class IllegalActionError(ValueError):
    """An action that the state of the incident does not allow; the message names those that it does."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transition of an incident: what it became, when, and by what."""

    status: str
    at: int
    by: str
    entry: str


@dataclass(slots=True)
class Clocks:
    """When an incident came to each state, in nanoseconds; None where it never did. The first time counts."""

    onset: int | None = None
    detected: int | None = None
    acknowledged: int | None = None
    mitigated: int | None = None
    recovered: int | None = None
    closed: int | None = None

    def since_detection(self, name: str) -> float | None:
        """Return the seconds from detection to a state."""
        at = getattr(self, name)
        return None if at is None or self.detected is None else (at - self.detected) / 1e9


@dataclass(slots=True)
class Incident:
    """One incident, as known now."""

    incident_id: str
    service: str
    family: str
    status: Status = "detected"
    false_positive: bool = False
    clocks: Clocks = field(default_factory=Clocks)
    findings: list[Finding] = field(default_factory=list)
    actions: list[IncidentAction] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Actions that were not allowed when they were done, each with what would have been."""

    def open_findings(self) -> set[str]:
        """Return the findings that nothing has called back yet."""
        back = {finding.opened_finding_id for finding in self.findings if finding.kind == "recovery"}
        return {finding.finding_id for finding in self.findings if _opens(finding)} - back


class IncidentFold:
    """The incidents of everything that was said so far."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, str], dict[str, Finding]] = {}
        self._actions: dict[str, dict[str, IncidentAction]] = {}
        self._incidents: dict[tuple[str, str], list[Incident]] = {}

    def incidents(self) -> list[Incident]:
        """Return all incidents, in the order of their detection."""
        found = [incident for incidents in self._incidents.values() for incident in incidents]
        return sorted(found, key=lambda incident: (incident.clocks.detected or 0, incident.incident_id))

    def find(self, incident_id: str) -> Incident | None:
        """Return an incident by its id."""
        return next((incident for incident in self.incidents() if incident.incident_id == incident_id), None)

    def finding(self, finding: Finding) -> list[Incident]:
        """Take a finding, and return the incidents that it changes."""
        key = (finding.service_name, finding.family)
        known = self._findings.setdefault(key, {})
        if finding.finding_id in known:
            return []
        known[finding.finding_id] = finding
        return self._refold(key)

    def action(self, action: IncidentAction) -> list[Incident]:
        """Take an action, also one whose incident is not known yet, and return the incidents that it changes."""
        known = self._actions.setdefault(action.incident_id, {})
        if action.event_id in known:
            return []
        known[action.event_id] = action
        for key, incidents in self._incidents.items():
            if any(incident.incident_id == action.incident_id for incident in incidents):
                return self._refold(key)
        return []

    def check(self, action: IncidentAction) -> None:
        """Raise `IllegalActionError` where an action would be refused now."""
        incident = self.find(action.incident_id)
        if incident is None:
            raise IllegalActionError(f"no incident is called {action.incident_id!r}")
        allowed = ALLOWED[incident.status]
        if action.action not in allowed:
            raise IllegalActionError(
                f"incident {action.incident_id} is {incident.status}: {', '.join(allowed)} are possible, "
                f"{action.action} is not"
            )

    def _refold(self, key: tuple[str, str]) -> list[Incident]:
        before = {incident.incident_id: incident.steps for incident in self._incidents.get(key, [])}
        self._incidents[key] = list(self._folded(key))
        return [incident for incident in self._incidents[key] if before.get(incident.incident_id) != incident.steps]

    def _folded(self, key: tuple[str, str]) -> Iterator[Incident]:
        """Yield the incidents of one service and family, from all that is known of it, by time."""
        current: Incident | None = None
        for finding in sorted(self._findings.get(key, {}).values(), key=_when):
            if current is not None and not self._belongs(current, finding):
                yield current
                current = None
            if current is None:
                if finding.severity != "page":
                    continue
                current = Incident(f"inc-{finding.finding_id[:16]}", *key)
            current.findings.append(finding)
            current.actions = sorted(self._actions.get(current.incident_id, {}).values(), key=_happened)
            _work_out(current)
        if current is not None:
            yield current

    @staticmethod
    def _belongs(incident: Incident, finding: Finding) -> bool:
        if finding.kind == "recovery":
            return finding.opened_finding_id in {known.finding_id for known in incident.findings}
        ended = incident.clocks.closed or (incident.clocks.recovered if incident.status == "recovered" else None)
        return ended is None or finding.detected_time_unix_nano - ended <= REOPENS_NANO


def _opens(finding: Finding) -> bool:
    """Tell whether a finding is one that a recovery can call back."""
    return finding.kind in ("rate", "quantity", "mix")


def _when(finding: Finding) -> tuple[int, str]:
    return finding.detected_time_unix_nano, finding.finding_id


def _happened(action: IncidentAction) -> tuple[int, str]:
    return action.happened_at_unix_nano or action.time_unix_nano, action.event_id


def _work_out(incident: Incident) -> None:
    """Run through the entries of an incident by time, and set its status, clocks and steps."""
    incident.status, incident.clocks, incident.steps, incident.refused = "detected", Clocks(), [], []
    incident.false_positive = False
    onsets = [finding.onset_time_unix_nano for finding in incident.findings if finding.onset_time_unix_nano]
    incident.clocks.onset = min(onsets, default=None)
    waiting: set[str] = set()
    for at, _, entry in sorted(_entries(incident), key=lambda item: item[:2]):
        if isinstance(entry, Finding):
            _take_finding(incident, at, entry, waiting)
        else:
            _take_action(incident, at, entry)


def _entries(incident: Incident) -> Iterator[tuple[int, str, Finding | IncidentAction]]:
    for finding in incident.findings:
        yield finding.detected_time_unix_nano, finding.finding_id, finding
    for action in incident.actions:
        yield *_happened(action), action


def _take_finding(incident: Incident, at: int, finding: Finding, waiting: set[str]) -> None:
    if finding.kind == "recovery":
        waiting.discard(finding.opened_finding_id or "")
        if not waiting and incident.status not in ("recovered", "closed"):
            _step(incident, "recovered", at, finding.detector, finding.finding_id)
        return
    if _opens(finding):
        waiting.add(finding.finding_id)
    if incident.clocks.detected is None:
        incident.clocks.detected = at
        incident.steps.append(Step("detected", at, finding.detector, finding.finding_id))
    elif incident.status in ("recovered", "closed") and finding.severity == "page":
        incident.clocks.recovered = incident.clocks.closed = None  # the clocks run on
        incident.status = "detected"
        incident.steps.append(Step("reopened", at, finding.detector, finding.finding_id))


_BECOMES: Final[dict[str, Status]] = {
    "acknowledge": "acknowledged",
    "mitigate": "mitigated",
    "close": "closed",
    "false_positive": "closed",
}


def _take_action(incident: Incident, at: int, action: IncidentAction) -> None:
    allowed = ALLOWED[incident.status]
    if incident.clocks.detected is None or action.action not in allowed:
        incident.refused.append((action.event_id, ", ".join(allowed)))
        return
    who = action.actor_id or action.actor_kind
    if action.action == "reopen":
        incident.clocks.recovered = incident.clocks.closed = None
        incident.status = "detected"
        incident.steps.append(Step("reopened", at, who, action.event_id))
    elif action.action in _BECOMES:
        incident.false_positive = incident.false_positive or action.action == "false_positive"
        _step(incident, _BECOMES[action.action], at, who, action.event_id)


def _step(incident: Incident, status: Status, at: int, by: str, entry: str) -> None:
    """Go on to a state; its clock stops the first time, and an earlier state never comes back by itself."""
    order: Iterable[Status] = ("detected", "acknowledged", "mitigated", "recovered", "closed")
    ranks = {name: rank for rank, name in enumerate(order)}
    if getattr(incident.clocks, status) is None:
        setattr(incident.clocks, status, at)
    if ranks[status] > ranks[incident.status]:
        incident.status = status
    incident.steps.append(Step(status, at, by, entry))
