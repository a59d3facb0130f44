"""A page about the KPIs that needs nothing but a browser: every hour drawn, with its interval and its trust."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from schemas.fields import NANO
from schemas.kpis import BY_ID
from schemas.kpis.kpi import Kpi
from schemas.sql import query
from streams.kpis.period import Period
from streams.kpis.show import Row, line
from streams.pages.plots import Point, plot
from streams.pages.render import render
from streams.settings import Settings
from streams.store.ask import ask_rows

DRAWN: Final = (
    "unsafe_served", "unsafe_attempted", "mitigation", "over_refusal", "injection_flag", "leak_events",
    "guard_coverage", "fail_open", "risk_adjusted_uptime", "error_budget",
)  # fmt: skip
"""The KPIs that have something to say each hour."""

HOUR_NANO: Final = 3_600 * NANO


def hourly_rows(settings: Settings, period: Period, drawn: Sequence[str] = DRAWN) -> list[Row]:
    """Return the KPIs that are drawn, by the hour, from the views that count them and no other."""
    views = dict.fromkeys(BY_ID[kpi].view for kpi in drawn)
    counted = tuple((view, *(kpi for kpi in drawn if BY_ID[kpi].view == view)) for view in views)
    asked = query("streams.kpis", "hourly", counted=counted)
    return ask_rows(settings, asked, period.parameters() | {"drawn": list(drawn)})


def page(totals: Sequence[Row], hours: Sequence[Row], title: str) -> str:
    """Return the page.

    Parameters
    ----------
    totals
        KPIs over the period, as `streams.kpis.show.period_rows` gives them.
    hours
        As `hourly_rows` gives them.
    """
    services = []
    for name, lines in groupby(map(line, totals), key=lambda each: each.service):
        mine = [row for row in hours if row["service_name"] == name]
        charts = [
            {"title": BY_ID[kpi].title, "svg": chart(BY_ID[kpi], list(rows))}
            for kpi, rows in groupby(mine, key=lambda row: str(row["kpi"]))
        ]
        services.append({"name": name, "lines": list(lines), "charts": charts})
    return render("kpis", title=title, services=services)


def chart(kpi: Kpi, rows: Sequence[Row]) -> str:
    """Return an SVG of hourly values, their intervals as a band, untrusted hours shaded."""
    drawn = points(rows)
    return plot(drawn, spans=untrusted(drawn, rows), percent=kpi.unit == "share")


def untrusted(drawn: Sequence[Point], rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Return the hours that are not trusted, from when to when."""
    return [(each.at, each.at + HOUR_NANO) for each, row in zip(drawn, rows, strict=True) if row["trust"] != "trusted"]


def points(rows: Sequence[Row]) -> list[Point]:
    """Return hours as the points of a plot; what is not known is a gap in it.

    >>> points([{"at": 1_772_409_600, "value": 0.1, "lower": 0.0, "upper": None}])[0].rate
    0.1
    """
    return [Point(int(row["at"]) * NANO, row["value"], row["lower"], row["upper"]) for row in rows]
