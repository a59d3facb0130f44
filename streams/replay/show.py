"""What several policies found, beside each other."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from schemas.findings import Finding


def side_by_side(runs: dict[str, list[Finding]]) -> Table:
    """Return what each policy found, a row for each service, kind and metric that any of them found."""
    shown = Table("service", "kind", "metric", *runs, title="What would have been found", expand=False)
    cells: dict[tuple[str, ...], dict[str, list[Finding]]] = {}
    for name, found in runs.items():
        for finding in found:
            if finding.kind != "recovery":
                key = (finding.service_name, str(finding.kind), finding.metric)
                cells.setdefault(key, {}).setdefault(name, []).append(finding)
    for names, by_run in sorted(cells.items()):
        shown.add_row(*names, *(_cell(by_run.get(name, [])) for name in runs))
    return shown


def _cell(found: list[Finding]) -> str:
    if not found:
        return "-"
    counts = {level: sum(item.severity == level for item in found) for level in ("page", "ticket", "info")}
    first = datetime.fromtimestamp(found[0].detected_time_unix_nano / 1e9, UTC)
    words = ", ".join(f"{amount} {level}{'s' * (amount > 1)}" for level, amount in counts.items() if amount)
    return f"{words}; first {first:%m-%d %H:%M}"


def as_lines(runs: dict[str, list[Finding]]) -> Iterator[dict[str, Any]]:
    """Yield every finding of every policy as plain values."""
    for name, found in runs.items():
        for finding in found:
            yield {
                "policy": name,
                "service": finding.service_name,
                "kind": finding.kind,
                "severity": finding.severity,
                "metric": finding.metric,
                "detected_unix_nano": finding.detected_time_unix_nano,
                "evidence": finding.evidence,
            }
