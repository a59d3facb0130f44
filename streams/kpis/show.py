"""KPIs over a period, as people read them."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from rich.table import Table

from schemas.kpis import BY_ID
from schemas.sql import query
from streams.kpis.period import Period
from streams.settings import Settings
from streams.store.ask import ask_rows
from streams.text import shares
from streams.text.durations import span
from streams.text.times import second

TOGETHER: Final = query("streams.kpis", "show", view="kpis")
BY_AXIS: Final = query("streams.kpis", "show", view="kpis_by_axis")
_ORDER: Final = {name: index for index, name in enumerate(BY_ID)}

Row = dict[str, Any]


class Line(Struct, frozen=True):
    """One KPI of one service in words; `about` says how it is counted and misleads."""

    service: str
    title: str
    axis: str
    value: str
    interval: str
    n: int
    trusted: bool
    trust: str
    about: str


def period_rows(settings: Settings, period: Period, *, by_axis: bool = False) -> list[Row]:
    """Return each KPI of each service over a period, in the order of the registry.

    Shares are of the counts of the whole period, never means of the shares of hours.

    Parameters
    ----------
    by_axis
        Of each axis by itself, safety or security or quality, instead of all together.
    """
    asked = BY_AXIS if by_axis else TOGETHER
    return _ordered(row for row in ask_rows(settings, asked, period.parameters()) if row["kpi"] in _ORDER)


def some_rows(settings: Settings, period: Period, kpis: Collection[str], known_at: datetime) -> list[Row]:
    """Return some KPIs as `period_rows` does, of the views that count them: the view of all takes far longer.

    Parameters
    ----------
    kpis
        Those that are counted over windows, which is all but `governance` and burn rates.
    known_at
        Labels given later are left out.
    """
    by_view: dict[str, list[str]] = {}
    for kpi in kpis:
        by_view.setdefault(BY_ID[kpi].view, []).append(kpi)  # more than one view may count it
    asked = period.parameters() | {"known": second(known_at)} | {f"of_{view}": some for view, some in by_view.items()}
    rows = ask_rows(settings, query("streams.kpis", "some", views=tuple(by_view)), asked)
    return _ordered(row | {"axis": BY_ID[row["kpi"]].axis} for row in rows)


def _ordered(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["service_name"], _ORDER[row["kpi"]], row["axis"], row["part"]))


def line(row: Row) -> Line:
    """Return a row in words: what is not known is no number, and what can't be trusted says why."""
    kpi = BY_ID[row["kpi"]]
    form = FORMS[kpi.unit]
    trusted = row["trust"] == "trusted"
    return Line(
        service=row["service_name"] or "all services",
        title=f"{kpi.title} ({row['part']})" if row["part"] else kpi.title,
        axis=row["axis"],
        value=shares.NOT_KNOWN if row["value"] is None else form(row["value"]),
        interval=shares.interval(row["lower"], row["upper"], form, nothing=""),
        n=int(row["n"]),
        trusted=trusted,
        trust="ok" if trusted else f"untrusted: {row['trust_reason']}",
        about=f"{kpi.formula}; {kpi.misleads}",
    )


def table(rows: Iterable[Row], title: str) -> Table:
    """Return KPIs as a table."""
    shown = Table(title=title, expand=False)
    for name in ("service", "KPI", "axis", "value", "95 % interval", "n", "trust"):
        shown.add_column(name, overflow="fold", justify="right" if name in ("value", "95 % interval", "n") else "left")
    for each in map(line, rows):
        cells = (each.service, each.title, each.axis, each.value, each.interval, str(each.n), each.trust)
        shown.add_row(*cells, style="" if each.trusted else "yellow")
    return shown


FORMS: Final[dict[str, Callable[[float], str]]] = {
    "share": lambda value: shares.percent(value, space=" "),
    "count": lambda value: f"{value:z.0f}",
    "seconds": span,
    "milliseconds": lambda value: f"{value:z.0f} ms",
    "ratio": lambda value: f"{value:z.2f}",
    "kappa": lambda value: f"{value:z.2f}",
}
"""How values of each unit are written."""
