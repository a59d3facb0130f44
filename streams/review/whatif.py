"""What a guard would have caught and blocked wrongly at another threshold, from stored scores and labels."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct
from rich.table import Table

from schemas.sql import query
from streams.kpis.period import Period
from streams.review.show import estimated
from streams.review.stats import interval
from streams.settings import Settings
from streams.store.ask import Parameters, ask_rows
from streams.text.times import second

THRESHOLDS: Final = (0.5, 0.6, 0.7, 0.8, 0.9)

_NOW: Final = query("streams.review", "whatif", at_threshold=False)
_THEN: Final = query("streams.review", "whatif", at_threshold=True)


class Question(Struct, frozen=True, kw_only=True):
    """Which guard and category, over which period, at which thresholds (scores from a threshold on are flagged)."""

    guard: str
    category: str
    period: Period
    thresholds: Sequence[float] = THRESHOLDS


def whatif(settings: Settings, asked: Question) -> list[dict[str, Any]]:
    """Return what the guard flagged (`threshold` None), and would have flagged at each threshold.

    `flagged` is counted over all that the guard judged. What of it was right (`caught`), wrong and `missed` is
    estimated from review labels, each with its interval; None where no label says anything.

    Raises
    ------
    ValueError
        Where the guard gave no score for the category in the period, or a threshold is below every score it gave:
        what it would have flagged there is not known.
    """
    now = ask_rows(settings, _NOW, _parameters(asked, 0.0))
    scored = [row for row in now if int(row["scored"])]
    if not scored:
        raise ValueError(
            f"guard {asked.guard!r} gave no score for {asked.category!r} {asked.period}; "
            "`watchkeeper review stats` lists what guards looked for"
        )
    lowest = min(row["lowest"] for row in scored)
    if low := [threshold for threshold in asked.thresholds if threshold < lowest]:
        raise ValueError(
            f"a threshold of {low[0]:g} is below every score that {asked.guard!r} gave, {lowest:g} and more: "
            "what it would have flagged there is not known"
        )
    rows = [row | {"threshold": None} for row in now]
    for threshold in asked.thresholds:
        rows += [row | {"threshold": threshold} for row in ask_rows(settings, _THEN, _parameters(asked, threshold))]
    return rows


def _parameters(asked: Question, threshold: float) -> Parameters:
    period = asked.period.parameters()
    return {
        **{name: period[name] for name in ("since", "until", "step", "service")},
        "guard": asked.guard,
        "category": asked.category,
        "threshold": str(threshold),
        "known": second(datetime.now(UTC)),
    }


def table(rows: list[dict[str, Any]], title: str) -> Table:
    """Return what `whatif` found as a table."""
    shown = Table(title=title, expand=False)
    for name in ("service", "layer", "threshold", "flagged", "rightly", "wrongly", "missed", "recall", "labels"):
        shown.add_column(name, overflow="fold")
    for row in rows:
        threshold = "as it was" if row["threshold"] is None else f"{row['threshold']:g}"
        numbers = [_number(row, name) for name in ("caught", "wrong", "missed")]
        flagged = f"{row['flagged']} of {row['judged']}"
        shown.add_row(
            row["service_name"], row["layer"], threshold, flagged, *numbers, estimated(interval(row, "recall")),
            str(row["labels"] or 0),
        )  # fmt: skip
    return shown


def _number(row: dict[str, Any], name: str) -> str:
    if row[name] is None or not int(row["labels"] or 0):
        return "not known"
    return f"{row[name]:.0f} ({row[f'{name}_lower']:.0f} to {row[f'{name}_upper']:.0f})"
