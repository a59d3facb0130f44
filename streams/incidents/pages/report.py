"""One report over a period: its incidents with their clocks, the figures with their trust, and the rates."""

from msgspec import Struct

from streams.incidents.pages.view import IncidentView, clock_text, clocks
from streams.kpis.show import Line
from streams.pages.plots import Point, plot
from streams.pages.render import render
from streams.text.shares import NOT_KNOWN


class Report(Struct, frozen=True, kw_only=True):
    """What the report shows; `rates` are the points of `rate_name` of each service, times are Unix nanoseconds."""

    title: str
    since: int
    until: int
    incidents: list[IncidentView]
    kpis: list[Line]
    rates: dict[str, list[Point]]
    rate_name: str = "Unsafe rate"


def render_report(report: Report) -> str:
    """Return the report as one HTML page that needs no network."""
    return render(
        "report",
        report=report,
        plots=[(service, plot(points, [], spans(report, service))) for service, points in report.rates.items()],
        clock_names=("detected", "acknowledged", "mitigated", "recovered", "closed"),
        clocks=clocks,
        clock_text=clock_text,
        not_known=NOT_KNOWN,
    )


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
