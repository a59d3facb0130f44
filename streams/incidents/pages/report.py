"""One report over a period: its incidents with their clocks, the figures with their trust, and the rates."""

from typing import Any

from msgspec import Struct

from streams.incidents.pages.page import pages
from streams.incidents.pages.plots import rate_plot
from streams.incidents.pages.view import IncidentView, Point
from streams.text.shares import NOT_KNOWN


class Report(Struct, frozen=True, kw_only=True):
    """What the report shows.

    `kpis` are rows with kpi, service, value, lower, upper, n, trust and trust_reason; a value that is not known is
    None. `rates` are the points of `rate_name` of each service. Times are Unix nanoseconds.
    """

    title: str
    since: int
    until: int
    incidents: list[IncidentView]
    kpis: list[dict[str, Any]]
    rates: dict[str, list[Point]]
    rate_name: str = "Unsafe rate"


def render_report(report: Report) -> str:
    """Return the report as one HTML page that needs no network."""
    plots = [(service, rate_plot(points, [], spans(report, service))) for service, points in report.rates.items()]
    names = ("detected", "acknowledged", "mitigated", "recovered", "closed")
    return pages().get_template("report.html.j2").render(
        report=report, plots=plots, clock_names=names, not_known=NOT_KNOWN
    )  # fmt: skip


def spans(report: Report, service: str) -> list[tuple[int, int]]:
    """Return from when to when a service had incidents, within the period of the report."""
    found = []
    for view in report.incidents:
        times = view.clocks
        start = times.onset if times.onset is not None else times.detected
        if view.service == service and start is not None:
            end = next((at for at in (times.recovered, times.closed) if at is not None), report.until)
            found.append((max(start, report.since), min(end, report.until)))
    return [(start, end) for start, end in found if start < end]
