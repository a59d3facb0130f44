"""A service over time, and the KPIs of all: as people read them, grouped by what they answer."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from schemas.fields import NANO
from schemas.kpis import BY_ID, people, reliability, safety
from schemas.kpis.kpi import Kpi
from streams.api.seen import incidents_seen
from streams.console.asking import Store, held, newest, stream_now
from streams.console.kept import DAYS, USUAL, Kept, known_days, last, rows
from streams.console.pages.now import changes
from streams.console.session import Who, shown
from streams.console.states import age, is_open, on_it, what
from streams.incidents.fold.state import Incident
from streams.incidents.worker import Incidents
from streams.kpis.page import hourly_rows, points, untrusted
from streams.kpis.show import FORMS, Line, line
from streams.pages.places import Bar, Moment, Rate, bar, rate
from streams.text.durations import span
from streams.text.shares import percent

DRAWN: Final = ("unsafe_served", "unsafe_attempted", "injection_flag", "over_refusal", "guard_coverage")
"""What is drawn of a service, by the hour."""
CHANGES: Final = 20
SERVICES: Final = 40
"""Services of a KPI that are listed; more are found by their name."""
GROUPS: Final = (
    ("What do models do, and what do guards stop?", safety.KPIS),
    ("Is it there, fast, whole, and within its budget?", reliability.KPIS),
    ("Do people answer, and what do they say?", people.KPIS),
)


class Drawn(Struct, frozen=True):
    """One KPI of a service over time."""

    kpi: Kpi
    plot: Rate | None
    newest: str


class Entry(Struct, frozen=True):
    """One KPI of one service in words, with its interval as a bar where it is a share."""

    line: Line
    bar: Bar | None
    missed: bool


class Answer(Struct, frozen=True):
    """One KPI: what it says, what is wanted of it, and its value for each service."""

    kpi: Kpi
    wanted: str
    entries: list[Entry]


def router(work: Incidents, store: Store, kept: Kept) -> APIRouter:
    """Return both pages."""
    routes, settings = APIRouter(), work.settings

    @routes.get("/services/{name:path}")
    async def service(request: Request, who: Who, name: str, days: str = USUAL) -> Response:
        incident_log, days = await held(work), known_days(days)
        heard = await newest(store)
        asked = last(stream_now(incident_log, heard), int(days), name)
        found = await (_nothing if heard is None else store.study)(
            hours=lambda: hourly_rows(settings, asked, DRAWN),
            changes=lambda: changes(settings, asked.since, asked.until, name, CHANGES),
        )
        known = await kept.known(days)
        mine = [each for each in incidents_seen(incident_log) if name in each.services]
        mine.sort(key=lambda each: (not is_open(each), -each.clocks.detected))
        return shown(
            request, "service", here="now", name=name, days=days, spans=DAYS, found=found, period=asked,
            incidents=mine[:10], now=int(asked.until.timestamp()) * NANO, on_it=on_it, what=what, age=age,
            drawn=list(drawn(found["hours"] or [], marks(mine, found["changes"] or []))),
            known=known, answers=list(answers(rows(known, name))), percent=percent, span=span,
        )  # fmt: skip

    @routes.get("/kpis")
    async def kpis(request: Request, who: Who, days: str = USUAL, service: str = "") -> Response:
        await held(work)
        days = known_days(days)
        known = await kept.known(days)
        found = rows(known, service)
        return shown(
            request, "kpis", days=days, spans=DAYS, service=service, known=known, found=found, most=SERVICES,
            span=span, groups=[(asks, list(answers(found, kpis))) for asks, kpis in GROUPS],
        )  # fmt: skip

    return routes


async def _nothing(**loaders: Any) -> dict[str, Any]:
    """Ask nothing of a store that does not answer."""
    return dict.fromkeys(loaders)


def drawn(hours: Sequence[dict[str, Any]], moments: Sequence[Moment]) -> Iterator[Drawn]:
    """Yield each KPI with its plot, hours that are not trusted shaded."""
    for name, found in groupby(hours, key=lambda row: str(row["kpi"])):
        rows, kpi = list(found), BY_ID[name]
        course = points(rows)
        if any(each.rate is not None for each in course):
            last = next(each.rate for each in reversed(course) if each.rate is not None)
            yield Drawn(kpi, rate(course, moments, kpi.objective, untrusted(course, rows)), FORMS[kpi.unit](last))


def marks(incidents: Sequence[Incident], changed: Sequence[dict[str, Any]]) -> list[Moment]:
    """Return what is marked on the plots of a service: where incidents began and recovered, and what changed."""
    found = [
        Moment(int(row["at"]), f"{row['subject_type']} {row['to_version'] or row['action']}", "change")
        for row in changed
    ]
    for each in incidents:
        found.append(Moment(each.clocks.onset or each.clocks.detected, each.family.replace("_", " "), "bad"))
        if each.clocks.recovered is not None:
            found.append(Moment(each.clocks.recovered, "recovered", "good"))
    return found


def answers(rows: Sequence[dict[str, Any]], kpis: Sequence[Kpi] = tuple(BY_ID.values())) -> Iterator[Answer]:
    """Yield KPIs in the order of the registry, each with its services: those that miss what is wanted come first."""
    for kpi in kpis:
        entries = sorted((_entry(kpi, row) for row in rows if row["kpi"] == kpi.id), key=_urgency)
        wanted = "" if kpi.objective is None else FORMS[kpi.unit](kpi.objective)
        sense = "at most" if kpi.better == "lower" else "at least"
        yield Answer(kpi, f"{sense} {wanted}" if wanted else "", entries)


def _entry(kpi: Kpi, row: dict[str, Any]) -> Entry:
    value, lower, upper = row["value"], row["lower"], row["upper"]
    drawn_as = None
    if kpi.unit == "share" and value is not None and lower is not None and upper is not None and lower >= 0:
        drawn_as = bar(value, lower, upper, kpi.objective)
    missed = value is not None and kpi.objective is not None and kpi.sign * (value - kpi.objective) > 0
    return Entry(line(row), drawn_as, missed)


def _urgency(entry: Entry) -> tuple[bool, bool, str]:
    return not entry.missed, entry.line.trusted, entry.line.service
