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
WHERE NOT mapContains(details, 'look')
ORDER BY detected_time, finding_id
"""

BUDGET_QUERY: Final = """
SELECT
    found.severity AS severity, count() AS raised,
    countIf(judged.verdict = 'false') AS false_ones, countIf(judged.verdict = 'real') AS real_ones,
    countIf(found.finding_id IN (SELECT opened_finding_id FROM findings FINAL)) AS over,
    greatest(dateDiff('second', min(detected_time), max(detected_time)) / 86400, 1) AS days
FROM (SELECT * FROM findings FINAL WHERE severity IN ('page', 'ticket')) AS found
LEFT JOIN (
    SELECT held.finding_id AS finding_id, ends.verdict AS verdict
    FROM (
        SELECT finding_id, incident_id FROM incident_transitions FINAL
        WHERE transition IN ('detected', 'joined', 'reopened') AND finding_id != ''
    ) AS held
    INNER JOIN (
        SELECT incident_id, if(argMax(false_positive, transition_time) = true, 'false', 'real') AS verdict
        FROM incident_transitions FINAL WHERE transition IN ('closed', 'reopened')
        GROUP BY incident_id HAVING argMax(transition, transition_time) = 'closed'
    ) AS ends USING incident_id
) AS judged ON judged.finding_id = found.finding_id
GROUP BY severity ORDER BY severity
"""
"""A finding is judged when the incident that it opened or joined is closed; until then nobody knows."""

STYLES: Final = {"page": "bold red", "ticket": "yellow", "info": "green"}


def budget_table(rows: Iterable[dict[str, Any]], promised: dict[str, float]) -> Table:
    """Return what was promised a day beside what was raised a day, and what became of it."""
    names = ("", "promised false a day", "raised a day", "raised", "real", "false", "not judged", "over by proof")
    shown = Table(*names, title="The budget")
    for row in rows:
        raised, false, real = (int(row[name]) for name in ("raised", "false_ones", "real_ones"))
        shown.add_row(
            row["severity"],
            f"{promised[row['severity']]:g}",
            f"{raised / float(row['days']):.2f}",
            *map(str, (raised, real, false, raised - real - false, row["over"])),
        )
    return shown


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
