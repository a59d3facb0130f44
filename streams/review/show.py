"""What labels say of guards, as people read it."""

from typing import Any, Final

from rich.table import Table

from streams.review.stats import interval as estimate_of
from streams.text.shares import NOT_KNOWN, interval, percent

_ANY: Final = {"guard_name": "all guards", "layer": "all layers", "hazard": "anything harmful"}


def estimated(estimate: dict[str, float] | None) -> str:
    """Return an estimate with its interval in words.

    >>> estimated({"value": 0.5, "lower": 0.2, "upper": 0.8})
    '50.00% (20.00% to 80.00%)'
    """
    if estimate is None:
        return NOT_KNOWN
    return f"{percent(estimate['value'])} ({interval(estimate['lower'], estimate['upper'])})"


def guards_table(services: dict[str, Any]) -> Table:
    """Return precision, recall and what was missed, for each guard and hazard of each service."""
    shown = Table(title="Guards held against what people saw", expand=False)
    for name in ("service", "guard", "layer", "hazard", "labels", "precision", "recall", "missed"):
        shown.add_column(name, overflow="fold")
    for service, told in services.items():
        for row in told["guards"]:
            if row["precision"] is None and row["recall"] is None:
                continue
            named = [row[name] or other for name, other in _ANY.items()]
            missed = f"{row['missed']:.0f} ({row['missed_lower']:.0f} to {row['missed_upper']:.0f})"
            ratios = [estimated(estimate_of(row, name)) for name in ("precision", "recall")]
            shown.add_row(service, *named, str(row["labels"]), *ratios, missed)
    return shown
