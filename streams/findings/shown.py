"""Findings as people read them."""

from collections.abc import Iterable
from typing import Any, Final

from rich.table import Table

from schemas.sql import query
from streams.findings.tickets import kept

FINDINGS_QUERY: Final = query("streams.findings", "findings")

STYLES: Final = {"page": "bold red", "ticket": "yellow", "info": "green"}


def budget_table(rows: Iterable[dict[str, Any]], promised: dict[str, float]) -> Table:
    """Return what was promised a day beside what was raised a day, and what became of it."""
    names = ("", "promised false a day", "raised a day", "raised", "real", "false", "not judged", "over by proof")
    shown = Table(*names, title="The budget")
    for each in kept(rows, promised):
        counts = (each.raised, each.real, each.false, each.not_judged, each.over)
        shown.add_row(each.severity, f"{each.promised:g}", f"{each.raised_a_day:.2f}", *map(str, counts))
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
