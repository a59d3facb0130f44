"""Tickets as people go through them, which of them are muted, and how the promise of few false ones was kept."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct

from schemas.sql import query

TICKETS_QUERY: Final = query("streams.findings", "tickets")
MUTES_QUERY: Final = query("streams.findings", "mutes")
BUDGET_QUERY: Final = query("streams.findings", "budget")
"""A finding is judged by what was said of its ticket, else when the incident that it opened or joined is closed."""


class Kept(Struct, frozen=True):
    """What was promised a day of pages or tickets, beside what was raised a day and what became of it."""

    severity: str
    promised: float
    raised_a_day: float
    false_a_day: float
    raised: int
    real: int
    false: int
    over: int

    @property
    def not_judged(self) -> int:
        """How many nobody has judged yet."""
        return self.raised - self.real - self.false


def kept(rows: Iterable[dict[str, Any]], promised: dict[str, float]) -> Iterator[Kept]:
    """Yield how the budget was kept, for pages and for tickets.

    Parameters
    ----------
    rows
        Of `BUDGET_QUERY`.
    promised
        False ones a day, by severity.
    """
    for row in rows:
        raised, false, real = (int(row[name]) for name in ("raised", "false_ones", "real_ones"))
        days = float(row["days"])
        name = str(row["severity"])
        yield Kept(name, promised[name], raised / days, false / days, raised, real, false, int(row["over"]))
