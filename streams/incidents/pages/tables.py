"""Incidents in the terminal."""

from collections.abc import Iterable
from typing import Any, Final

from rich.table import Table

from streams.text.durations import span

STYLES: Final = {"detected": "bold red", "acknowledged": "red", "mitigated": "yellow", "recovered": "green"}


def incident_table(found: Iterable[dict[str, Any]]) -> Table:
    """Return a list of incidents, each with its clocks from detection; `detect` counts from the onset."""
    names = ("incident", "", "state", "services", "about", "detected")
    clocks = ("detect", "acknowledged", "mitigated", "recovered", "closed")
    shown = Table(title="Incidents", expand=False)
    for name in (*names, *(f"to {clock}" for clock in clocks), "open for"):
        shown.add_column(name, no_wrap=name == "incident")
    for item in found:
        state = f"{item['status']} (false positive)" if item["false_positive"] else item["status"]
        shown.add_row(
            item["incident_id"],
            item["severity"],
            state,
            ", ".join(item["services"]),
            item["metric"],
            item["detected"][:19].replace("T", " "),
            *(span(item["seconds_to"][clock]) for clock in clocks),
            span(item["open_seconds"]),
            style=STYLES.get(item["status"], ""),
        )
    return shown
