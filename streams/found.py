"""Findings as people read them."""

from collections.abc import Iterable
from typing import Any, Final

from rich.table import Table

FINDINGS_QUERY: Final = """
SELECT
    finding_id, kind, severity,
    formatDateTime(detected_time, '%FT%TZ') AS detected_ts,
    if(isNull(onset_time), '', formatDateTime(assumeNotNull(onset_time), '%FT%TZ')) AS onset_ts,
    service_name AS service, tenant_id AS tenant, model_version, metric, family, detector, direction,
    e_value, promise, rate, rate_lower, rate_upper, baseline, sample_size, flagged,
    versions, tenants, changes, evidence, evidence_sql, opened_finding_id
FROM findings FINAL
ORDER BY detected_time, finding_id
"""

STYLES: Final = {"page": "bold red", "ticket": "yellow", "info": "green"}


def table(findings: Iterable[dict[str, Any]]) -> Table:
    """Return findings as a table for the terminal."""
    shown = Table(title="Findings", expand=False)
    for name in ("detected", "severity", "kind", "service", "tenant", "metric", "what"):
        shown.add_column(name, overflow="fold")
    for item in findings:
        shown.add_row(
            item["detected_ts"],
            item["severity"],
            item["kind"],
            item["service"],
            item["tenant"],
            item["metric"],
            item["evidence"],
            style=STYLES.get(item["severity"], ""),
        )
    return shown
