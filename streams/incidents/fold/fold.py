"""Incidents as a fold over findings, changes and actions, taken in the order in which they happened.

An incident begins with a page. What concerns the same service and metric family joins it until it is over and for a
day after; so does a page about the same service, or about another one that has a model version or a change in common,
if both began at the same time. It is recovered when all that was paged is proven back.

```
detected ──► acknowledged ──► mitigated ──► recovered ──► closed
   any of them may be missing: what recovers by itself was never mitigated, and says so
```
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from msgspec.structs import replace

from schemas.changes import Change
from schemas.incidents import IncidentAction, IncidentSeverity
from streams.incidents.fold.moves import MITIGATES, act, reached, refusal, reopened
from streams.incidents.fold.state import (
    DAY_NANO,
    MINUTE_NANO,
    OVER,
    Clocks,
    Entry,
    FindingSummary,
    Incident,
    Key,
    Step,
    affected,
    happened,
    stepped,
)

T = TypeVar("T")

REOPENS_NANO: Final = DAY_NANO
"""A page within this time after the end of an incident belongs to it and reopens it."""

SAME_ONSET_NANO: Final = 15 * MINUTE_NANO
"""Two services began to suffer at the same time if their onsets are no farther apart."""

BLAMED_NANO: Final = 60 * MINUTE_NANO
"""A change this long before the onset is still suspected."""

MOST_JOINED: Final = 100
"""So many joined findings are steps of an incident; further ones are counted."""

MOST_CHANGES: Final = 50


@dataclass(slots=True)
class Fold:
    """The incidents after some entries; `take` the next one in the order of `happened`.

    Parameters
    ----------
    severity
        How bad an incident is that begins with a finding.
    """

    severity: Callable[[FindingSummary], IncidentSeverity]
    incidents: dict[str, Incident] = field(default_factory=dict)
    current: dict[Key, str] = field(default_factory=dict)
    by_service: dict[str, tuple[str, ...]] = field(default_factory=dict)
    by_cause: dict[str, tuple[str, ...]] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    changes: dict[str, tuple[Change, ...]] = field(default_factory=dict)
    refused: dict[str, tuple[IncidentAction, str]] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Fold":
        """Return a fold that goes its own way; incidents themselves are never changed in place."""
        own = (self.incidents, self.current, self.by_service, self.by_cause, self.waiting, self.changes, self.refused)
        return Fold(self.severity, *(dict(part) for part in (*own, self.told)))  # type: ignore[arg-type]

    def take(self, entry: Entry) -> None:
        """Go on by one entry."""
        if isinstance(entry, FindingSummary):
            self._take_finding(entry)
        elif isinstance(entry, Change):
            self._take_change(entry)
        else:
            self._take_action(entry)

    def _take_finding(self, finding: FindingSummary) -> None:
        if finding.kind == "recovery":
            self._take_recovery(finding)
            return
        incident = self._home(finding)
        if incident is None:
            if finding.severity == "page":
                self._open(finding)
        elif finding.severity == "page" or incident.status not in OVER:
            self._join(incident, finding)

    def _home(self, finding: FindingSummary) -> Incident | None:
        """Return the incident that a finding belongs to."""
        key = finding.service, finding.family
        own = self.incidents.get(self.current.get(key, ""))
        if own is not None and _goes_on(own, finding.at):
            return own
        if finding.severity != "page":
            return None
        for incident in self._alive(self.by_service.get(finding.service, ())):
            if (finding.onset or finding.at) <= incident.clocks.detected:
                return incident
        for cause in self._causes(finding):
            for incident in self._alive(self.by_cause.get(cause, ())):
                began = incident.clocks.onset or incident.clocks.detected
                if abs((finding.onset or finding.at) - began) <= SAME_ONSET_NANO:
                    return incident
        return None

    def _alive(self, names: tuple[str, ...]) -> Iterator[Incident]:
        return (self.incidents[name] for name in names if self.incidents[name].ended is None)

    def _causes(self, finding: FindingSummary) -> tuple[str, ...]:
        """Return what may have caused a finding: the model versions seen, and the changes around its onset."""
        onset = finding.onset or finding.at
        changes = [
            f"change {change.subject_type} {change.subject_name} {change.to_version or change.change_id}"
            for change in self.changes.get(finding.service, ())
            if onset - BLAMED_NANO <= change.time_unix_nano <= finding.at
        ]
        return (*(f"model {version}" for version in finding.versions), *changes)

    def _suspect(self, finding: FindingSummary) -> str | None:
        """Return the change that came last before the onset, or soon after it."""
        onset = finding.onset or finding.at
        found = [
            change.change_id
            for change in self.changes.get(finding.service, ())
            if onset - BLAMED_NANO <= change.time_unix_nano <= min(onset + SAME_ONSET_NANO, finding.at)
        ]
        return found[-1] if found else None

    def _open(self, finding: FindingSummary) -> None:
        incident = Incident(
            incident_id=f"inc-{finding.id[:16]}",
            key=(finding.service, finding.family),
            severity=self.severity(finding),
            opened_by=finding.id,
            metric=finding.metric,
            detector=finding.detector,
            clocks=Clocks(detected=finding.at, onset=finding.onset),
            suspected_change=self._suspect(finding),
        )
        self._put(
            stepped(
                affected(self._with(incident, finding), finding),
                _said("detected", finding),
            )
        )

    def _join(self, incident: Incident, finding: FindingSummary) -> None:
        step = _said("joined", finding)
        ended, few = incident.ended is not None, incident.findings <= MOST_JOINED
        incident = self._with(incident, finding)
        if finding.severity == "page":
            incident = affected(incident, finding)
            onset = _earliest(finding.onset, incident.clocks.onset)
            severity = min(incident.severity, self.severity(finding))
            incident = replace(incident, clocks=replace(incident.clocks, onset=onset), severity=severity)
        if finding.severity == "page" and ended:
            incident = reopened(incident, replace(step, name="reopened"))
        elif few:
            incident = stepped(incident, step)
        self._put(incident)

    def _with(self, incident: Incident, finding: FindingSummary) -> Incident:
        """Return the incident with what a finding adds to its extent, and remember where to find it."""
        key, name = (finding.service, finding.family), incident.incident_id
        waits = finding.kind not in ("severe_event", "breach", "odd_event", "pattern", "drift_vote")
        paged = finding.severity == "page"
        if paged:
            self.current[key] = name
            for index, item in (
                (self.by_service, finding.service),
                *((self.by_cause, each) for each in self._causes(finding)),
            ):
                if name not in index.get(item, ()):
                    index[item] = (*(each.incident_id for each in self._alive(index.get(item, ()))), name)
        if waits:
            self.waiting[finding.id] = name
        return replace(
            incident,
            keys=_also(incident.keys, [key] if paged else []),
            causes=_also(incident.causes, self._causes(finding) if paged else ()),
            tenants=_also(incident.tenants, [finding.tenant] if finding.tenant != "*" else []),
            event_ids=_also(incident.event_ids, finding.event_ids)[:100],
            waiting=incident.waiting | ({finding.id} if waits and paged else set()),
            unproven=incident.unproven | ({finding.id} if waits and not paged else set()),
            findings=incident.findings + 1,
        )

    def _take_recovery(self, finding: FindingSummary) -> None:
        incident = self.incidents.get(self.waiting.pop(finding.opened or "", ""))
        if incident is None:
            return
        back = {finding.opened}
        was_waiting = bool(incident.waiting)
        incident = replace(incident, waiting=incident.waiting - back, unproven=incident.unproven - back)
        if was_waiting and not incident.waiting and incident.clocks.recovered is None and incident.status != "merged":
            incident = reached(incident, "recovered", Step("recovered", finding.at, finding.detector, finding.id))
        self._put(incident)

    def _take_change(self, change: Change) -> None:
        service = change.service_name
        self.changes[service] = (*self.changes.get(service, ()), change)[-MOST_CHANGES:]
        if change.incident_id:
            named = self.incidents.get(change.incident_id)
            touched = [named] if named is not None and change.action not in ("proposed", "rejected") else []
        elif change.action == "rolled_back" or change.subject_type == "kill_switch":
            touched = list(self._alive(self.by_service.get(service, ())))
        else:
            touched = []
        kind = MITIGATES.get(change.action) or MITIGATES.get(change.subject_type, "none")
        for incident in touched:
            if incident.clocks.mitigated is None and incident.ended is None:
                who = change.initiator_id or change.source
                step = Step("mitigated", change.time_unix_nano, who, change.event_id, "automation", change.reason, kind)
                self._put(reached(incident, "mitigated", step))

    def _take_action(self, action: IncidentAction) -> None:
        at, _, _ = happened(action)
        incident = self.incidents.get(action.incident_id)
        why = f"no incident is called {action.incident_id}" if incident is None else refusal(incident, action, at)
        into = self.incidents.get(action.into_incident_id or "")
        if why is None and action.action == "merge" and (into is None or into.status == "merged"):
            why = f"no open incident is called {action.into_incident_id}"
        if why is not None or incident is None:
            self.refused[action.event_id] = (action, why or "")
            return
        if action.action == "merge" and into is not None:
            self._merge(incident, into, action)
        if action.action == "notify":
            self.told[action.event_id] = incident.incident_id
        self._put(act(incident, action, at))

    def _merge(self, incident: Incident, into: Incident, action: IncidentAction) -> None:
        """Let another incident take over what one waits for, and what will still come."""
        at, _, _ = happened(action)
        step = Step(
            "joined", at, action.actor_id or action.actor_kind, action.event_id, action.actor_kind, action.reason
        )
        for key in incident.keys:
            if self.current.get(key) == incident.incident_id:
                self.current[key] = into.incident_id
        for name in incident.waiting | incident.unproven:
            self.waiting[name] = into.incident_id
        onset = _earliest(incident.clocks.onset, into.clocks.onset)
        self._put(
            stepped(
                replace(
                    affected(into, incident),
                    keys=_also(into.keys, incident.keys),
                    causes=_also(into.causes, incident.causes),
                    tenants=_also(into.tenants, incident.tenants),
                    waiting=into.waiting | incident.waiting,
                    unproven=into.unproven | incident.unproven,
                    findings=into.findings + incident.findings,
                    severity=min(into.severity, incident.severity),
                    clocks=replace(into.clocks, onset=onset),
                ),
                step,
            )
        )

    def _put(self, incident: Incident) -> None:
        self.incidents[incident.incident_id] = incident


def _said(name: str, finding: FindingSummary) -> Step:
    """Return the step that a finding makes, in its own words."""
    reason = finding.evidence or None
    return Step(name, finding.at, finding.detector, finding.id, reason=reason, event_ids=finding.event_ids)


def _goes_on(incident: Incident, at: int) -> bool:
    """Tell whether what happens now still belongs to an incident."""
    if incident.ended is None:
        return True
    return not incident.false_positive and at - incident.ended <= REOPENS_NANO


def _earliest(*times: int | None) -> int | None:
    return min((time for time in times if time is not None), default=None)


def _also(known: tuple[T, ...], more: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*known, *more)))
