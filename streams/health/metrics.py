"""What Prometheus is told of a worker, whoever counts it."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("watchkeeper_records", "Records received from Kafka", ["topic"])
BATCHES = Counter("watchkeeper_batches", "Batches received from Kafka", ["topic"])
REFUSED = Counter("watchkeeper_refused", "Records that the contract refused", ["topic", "reason"])
LETTERS = Counter("watchkeeper_dead_letters", "Records that history put among the dead letters", ["reason"])
LETTERS_LEFT = Counter(
    "watchkeeper_dead_letters_not_kept", "Refused records of a source over its limit: counted, not kept", ["reason"]
)
SET_ASIDE = Counter("watchkeeper_records_set_aside", "Records set aside because the worker died of them", ["topic"])
MASKED = Counter(
    "watchkeeper_masked", "Direct identifiers that were masked or replaced by pseudonyms", ["field", "kind"]
)
LATE = Counter("watchkeeper_late", "Events that came after their tick had closed")
REPEATED = Counter("watchkeeper_repeated", "Records met again after a restart, and left out", ["topic"])
UNKNOWN_WORDS = Counter("watchkeeper_unknown_words", "Words in events that no vocabulary here holds", ["field"])
ROWS = Counter("watchkeeper_rows", "Rows written to ClickHouse")
FINDINGS = Counter("watchkeeper_findings", "Findings published", ["kind", "severity"])
TURNED_AWAY = Counter(
    "watchkeeper_turned_away",
    "Requests to the SQL endpoint, the API or the OTLP receiver that were refused",
    ["door", "code"],
)
FAILED = Counter("watchkeeper_failed_sign_ins", "Wrong tokens and passwords, and those of who has to wait", ["door"])
RECEIVED = Counter("watchkeeper_otlp_items", "Spans, log records and bodies of metrics received", ["signal", "what"])
AUDIT_LOST = Counter(
    "watchkeeper_audit_lost", "Audit entries that the disk did not take, and that no memory could hold"
)
RETRIES = Counter("watchkeeper_retries", "Attempts that a dependency did not answer", ["dependency"])
SERIES = Gauge("watchkeeper_series", "Series that the detectors follow")
OVERFLOW = Counter("watchkeeper_series_overflow", "Group sums that were counted under the name ~other")
LAG = Gauge("watchkeeper_lag", "Records waiting behind the last acknowledged one", ["topic", "partition"])
SECONDS = Histogram("watchkeeper_batch_seconds", "Time from receiving a batch to the end of its work")


def count_refused(topic: str, refused: Iterable[Any]) -> None:
    """Count refused records by their reason."""
    for item in refused:
        REFUSED.labels(topic, item.reason).inc()


def counted(metric: Any, amount: float) -> None:
    """Add to a counter where there is something to add."""
    if amount:
        metric.inc(amount)
