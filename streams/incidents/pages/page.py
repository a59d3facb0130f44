"""The page of one incident: what, since when, how sure, what changed, who is affected, which clock runs, the runbook.

One file that needs no network, to be read at night, kept with the incident and sent to others.
"""

from functools import cache, partial

import jinja2
from rich.table import Table
from rich.text import Text

from streams.incidents.notify.bodies import templates, utc
from streams.incidents.pages.plots import Mark, rate_plot
from streams.incidents.pages.view import IncidentView, clock_text, clocks, facts, headline, share
from streams.text.shares import NOT_KNOWN, figures, interval


def render(view: IncidentView) -> str:
    """Return the page of an incident as HTML."""
    marks = moments(view)
    plots = [(series, rate_plot(series.points, marks)) for series in view.series]
    return pages().get_template("incident.html.j2").render(
        view=view, headline=headline(view), facts=list(facts(view)), clocks=clocks(view), marks=marks, plots=plots
    )  # fmt: skip


def table(view: IncidentView) -> Table:
    """Return the first lines of the page for the terminal."""
    shown = Table(show_header=False, title=Text(view.incident_id), expand=False)
    shown.add_column(style="dim", no_wrap=True)
    shown.add_column(overflow="fold")
    for fact in facts(view):
        shown.add_row(fact.name, Text(fact.text, style="bold red" if fact.text.endswith("LATE") else ""))
    shown.add_section()
    for clock in clocks(view):
        shown.add_row(f"to be {clock.name}", Text(clock_text(clock), style="red" if clock.late else ""))
    shown.add_section()
    for step in view.steps:
        shown.add_row(utc(step.at), Text(" ".join(filter(None, (step.transition, step.by, step.reason)))))
    return shown


def moments(view: IncidentView) -> list[Mark]:
    """Return what is marked in the plots: onset, each transition, and nothing twice."""
    onset = [Mark(view.clocks.onset, "onset")] if view.clocks.onset is not None else []
    return sorted({*onset, *(Mark(step.at, step.transition) for step in view.steps)})


@cache
def pages() -> jinja2.Environment:
    """Return the templates with what the pages need beside what the notifications need."""
    environment = templates().overlay()
    environment.filters = {
        **environment.filters, "utc": utc, "share": share, "clock_text": clock_text, "clocks": clocks, "figure": figure,
        "figure_interval": partial(interval, form=figure, nothing=""), "share_interval": partial(interval, form=share),
    }  # fmt: skip
    environment.tests = {**environment.tests, "web": lambda text: text.startswith(("https://", "http://"))}
    return environment


def figure(value: float | str | None) -> str:
    """Return a figure of a table; None is not known, and never 0; a text is as it should be read.

    >>> figure(None), figure(0.034567), figure(120000)
    ('not known', '0.03457', '120,000')
    """
    if value is None:
        return NOT_KNOWN
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else figures(value, 4)
