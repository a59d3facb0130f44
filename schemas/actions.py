"""What is done about incidents and services: actions, controls, and the evidence and deliveries that go with them."""

from typing import Literal

from .events import Envelope
from .fields import Count, Identity, Name, Real, Reference, UnixNano, Version
from .records import Mitigation

Actor = Literal["human", "automation", "system"]
ActionKind = Literal[
    "acknowledge", "mitigate", "close", "reopen", "false_positive", "note", "merge", "escalate", "remind", "notify",
]  # fmt: skip
ControlKind = Literal["promote", "rollback", "kill_switch", "pause", "review_required", "resume"]


class IncidentAction(Envelope, frozen=True, tag="ai.safety.incident_action.v1"):
    """One thing done about one incident, on ``incident-actions.v1``; `event_id` makes a repeat recognisable.

    `happened_at_unix_nano` is when it was done, where that differs from when it was said.
    """

    incident_id: Identity
    action: ActionKind
    actor_kind: Actor
    actor_id: Name | None = None
    happened_at_unix_nano: UnixNano | None = None
    reason: Reference | None = None
    mitigation_kind: Mitigation | None = None
    into_incident_id: Name | None = None
    alert_fingerprint: Name | None = None
    alert_starts_at: UnixNano | None = None


class Control(Envelope, frozen=True, tag="ai.safety.control.v1"):
    """What a service, or its deployer, is asked to do, on ``controls.v1``; signed in the header of its message.

    It is a request: nothing is ever rolled back or stopped by Watchkeeper itself. `model_version` of the envelope
    is the candidate that a promotion or a rollback is about.
    """

    control: ControlKind
    actor_kind: Actor
    reason: Reference
    actor_id: Name | None = None
    rule: Name | None = None
    finding_id: Name | None = None
    incident_id: Name | None = None
    change_id: Name | None = None
    to_version: Version | None = None
    expires_at: UnixNano | None = None
    evidence: dict[str, Real] | None = None


class IncidentEvidence(Envelope, frozen=True, tag="ai.safety.incident_evidence.v1"):
    """What was known of an incident at one moment, on ``evidence.v1``; written once and never changed.

    `bundle` is the JSON of `streams.incidents.evidence.bundle.Bundle`.
    """

    incident_id: Identity
    moment: Literal["opening", "escalation"]
    bundle: str
    complete: bool
    missing: list[Reference] | None = None


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
