"""KPIs over a period, for the terminal and as JSON."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich.table import Table

from dashboards.registry import SERVICE_OBJECTIVE
from schemas.sql import query
from streams.kpis.registry import KPIS, Kpi
from streams.settings import Settings
from streams.store.ask import Parameters, ask_rows
from streams.text import shares

QUERY: Final = query("streams.kpis", "show")
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}
_ORDER: Final = {kpi.name: index for index, kpi in enumerate(KPIS)}

Row = dict[str, Any]


def begin(text: str, now: datetime) -> datetime:
    """Return the full hour at which a period begins that ends now.

    Parameters
    ----------
    text
        A span back from `now` (``36h``, ``7d``, ``2w``) or a time in ISO 8601, UTC unless it says otherwise.

    Raises
    ------
    ValueError
        Where it is neither, or not in the past.

    >>> begin("7d", datetime(2026, 3, 9, 12, 30, tzinfo=UTC)).isoformat()
    '2026-03-02T12:00:00+00:00'
    """
    try:
        if text[-1:] in _UNITS and text[:-1].isdigit():
            started = now - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        else:
            given = datetime.fromisoformat(text)
            started = given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"--since is a span like 36h or 7d, or a time like 2026-03-02T08:00, not {text!r}") from None
    if started >= now:
        raise ValueError(f"--since {text} is not in the past")
    return started.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Period:
    """What is asked for: from when to when, and of which service; all of them where it is empty.

    `until` is also the moment as of which labels are known.
    """

    since: datetime
    until: datetime
    service: str = ""

    def parameters(self) -> Parameters:
        """Return the parameters of a query over the period."""
        since, until = (f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for moment in (self.since, self.until))
        step = int((self.until - self.since).total_seconds()) + 1
        return {
            "since": since, "until": until, "step": str(step), "objective": str(SERVICE_OBJECTIVE),
            "service": self.service,
        }  # fmt: skip


def period_rows(settings: Settings, period: Period) -> list[Row]:
    """Return each KPI of each service over a period, in the order of the registry.

    Shares are of the counts of the whole period, never means of the shares of hours.
    """
    rows = [row for row in ask_rows(settings, QUERY, period.parameters()) if row["kpi"] in _ORDER]
    return sorted(rows, key=lambda row: (row["service_name"], _ORDER[row["kpi"]], row["part"]))


def table(rows: Iterable[Row], title: str) -> Table:
    """Return KPIs as a table; what can't be trusted says why."""
    shown = Table(title=title, expand=False)
    for name in ("service", "KPI", "value", "95 % interval", "n", "trust"):
        shown.add_column(name, overflow="fold", justify="right" if name in ("value", "95 % interval", "n") else "left")
    kpis = {kpi.name: kpi for kpi in KPIS}
    for row in rows:
        kpi = kpis[row["kpi"]]
        form = FORMS[kpi.unit]
        trusted = row["trust"] == "trusted"
        shown.add_row(
            row["service_name"] or "all",
            label(kpi, row["part"]),
            form(row["value"]) if row["value"] is not None else shares.NOT_KNOWN,
            interval(row, form),
            str(int(row["n"])),
            "ok" if trusted else f"untrusted: {row['trust_reason']}",
            style="" if trusted else "yellow",
        )
    return shown


def label(kpi: Kpi, part: str) -> str:
    """Return the title of a KPI with its part."""
    return f"{kpi.title} ({part})" if part else kpi.title


def interval(row: Row, form: Callable[[float], str]) -> str:
    """Return the interval of a row; nothing where it has none, which a value that is not known says already."""
    return shares.interval(row["lower"], row["upper"], form, nothing="")


def seconds_text(seconds: float) -> str:
    """Return a time as people say it.

    >>> seconds_text(42), seconds_text(5400), seconds_text(200_000)
    ('42 s', '1.5 h', '2.3 d')
    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:z.0f} s"


FORMS: Final[dict[str, Callable[[float], str]]] = {
    "share": lambda value: shares.percent(value, space=" "),
    "count": lambda value: f"{value:z.0f}",
    "seconds": seconds_text,
    "milliseconds": lambda value: f"{value:z.0f} ms",
    "ratio": lambda value: f"{value:z.2f}",
    "kappa": lambda value: f"{value:z.2f}",
}
"""How values of each unit are written."""
