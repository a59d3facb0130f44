"""What several policies found, beside each other."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from rich.table import Table

from schemas.findings import Finding


class Count(Struct, frozen=True):
    """How often a policy found something, by how it told of it, and when first, Unix nanoseconds; 0 for never."""

    pages: int = 0
    tickets: int = 0
    infos: int = 0
    first: int = 0

    def __str__(self) -> str:
        amounts = {"page": self.pages, "ticket": self.tickets, "info": self.infos}
        words = ", ".join(f"{amount} {level}{'s' * (amount > 1)}" for level, amount in amounts.items() if amount)
        return f"{words}; first {datetime.fromtimestamp(self.first / 1e9, UTC):%m-%d %H:%M}" if words else "-"


class Compared(Struct, frozen=True):
    """What each policy found of one kind in one metric of a service."""

    service: str
    kind: str
    metric: str
    counts: tuple[Count, ...]

    @property
    def differs(self) -> bool:
        """Whether the policies differ in it."""
        return len(set(self.counts)) > 1


def compared(runs: dict[str, list[Finding]]) -> list[Compared]:
    """Return what several policies found beside each other, recoveries left out, in the order of names."""
    cells: dict[tuple[str, str, str], dict[str, list[Finding]]] = {}
    for name, found in runs.items():
        for finding in found:
            if finding.kind != "recovery":
                key = (finding.service_name, str(finding.kind), finding.metric)
                cells.setdefault(key, {}).setdefault(name, []).append(finding)
    return [
        Compared(*key, tuple(_count(by_run.get(name, [])) for name in runs)) for key, by_run in sorted(cells.items())
    ]


def _count(found: list[Finding]) -> Count:
    levels = Counter(str(item.severity) for item in found)
    first = min((item.detected_time_unix_nano for item in found), default=0)
    return Count(levels["page"], levels["ticket"], levels["info"], first)


def side_by_side(runs: dict[str, list[Finding]]) -> Table:
    """Return what each policy found, a row for each service, kind and metric that any of them found."""
    shown = Table("service", "kind", "metric", *runs, title="What would have been found", expand=False)
    for row in compared(runs):
        shown.add_row(row.service, row.kind, row.metric, *map(str, row.counts))
    return shown


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
