"""The page of an incident and the report: every fact is there, nothing is fetched, nothing is injected."""

import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from streams.incidents.pages.page import moments, render, table
from streams.incidents.pages.report import Report, render_report, spans
from streams.incidents.pages.view import (
    ChangeView,
    ClockTimes,
    FindingView,
    IncidentView,
    Series,
    TimelineEntry,
    clocks,
    running_clock,
)
from streams.kpis.show import Line, line
from streams.pages.plots import Point
from tests.support.incidents.records import HOUR, NANO, START
from tests.support.waiting import PATIENCE_SECONDS

MINUTE = 60 * NANO
RUNBOOK = "https://example.org/runbooks/helpdesk?a=1&b=2"


class Read(HTMLParser):
    """What a browser would make of a page: its texts, its tags, and what it would fetch or link to."""

    def __init__(self, page):
        super().__init__()
        self.text, self.tags, self.links, self.handlers = "", set(), set(), set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action", "data", "srcset"):
                self.links.add(value)
            if name.startswith("on"):
                self.handlers.add(name)

    def handle_data(self, data):
        self.text += data

    def outside(self):
        """Return the links that leave the page."""
        return {link for link in self.links if not link.startswith("#")}


def course(count=48):
    """Return a rate that rises."""
    rates = [0.01 + 0.03 * (i > 20) + 0.003 * math.sin(i) for i in range(count)]
    return [
        Point(START + i * 15 * MINUTE, rate if i % 9 else None, rate * 0.7, rate * 1.3, 0.012)
        for i, rate in enumerate(rates)
    ]


def view(**others):
    """Return an incident that is being looked at."""
    at = START + 6 * HOUR * NANO
    finding = FindingView(
        at=at, severity="page", kind="rate", metric="leak", evidence="leak 3.1 % since 07:40", rate=0.031, lower=0.024,
        upper=0.0385, baseline=0.01, e_value=52_000.0, promise=43_200.0, sql="SELECT count() FROM inferences",
    )  # fmt: skip
    known = {
        "incident_id": "inc-0123", "service": "helpdesk-eu", "family": "leak", "severity": "sev1",
        "status": "acknowledged", "now": at + 90 * MINUTE, "runbook": RUNBOOK, "owner": "team-support", "users": 12,
        "sessions": 31, "reached_user": True, "mitigate_by": at + 60 * MINUTE, "onset_method": "estimated",
        "clocks": ClockTimes(onset=at - 20 * MINUTE, detected=at, acknowledged=at + 4 * MINUTE),
        "steps": [TimelineEntry("detected", at, "rates"),
                  TimelineEntry("acknowledged", at + 4 * MINUTE, "kim", "looking")],
        "findings": [finding], "changes": [ChangeView(at - 25 * MINUTE, "model gpt-4o to gpt-5", "ci", suspected=True)],
        "series": [Series("leak", course())], "evidence": '{"events": 3}', "evidence_missing": ["samples"],
    }  # fmt: skip
    return IncidentView(**{**known, **others})


def report(**others):
    """Return a report of two incidents."""
    rows = [
        line({"kpi": "unsafe_served", "axis": "", "part": "",
              "service_name": "helpdesk-eu", "value": 0.0213, "lower": 0.018,
              "upper": 0.025, "n": 12_000, "trust": "trusted", "trust_reason": ""}),
        line({"kpi": "guard_coverage", "axis": "", "part": "",
              "service_name": "helpdesk-us", "value": None, "lower": None,
              "upper": None, "n": 0, "trust": "untrusted", "trust_reason": "no events"}),
    ]  # fmt: skip
    known = {
        "title": "A week of safety", "since": START, "until": START + 12 * HOUR * NANO, "kpis": rows,
        "incidents": [view(scripted=True), view(incident_id="inc-4", service="helpdesk-us", clocks=ClockTimes())],
        "rates": {"helpdesk-eu": course(), "helpdesk-us": []},
    }  # fmt: skip
    return Report(**{**known, **others})


def test_the_page_says_everything_and_fetches_nothing():
    """What, since when, how sure, what changed, who, the clock, the runbook, a plot; and no address but the runbook."""
    page = render(view())
    read = Read(page)
    for text in (
        "SEV1 leak incident on helpdesk-eu: acknowledged", "2026-02-02 08:20:00 UTC", "1 h 50 min ago", "estimated",
        "leak 3.1 % (95 % interval 2.4 % to 3.85 %), normal is at most 1 %", "evidence 5.2e+04, needed 4.32e+04",
        "model gpt-4o to gpt-5 at 2026-02-02 08:15:00 UTC (suspected)", "12 users, 31 sessions, reached users",
        "not mitigated for 1 h 30 min, LATE", "team-support", "20 min 0 s", "kim", "looking", '{"events": 3}',
        "missing: samples", "SELECT count() FROM inferences", "inc-0123",
    ):  # fmt: skip
        assert text in read.text, text
    assert read.outside() == {RUNBOOK}
    assert "svg" in read.tags
    assert not read.tags & {"script", "link", "img", "iframe"}
    assert "prefers-color-scheme: dark" in page
    labels = re.findall(r"<text[^>]*>", page)
    assert labels
    assert all("currentColor" in label for label in labels)
    assert page == render(view())


def test_what_is_read_first_comes_first():
    """The facts stand in the order of the questions, above everything else."""
    text = Read(render(view())).text
    order = [text.index(word) for word in ("what\n", "since\n", "how sure\n", "what changed\n", "clock\n", "Clocks")]
    assert order == sorted(order)


