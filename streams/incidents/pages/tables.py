"""Incidents in the terminal."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from rich.table import Table

STYLES: Final = {"detected": "bold red", "acknowledged": "red", "mitigated": "yellow", "recovered": "green"}


def duration(seconds: float | None) -> str:
    """Return a duration for people.

    >>> duration(None), duration(245), duration(100_000)
    ('-', '0:04:05', '1 day, 3:46:40')
    """
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


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
            *(duration(item["seconds_to"][clock]) for clock in clocks),
            duration(item["open_seconds"]),
            style=STYLES.get(item["status"], ""),
        )
    return shown
