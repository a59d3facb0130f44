"""What would go and what went, asked and shown."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.table import Table

from schemas.sql import query
from streams.kafka.topics import KafkaUnavailableError
from streams.policy.retention import CLASSES, Retention
from streams.retention import audit, files, store, topics
from streams.retention.classes import HERE
from streams.retention.store import Going
from streams.settings import Settings
from streams.store.ask import ask_rows

MOST: Final = 1_000
_HEAD: Final = ("what", "name", "class", "older than", "how many", "the oldest of")


def planned(settings: Settings, retention: Retention, now: float) -> tuple[list[Going], str]:
    """Return what would go now, of each table, topic and folder, and why Kafka can't be asked, where it can't.

    Raises
    ------
    StoreUnavailableError
        Where the store does not answer.
    """

    def ask(text: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return ask_rows(settings, text, parameters)

    found = [going for _, going in store.plan(ask, retention, now)]
    found += [*files.plan(settings, retention, now), *audit.plan(settings, retention, now)]
    try:
        return [*found, *topics.plan(settings, retention, now)], ""
    except KafkaUnavailableError as error:
        return found, f"topics are left out: {error}"


def went(settings: Settings) -> list[dict[str, Any]]:
    """Return what went, newest first."""
    return ask_rows(settings, query(HERE, "shown"), {"most": MOST})


def periods(retention: Retention) -> str:
    """Return in a line for how long each class is kept."""
    held = f"; held: {', '.join(retention.holds)}" if retention.holds else ""
    return ", ".join(f"{each} {getattr(retention, each)}" for each in CLASSES) + held


def plan_table(found: Sequence[Going]) -> Table:
    """Return what would go as a table, of which what is empty is left out."""
    shown = Table(*_HEAD)
    for each in found:
        if each.gone:
            shown.add_row(each.kind, each.name, each.of, _day(each.before), str(each.gone), _day(each.oldest))
    return shown


def went_table(found: Sequence[dict[str, Any]]) -> Table:
    """Return what went as a table."""
    shown = Table("when", *_HEAD)
    for row in found:
        oldest = str(row["oldest"] or "")[:10]
        shown.add_row(*(str(row[name]) for name in ("ran_at", "kind", "name", "class")), str(row["before"])[:10],
                      str(row["gone"]), oldest)  # fmt: skip
    return shown


def _day(seconds: int | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
