"""The report over a period: incidents from the API, KPIs and rates from the store, in one HTML page."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import msgspec

from streams.api.client import call, fetch
from streams.incidents.pages.report import Report, render_report
from streams.incidents.pages.view import IncidentView, Point
from streams.kpis.page import hourly_rows
from streams.kpis.registry import KPIS
from streams.kpis.show import FORMS, Period, label, period_rows
from streams.settings import Settings

DRAWN: Final = "unsafe_attempted"

_KPIS: Final = {kpi.name: kpi for kpi in KPIS}


def report(settings: Settings, period: Period) -> str:
    """Return the report over a period as HTML.

    Raises
    ------
    streams.api.client.ApiError
        Where the incidents worker does not answer.
    ValueError
        Where the store does not.
    """
    listed = call(settings, "GET", "/incidents")["incidents"]
    views = [
        msgspec.json.decode(fetch(settings, "GET", f"/incidents/{each['incident_id']}/view"), type=IncidentView)
        for each in listed
        if period.since <= datetime.fromisoformat(each["detected"]) <= period.until
    ]
    hours = [row for row in hourly_rows(settings, period) if row["kpi"] == DRAWN]
    return render_report(
        Report(
            title="Watchkeeper report",
            since=_nano(period.since),
            until=_nano(period.until),
            incidents=views,
            kpis=[_shown(row) for row in period_rows(settings, period)],
            rates={name: points(list(rows)) for name, rows in groupby(hours, key=lambda row: str(row["service_name"]))},
            rate_name=_KPIS[DRAWN].title,
        )
    )


def points(rows: Sequence[dict[str, Any]]) -> list[Point]:
    """Return hours as the points of a plot; what is not known is a gap in it.

    >>> points([{"hour": "2026-03-02T00:00:00", "value": 0.1, "lower": 0.0, "upper": 0.3}])[0].rate
    0.1
    """
    return [
        Point(_nano(datetime.fromisoformat(row["hour"] + "+00:00")), row["value"], row["lower"], row["upper"])
        for row in rows
    ]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    kpi = _KPIS[row["kpi"]]
    form = FORMS[kpi.unit]
    values = {side: None if row[side] is None else form(row[side]) for side in ("value", "lower", "upper")}
    named = {"kpi": label(kpi, row["part"]), "service": row["service_name"] or "all services", "n": int(row["n"])}
    return named | values | {"trust": row["trust"], "trust_reason": row["trust_reason"]}


def _nano(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000) * 1_000_000
