"""``findings.v1``: what the detectors have to say, with everything an on-call engineer needs to believe it."""

from typing import Literal

from msgspec import Struct

from .fields import Count, Identity, Name, Real, Reference, UnixNano

Kind = Literal[
    "rate",  # a rate rose above its ceiling, or fell below its floor
    "recovery",  # what another finding opened is back
    "drift_vote",  # a River detector sees a rate drift
    "severe_event",  # one event that is bad enough by itself
    "breach",  # a step of an agent breaks what the policy says of tools
    "quantity",  # a latency, a token count, a score is distributed differently
    "mix",  # names come in other shares than before, or a new one came
    "telemetry",  # a source is silent, floods or lags: about what is known, not about safety
    "odd_event",  # one event or trace unlike the others
    "pattern",  # many similar inputs that were not there before
    "canary",  # the candidate is worse, or not worse, than what it stands beside
    "version",  # a model version of a known service is seen for the first time
    "unannounced_change",  # such a version, and nobody had recorded the change
]
Severity = Literal["page", "ticket", "info"]


FROM_ONE_EVENT = ("severe_event", "tool_policy")
"""Detectors to which one event is enough: it is the first bad one, and the onset."""

REACHED = "reached_user"
"""Among the details of a severe event: 1 where it reached a person, 0 where it did not; absent where nobody says."""


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
    verdict: Name | None = None
    details: dict[str, Real] | None = None
