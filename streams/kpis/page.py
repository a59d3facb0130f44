"""A page about the KPIs that needs nothing but a browser: every hour drawn, with its interval and its trust."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import matplotlib as mpl
from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

from schemas.sql import query
from streams.kpis.registry import KPIS, Kpi
from streams.kpis.show import FORMS, Period, Row, interval, label
from streams.settings import Settings
from streams.store.ask import ask_rows
from streams.text.shares import NOT_KNOWN

DRAWN: Final = (
    "unsafe_served", "unsafe_attempted", "mitigation", "over_refusal", "injection_flag", "leak_events",
    "guard_coverage", "fail_open", "risk_adjusted_uptime", "error_budget",
)  # fmt: skip
"""The KPIs that have something to say each hour."""

HOURLY: Final = query("streams.kpis", "hourly")


def hourly_rows(settings: Settings, period: Period) -> list[Row]:
    """Return the KPIs that are drawn, by the hour."""
    return ask_rows(settings, HOURLY, period.parameters() | {"drawn": ",".join(DRAWN)})


def page(totals: Sequence[Row], hours: Sequence[Row], title: str) -> str:
    """Return the page.

    Parameters
    ----------
    totals
        KPIs over the period, as `streams.kpis.show.period_rows` gives them.
    hours
        As `hourly_rows` gives them.
    """
    kpis = {kpi.name: kpi for kpi in KPIS}
    services = []
    for name, rows in groupby(totals, key=lambda row: row["service_name"]):
        drawn = [
            {"title": kpis[kpi].title, "svg": chart(kpis[kpi], list(points))}
            for kpi, points in groupby(
                [row for row in hours if row["service_name"] == name], key=lambda row: str(row["kpi"])
            )
        ]
        services.append({"name": name or "all services", "rows": list(_cells(rows, kpis)), "charts": drawn})
    template = Environment(loader=PackageLoader("streams.kpis", "."), autoescape=True).get_template("page.html.jinja")
    return template.render(title=title, services=services)


def _cells(rows: Iterable[Row], kpis: dict[str, Kpi]) -> Iterable[dict[str, Any]]:
    for row in rows:
        kpi = kpis[row["kpi"]]
        form = FORMS[kpi.unit]
        yield {
            "title": label(kpi, row["part"]),
            "formula": kpi.formula,
            "bias": kpi.bias,
            "value": NOT_KNOWN if row["value"] is None else form(row["value"]),
            "interval": interval(row, form),
            "n": int(row["n"]),
            "trusted": row["trust"] == "trusted",
            "reason": row["trust_reason"],
        }


def chart(kpi: Kpi, points: Sequence[Row]) -> str:
    """Return an SVG of hourly values, their intervals as a band, untrusted hours shaded."""
    times = [datetime.fromisoformat(point["hour"]).replace(tzinfo=UTC) for point in points]
    value, lower, upper = (
        [float("nan") if point[side] is None else float(point[side]) for point in points]
        for side in ("value", "lower", "upper")
    )
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": kpi.name, "font.size": 8}):
        figure = Figure(figsize=(6.4, 1.8), layout="constrained")
        axes = figure.add_subplot()
        for time, point in zip(times, points, strict=True):
            if point["trust"] != "trusted":
                axes.axvspan(time, time + timedelta(hours=1), color="0.85", linewidth=0)  # type: ignore[arg-type]
        axes.fill_between(times, lower, upper, step="post", alpha=0.3)  # type: ignore[arg-type]
        axes.step(times, value, where="post", marker=".", markersize=2)  # type: ignore[arg-type]
        axes.set_ylabel(kpi.unit)
        axes.tick_params(axis="x", labelrotation=20)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    return text[text.index("<svg") :]
