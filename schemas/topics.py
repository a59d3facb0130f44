"""The topics: name, key, partitions, retention, clean-up."""

from typing import Final, Literal

from msgspec import Struct

DAY_MS: Final = 86_400_000


class Topic(Struct, frozen=True, kw_only=True):
    """A Kafka topic.

    `partitions` is the default of a small installation; `scales` marks the topics that may be given more.
    `timestamp` is whose clock stamps a record: the broker's, wherever event time is judged against it; None for topics
    of others, whatever they do.
    """

    name: str
    key: str
    partitions: int
    retention_ms: int
    cleanup: Literal["delete", "compact"] = "delete"
    timestamp: Literal["CreateTime", "LogAppendTime"] | None = "LogAppendTime"
    scales: bool = False
    max_message_bytes: int = 2_097_152
    segment_bytes: int = 134_217_728


INFERENCE: Final = Topic(
    name="inference.v1",
    key="session, else conversation, else trace",
    partitions=4,
    retention_ms=7 * DAY_MS,
    scales=True,
)
WINDOWS: Final = Topic(
    name="windows.v1", key="set by the service", partitions=2, retention_ms=7 * DAY_MS, max_message_bytes=8_388_608
)
FINDINGS: Final = Topic(name="findings.v1", key="service", partitions=1, retention_ms=90 * DAY_MS)
CHANGES: Final = Topic(name="changes.v1", key="service", partitions=1, retention_ms=90 * DAY_MS)
REVIEWS: Final = Topic(name="reviews.v1", key="target event", partitions=1, retention_ms=90 * DAY_MS)
INCIDENTS: Final = Topic(name="incidents.v1", key="incident", partitions=1, retention_ms=90 * DAY_MS)
ACTIONS: Final = Topic(name="incident-actions.v1", key="incident", partitions=1, retention_ms=90 * DAY_MS)
EVIDENCE: Final = Topic(name="evidence.v1", key="incident", partitions=1, retention_ms=90 * DAY_MS)
DELIVERIES: Final = Topic(name="deliveries.v1", key="incident", partitions=1, retention_ms=90 * DAY_MS)
CONTROLS: Final = Topic(name="controls.v1", key="service", partitions=1, retention_ms=90 * DAY_MS)
TRIAGE: Final = Topic(name="triage.v1", key="service", partitions=1, retention_ms=90 * DAY_MS)
EVALUATIONS: Final = Topic(name="evaluations.v1", key="service", partitions=1, retention_ms=90 * DAY_MS)
REVIEW_QUEUE: Final = Topic(name="review-queue.v1", key="target event", partitions=1, retention_ms=90 * DAY_MS)
DEAD_LETTERS: Final = Topic(
    name="dead-letters.v1", key="topic, partition and offset", partitions=1, retention_ms=30 * DAY_MS
)
ERASURES: Final = Topic(name="erasures.v1", key="subject", partitions=1, retention_ms=-1)
"""Whose data were erased; kept for ever, because a replay may come at any time."""
AUDIT_HEADS: Final = Topic(name="audit-heads.v1", key="log", partitions=1, retention_ms=7 * 365 * DAY_MS)
"""Signed heads of audit logs, kept for as long as these; a log itself stays where it was written."""
APPROVALS: Final = Topic(name="approvals.v1", key="request", partitions=1, retention_ms=7 * 365 * DAY_MS)
"""Who asked for what takes two persons, and who agreed; kept for as long as audit logs, and stored nowhere else."""
OTLP_SPANS: Final = Topic(
    name="otlp_spans", key="trace, in lower-case hexadecimal", partitions=4, retention_ms=2 * DAY_MS, scales=True
)
"""Raw telemetry, as the Collector's Kafka exporter writes it; it may hold text, and so is kept for a short time."""
OTLP_LOGS: Final = Topic(
    name="otlp_logs", key="trace, in lower-case hexadecimal", partitions=4, retention_ms=2 * DAY_MS, scales=True
)
LITELLM: Final = Topic(name="litellm_logs", key="trace", partitions=4, retention_ms=2 * DAY_MS, scales=True)
RAW: Final = (OTLP_SPANS, OTLP_LOGS, LITELLM)
"""Telemetry as others send it, before it is translated."""
DOORS: Final[dict[str, Topic | None]] = {
    "traces": OTLP_SPANS, "logs": OTLP_LOGS, "metrics": None, "litellm": LITELLM,
}  # fmt: skip
"""Where the receiver writes what is posted to `/v1/NAME`; None for what is accepted and not kept."""
CHECKPOINTS: Final = Topic(
    name="checkpoints.v1",
    key="worker, partition, slot, chunk",
    partitions=4,
    retention_ms=-1,
    cleanup="compact",
    segment_bytes=16_777_216,
)
RESTORED: Final = Topic(name="restored.v1", key="none", partitions=1, retention_ms=-1)
"""Is made by `watchkeeper restore` alone: which topics of another installation its topics were."""

TOPICS: Final = (
    INFERENCE, WINDOWS, FINDINGS, CHANGES, REVIEWS, INCIDENTS, ACTIONS, EVIDENCE, DELIVERIES, CONTROLS, TRIAGE,
    EVALUATIONS,
    REVIEW_QUEUE, DEAD_LETTERS, AUDIT_HEADS, ERASURES, APPROVALS, OTLP_SPANS, OTLP_LOGS, LITELLM, CHECKPOINTS,
)  # fmt: skip
