"""What people and delivery systems say: reviews, changes and the transitions of incidents."""

from typing import Final, Literal

from .events import Envelope
from .fields import Count, Identity, Level, Name, Probability, Real, Reference, Share, UnixNano, Version

Label = Literal["safe", "unsafe", "borderline", "benign_blocked", "cannot_judge"]
Annotator = Literal["human", "llm", "code", "end_user"]
SamplingMethod = Literal["random", "stratified", "flagged", "canary", "appeal"]
Subject = Literal[
    "model", "prompt", "guard_policy", "threshold", "code", "index", "tool", "feature_flag", "detector",
    "schema", "mapping", "deployment", "kill_switch",
]  # fmt: skip
ChangeAction = Literal[
    "proposed", "approved", "rejected", "started", "advanced", "paused", "promoted", "rolled_back", "aborted",
    "expired",
]  # fmt: skip
Transition = Literal[
    "detected", "triggered", "notified", "acknowledged", "escalated", "mitigated", "remediated", "recovered",
    "resolved", "reopened", "closed", "merged", "reminded", "noted", "joined", "refused",
    "retracted",
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


class ReviewLabel(Envelope, frozen=True, tag="ai.safety.review_label.v1"):
    """The judgement of a person, a judge model or a user on one event, however late.

    `sampling_probability` is required: without it no rate that rests on the label is unbiased.
    """

    target_event_id: Identity
    evaluation_name: Identity
    label: Label
    annotator_kind: Annotator
    sampling_method: SamplingMethod
    sampling_probability: Probability
    target_response_id: Name | None = None
    score: Real | None = None
    categories: list[Name] | None = None
    severity: Level | None = None
    explanation_ref: Reference | None = None
    annotator_pseudo_id: Name | None = None
    rubric_version: Version | None = None
    queue: Name | None = None
    queued_at: UnixNano | None = None
    labelled_at: UnixNano | None = None
    overrides_verdict_id: Name | None = None
    supersedes_label_id: Name | None = None


NEEDS_VERSION: Final = frozenset({"started", "advanced", "promoted", "rolled_back"})
"""Actions after which another version serves."""

WITHOUT_VERSION: Final = frozenset({"feature_flag", "kill_switch"})
"""Subjects that are on or off, and have no versions."""


class Change(Envelope, frozen=True, tag="ai.safety.change.v1"):
    """A change of model, prompt, policy, code or data: one timeline for all of them.

    What starts, advances, promotes or rolls back a version must say which: without `to_version` nobody could tell
    later what was serving.
    """

    change_id: Identity
    subject_type: Subject
    subject_name: Identity
    action: ChangeAction
    from_version: Version | None = None
    to_version: Version | None = None
    subject_digest: Reference | None = None
    rollout_weight: Share | None = None
    gate_name: Name | None = None
    gate_result: Literal["pass", "fail", "inconclusive"] | None = None
    gate_stats: dict[str, float] | None = None
    reason: Reference | None = None
    trigger: Literal["human", "schedule", "gate", "incident", "ci"] | None = None
    incident_id: Name | None = None
    initiator_id: Name | None = None
    approver_ids: list[Name] | None = None
    vcs_revision: Name | None = None
    vcs_repository: Reference | None = None
    pipeline_run_id: Name | None = None
    flag_key: Name | None = None
    flag_variant: Name | None = None
    flag_reason: Name | None = None
    lineage_run_id: Name | None = None
    model_card_url: Reference | None = None

    def __post_init__(self) -> None:
        if self.action in NEEDS_VERSION and self.subject_type not in WITHOUT_VERSION and not self.to_version:
            raise ValueError(
                f"a {self.subject_type} that is {self.action} needs `to_version`: the version that serves after it"
            )


class Incident(Envelope, frozen=True, tag="ai.safety.incident.v1"):
    """One transition of one incident; the state of an incident is the fold over its transitions."""

    incident_id: Identity
    dedup_key: Identity
    transition: Transition
    transition_time_unix_nano: UnixNano
    actor_kind: Literal["human", "automation", "system"]
    severity: Literal["sev1", "sev2", "sev3", "sev4"]
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
    reason: Reference | None = None
    tenants_affected: Count | None = None
    sessions_affected: Count | None = None
