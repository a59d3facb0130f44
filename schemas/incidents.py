"""Incidents: the transitions that they are the fold of, what is done about them, what was known, and who was told."""

from typing import Literal

from .events import Envelope
from .fields import Count, Identity, Name, Real, Reference, UnixNano, Version

Actor = Literal["human", "automation", "system"]
IncidentSeverity = Literal["sev1", "sev2", "sev3", "sev4"]
TransitionName = Literal[
    "detected", "triggered", "notified", "acknowledged", "escalated", "mitigated", "remediated", "recovered",
    "resolved", "reopened", "closed", "merged", "reminded", "noted", "joined", "refused",
    "retracted", "assigned", "reported", "waived", "corrected",
]  # fmt: skip
Mitigation = Literal[
    "rollback",
    "policy_tightened",
    "feature_disabled",
    "model_switched",
    "kill_switch",
    "rate_limited",
    "none",
]
SeriousIncident = Literal[
    "none", "death_or_health", "critical_infrastructure", "fundamental_rights", "property_or_environment",
    "widespread",
]  # fmt: skip
ActionKind = Literal[
    "acknowledge", "mitigate", "close", "reopen", "false_positive", "note", "merge", "escalate", "remind", "notify",
    "assign", "report", "waive", "correct",
]  # fmt: skip


class IncidentTransition(Envelope, frozen=True, tag="ai.safety.incident.v1"):
    """One transition of one incident; the state of an incident is the fold over its transitions."""

    incident_id: Identity
    dedup_key: Identity
    transition: TransitionName
    transition_time_unix_nano: UnixNano
    actor_kind: Actor
    severity: IncidentSeverity
    actor_id: Name | None = None
    category: Name | None = None
    layer: Name | None = None
    scope: Name | None = None
    detector_id: Name | None = None
    detector_version: Version | None = None
    rule_id: Name | None = None
    alert_fingerprint: Name | None = None
    alert_starts_at: UnixNano | None = None
    onset_time_unix_nano: UnixNano | None = None
    onset_method: Literal["first_bad_event", "change_event", "estimated", "reported"] | None = None
    evidence_event_ids: list[Name] | None = None
    evidence_count: Count | None = None
    evidence_hold: bool | None = None
    suspected_change_id: Name | None = None
    mitigation_kind: Mitigation | None = None
    users_affected: Count | None = None
    outputs_affected: Count | None = None
    reached_user: bool | None = None
    false_positive: bool | None = None
    serious_incident_class: SeriousIncident | None = None
    aware_time: UnixNano | None = None
    report_due_time: UnixNano | None = None
    report_sent_time: UnixNano | None = None
    ticket_url: Reference | None = None
    postmortem_url: Reference | None = None
    family: Name | None = None
    services: list[Name] | None = None
    finding_id: Name | None = None
    action_id: Name | None = None
    into_incident_id: Name | None = None
    assignee_id: Name | None = None
    reason: Reference | None = None
    tenants_affected: Count | None = None
    sessions_affected: Count | None = None
    about: Name | None = None


class IncidentAction(Envelope, frozen=True, tag="ai.safety.incident_action.v1"):
    """One thing done about one incident, on ``incident-actions.v1``; `event_id` makes a repeat recognisable.

    `happened_at_unix_nano` is when it was done, where that differs from when it was said. `about` is the duty that is
    reported or waived, or the probe or rule that is to keep what happened from coming again.
    """

    incident_id: Identity
    action: ActionKind
    actor_kind: Actor
    actor_id: Name | None = None
    happened_at_unix_nano: UnixNano | None = None
    reason: Reference | None = None
    mitigation_kind: Mitigation | None = None
    into_incident_id: Name | None = None
    assignee_id: Name | None = None
    alert_fingerprint: Name | None = None
    alert_starts_at: UnixNano | None = None
    about: Name | None = None


class IncidentEvidence(Envelope, frozen=True, tag="ai.safety.incident_evidence.v1"):
    """What was known of an incident at one moment, on ``evidence.v1``; written once and never changed.

    `bundle` is the JSON of `streams.incidents.evidence.bundle.Bundle`. Who is affected is counted from the events since
    the onset; what no event says is None, never 0. `ended_...` is when the harm ended, as estimated once it was proven
    to be over, with its 95 per cent interval.
    """

    incident_id: Identity
    moment: Literal["opening", "escalation", "end"]
    bundle: str
    complete: bool
    missing: list[Reference] | None = None
    users_affected: Count | None = None
    sessions_affected: Count | None = None
    tenants_affected: Count | None = None
    outputs_affected: Count | None = None
    reached_user: bool | None = None
    ended_time_unix_nano: UnixNano | None = None
    ended_lower_time_unix_nano: UnixNano | None = None
    ended_upper_time_unix_nano: UnixNano | None = None


class Delivery(Envelope, frozen=True, tag="ai.safety.delivery.v1"):
    """One attempt to tell a receiver of one transition, on ``deliveries.v1``."""

    incident_id: Identity
    transition_event_id: Identity
    receiver: Identity
    status: Literal["delivered", "failed", "given_up"]
    attempt: Count
    http_status: Count | None = None
    duration_ms: Real | None = None
    detail: Reference | None = None
