"""The report over a period: incidents from the API, KPIs and rates from the store, in one HTML page."""

from datetime import datetime
from itertools import groupby
from typing import Final

import msgspec

from schemas.kpis import BY_ID
from streams.api.client import call, fetch
from streams.audit.log import at_terminal, entry, folder_of, of
from streams.audit.sealed import KIND, digest_of, with_entry
from streams.incidents.pages.report import Report, render_report
from streams.incidents.pages.view import IncidentView
from streams.kpis.page import hourly_rows, points
from streams.kpis.period import Period
from streams.kpis.show import line, period_rows
from streams.settings import Settings

DRAWN: Final = "unsafe_attempted"


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
    hours = hourly_rows(settings, period, [DRAWN])
    return render_report(
        Report(
            title="Watchkeeper report",
            since=_nano(period.since),
            until=_nano(period.until),
            incidents=views,
            kpis=[line(row) for row in period_rows(settings, period)],
            rates={name: points(list(rows)) for name, rows in groupby(hours, key=lambda row: str(row["service_name"]))},
            rate_name=BY_ID[DRAWN].title,
        )
    )


def entered(settings: Settings, page: str, period: Period) -> tuple[str, str]:
    """Enter a page in the audit log; return it with number and hash of the entry, and what went wrong, if anything."""
    if not folder_of(settings).is_dir():
        return page, f"the report is not entered in an audit log: there is none in {settings.data_dir}"
    span = [period.since.isoformat(), period.until.isoformat()]
    try:
        place = of(settings).append([at_terminal(entry(KIND, sha256=digest_of(page.encode()), about=span))])
    except OSError as error:
        return page, f"the report is not entered in the audit log: {error}"
    return with_entry(page, *place), ""


def _nano(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000) * 1_000_000
