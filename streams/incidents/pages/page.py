"""The page of one incident: what, since when, how sure, what changed, who is affected, which clock runs, the runbook.

One file that needs no network, to be read at night, kept with the incident and sent to others.
"""

from rich.table import Table
from rich.text import Text

from streams.incidents.pages.view import IncidentView, clock_text, clocks, facts, headline, share
from streams.pages.plots import Mark, plot
from streams.pages.render import render as fill
from streams.text.shares import interval
from streams.text.times import utc


def render(view: IncidentView) -> str:
    """Return the page of an incident as HTML."""
    marks = moments(view)
    return fill(
        "incident",
        view=view,
        headline=headline(view),
        facts=list(facts(view)),
        clocks=clocks(view),
        marks=marks,
        plots=[(series, plot(series.points, marks)) for series in view.series],
        clock_text=clock_text,
        share=share,
        interval=interval,
    )


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
    if view.spread is not None and view.spread.tree:
        shown.add_section()
        shown.add_row("a trace of it", Text("\n".join((view.spread.trace_id, *view.spread.tree)), no_wrap=True))
    return shown


def moments(view: IncidentView) -> list[Mark]:
    """Return what is marked in the plots: onset, each transition, and nothing twice."""
    onset = [Mark(view.clocks.onset, "onset")] if view.clocks.onset is not None else []
    return sorted({*onset, *(Mark(step.at, step.transition) for step in view.steps)})
