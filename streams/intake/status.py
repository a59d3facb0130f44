"""What arrives, in one screen: each service's newest event, what was refused, and codes that nobody knows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

from schemas.sql import query
from streams.kpis.period import Period
from streams.settings import Settings
from streams.store.ask import ask_rows

MOST: Final = 15
"""Lines of a table; what is most comes first."""

Row = dict[str, Any]
Columns = dict[str, str]

_TITLES: Final[dict[str, tuple[str, Columns]]] = {
    "services": (
        "services",
        {"service_name": "service", "last_event": "last event", "events": "events", "calls": "calls",
         "verdicts_alone": "verdicts alone", "orphans": "orphans", "lost": "lost", "refused": "refused",
         "unknown_codes": "unknown codes", "trust_reason": "not trusted for"},
    ),
    "refused": (
        "refused records (dead letters)",
        {"origin_topic": "topic", "service_name": "service", "source": "source", "why": "reason", "records": "records",
         "first_seen": "since", "last_seen": "latest", "last_detail": "the latest of them"},
    ),
    "codes": (
        "codes and words that the contract does not know",
        {"field": "where", "code": "code", "service_name": "service", "sources": "sources", "guards": "guards",
         "times": "times", "known_since": "since", "last_seen": "latest"},
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """What arrived in a period; rows as the views have them, the worst first."""

    services: list[Row]
    refused: list[Row]
    codes: list[Row]


def status_of(settings: Settings, period: Period) -> Status:
    """Return what arrived in a period."""
    asked = {name: period.parameters()[name] for name in ("since", "until", "service")}
    return Status(*(ask_rows(settings, query("streams.intake", name), asked) for name in _TITLES))


def tables(status: Status) -> Iterator[Table]:
    """Yield the tables of a screen; one that would be empty is left out."""
    for name, (title, columns) in _TITLES.items():
        rows: list[Row] = getattr(status, name)
        if not rows:
            continue
        more = len(rows) - MOST
        shown = Table(title=f"{title}, {more} more" if more > 0 else title, expand=False)
        for heading in columns.values():
            shown.add_column(heading, overflow="fold")
        for row in rows[:MOST]:
            shown.add_row(*(_cell(row[column]) for column in columns), style="yellow" if _bad(row) else "")
        yield shown


def _cell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _bad(row: Row) -> bool:
    return bool(row.get("trust_reason"))
