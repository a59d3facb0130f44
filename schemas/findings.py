"""``findings.v1``: what the detectors have to say, with everything an on-call engineer needs to believe it."""

from typing import Literal

from msgspec import Struct

from .fields import Count, Identity, Name, Real, Reference, UnixNano

Kind = Literal["rate", "drift_vote", "severe_event", "recovery"]
Severity = Literal["page", "ticket", "info"]


class Finding(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event_type", tag="ai.safety.finding.v1"
):
    """One finding. `finding_id` is a function of what was found, so that a repeat is recognised.

    `e_value` has reached `promise`: if nothing had changed, the mean number of active ticks until such a value
    is at least `promise` (Shin, Ramdas and Rinaldo, e-detectors). `rate_lower` and `rate_upper` are a 95 per
    cent interval of `rate`, over `flagged` of `sample_size` trials since `onset_time_unix_nano`.
    """

    finding_id: Identity
    kind: Kind
    severity: Severity
    service_name: Identity
    metric: Name
    family: Name
    detected_time_unix_nano: UnixNano
    detector: Name
    detector_version: Name
    tenant_id: Name | None = None
    model_version: Name | None = None
    direction: Literal["up", "down"] | None = None
    onset_time_unix_nano: UnixNano | None = None
    e_value: Real | None = None
    promise: Real | None = None
    rate: Real | None = None
    rate_lower: Real | None = None
    rate_upper: Real | None = None
    baseline: Real | None = None
    sample_size: Count | None = None
    flagged: Count | None = None
    versions: list[Name] | None = None
    changes: list[Reference] | None = None
    tenants: list[Name] | None = None
    event_ids: list[Name] | None = None
    evidence: Reference | None = None
    evidence_sql: str | None = None
    opened_finding_id: Name | None = None