def test_what_is_not_known_says_so():
    """An incident of which nothing is known has a page, without a zero in it."""
    bare = IncidentView(
        incident_id="i", service="a", family="leak", severity="sev4", status="detected", now=START, clocks=ClockTimes()
    )
    text = Read(render(bare)).text
    assert text.count("not known") >= 3
    assert "no change is on record" in text
    assert "none is agreed for this service; watchkeeper runbook leak" in text
    assert "0 users" not in text


def test_clocks_run_until_they_are_stopped():
    """A state that was passed over never ran; an open one runs; a closed incident has none that runs."""
    at = START
    by_itself = ClockTimes(detected=at, recovered=at + 60 * NANO)
    found = {one.name: one for one in clocks(view(clocks=by_itself, now=at + 90 * NANO, status="recovered"))}
    assert (found["detected"].seconds, found["mitigated"].seconds, found["recovered"].seconds) == (None, None, 60)
    assert (found["mitigated"].running, found["closed"].running, found["closed"].seconds) == (False, True, 90)
    done = view(clocks=ClockTimes(detected=at, closed=at + 60 * NANO), status="closed")
    assert not any(one.running for one in clocks(done))
    assert running_clock(done) == "none; closed"


def test_the_terminal_says_the_same():
    """The table holds the first lines of the page, and markup in a name stays text."""
    console = Console(width=160, record=True, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    console.print(table(view(service="[red]x[/]")))
    text = console.export_text()
    console.file.close()
    for part in ("[red]x[/]", "not mitigated for 1 h 30 min, LATE", RUNBOOK, "2026-02-02 08:40:00 UTC"):
        assert part in text


def test_the_report_has_incidents_figures_and_rates():
    """Clocks, values with intervals and trust, the script's badge, a plot for each service; no address at all."""
    read = Read(render_report(report()))
    for text in (
        "A week of safety", "2 incidents", "leak on helpdesk-eu", "scripted on-call engineer", "20 min 0 s",
        "Unsafe output served", "2.13 %", "1.80 % to 2.50 %", "12,000", "not known", "untrusted: no events",
    ):  # fmt: skip
        assert text in read.text, text
    assert "not known to" not in read.text
    assert read.outside() == set()
    assert render_report(report()).count("<svg") == 2
    assert "scripted" not in render_report(report(incidents=[view()]))


def test_incidents_are_shaded_within_the_period():
    """From the onset to the recovery, cut to the period; an open one until its end; other services' are not."""
    whole = report()
    assert spans(whole, "helpdesk-eu") == [(START + (6 * HOUR - 1200) * NANO, whole.until)]
    assert spans(whole, "helpdesk-us") == []
    early = view(clocks=ClockTimes(onset=START - HOUR * NANO, recovered=START + HOUR * NANO))
    assert spans(report(incidents=[early]), "helpdesk-eu") == [(START, START + HOUR * NANO)]
    assert moments(view())[0].text == "onset"


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=a()>', "{{ 7*7 }}", "javascript:alert(1)", "]]>", "$x_$",
           "</title><svg onload=a()>", "http://evil.example/", "<!--", "&lt;b&gt;"]  # fmt: skip
names = st.sampled_from(HOSTILE) | st.text(max_size=20)
plain = Read(render(view(findings=[], series=[])))
calm = Read(render_report(report()))


@given(st.lists(names, min_size=9, max_size=9))
@settings(max_examples=60)
def test_no_name_becomes_markup(drawn):
    """Whatever names hold, a page has the tags and the links of one with harmless names, and shows them as text."""
    a, b, c, d, e, f, g, h, i = drawn
    hostile = view(
        incident_id=a, service=b, family=c, owner=d, runbook=f"javascript:{e}", evidence=f, evidence_missing=[g],
        steps=[TimelineEntry(h, START, a, b)], changes=[ChangeView(START, i, c)], series=[], onset_method=d,
        findings=[FindingView(at=START, severity=a, kind=b, metric=c, evidence=d, sql=e)],
    )  # fmt: skip
    read = Read(render(hostile))
    assert read.tags <= plain.tags | {"span", "strong", "p", "details", "summary", "pre"}
    assert not read.handlers
    assert read.outside() == set()
    for text in drawn:
        assert same(text) in same(read.text)


@given(names, names)
@settings(max_examples=10)
def test_no_name_becomes_markup_in_the_report(name, reason):
    """The same for the report, whose plots show no name at all."""
    lines = [Line(name, name, name, reason, reason, 1, trusted=False, trust=reason, about=name)]
    read = Read(render_report(report(title=name, kpis=lines, rates={name: []})))
    assert read.tags <= calm.tags
    assert not read.handlers
    assert read.outside() == set()
    assert same(name) in same(read.text)


def same(text):
    """Return a text without what HTML does to line ends and spaces."""
    return "".join(text.split())


def test_matplotlib_comes_late_and_takes_nothing_from_the_user(tmp_path):
    """Importing the page does not import it; a plot needs no display and leaves home and its files alone."""
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 77\nbackend: TkAgg\n")
    code = (
        "import sys; from streams.incidents.pages import page, report; from streams.pages import plots\n"
        "assert 'matplotlib' not in sys.modules\n"
        "svg = plots.plot([], [plots.Mark(1770000000000000000, 'onset')])\n"
        "assert svg.startswith('<svg'); assert 'matplotlib.pyplot' not in sys.modules"
    )
    kept = {name: value for name, value in os.environ.items() if name not in ("MPLCONFIGDIR", "DISPLAY")}
    env = {**kept, "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}  # noqa: PTH109
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=env, timeout=PATIENCE_SECONDS)
    assert [item.name for item in tmp_path.iterdir()] == ["matplotlibrc"]
