"""The first page: a line a service, what is open on it, and what changed today."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from schemas.fields import NANO
from schemas.kpis import BY_ID
from schemas.sql import query
from streams.api.seen import incidents_seen
from streams.console.asking import NEWEST, Store, held, stream_now
from streams.console.session import Who, shown
from streams.console.states import (
    ORDER,
    RATE,
    SILENT_SECONDS,
    WORDS,
    State,
    age,
    given_to,
    headline,
    is_open,
    on_it,
    state_of,
    what,
)
from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.state import Incident
from streams.incidents.gauges import window_rows
from streams.incidents.worker import Incidents
from streams.pages.places import Bar, Spark, bar, spark
from streams.settings import Settings
from streams.store.ask import Parameters, ask_running
from streams.text.durations import span
from streams.text.shares import NOT_KNOWN, interval, percent
from streams.text.times import second

SERVICES: Final = 50
"""Lines of a page."""
CHANGES: Final = 12
COVERAGE: Final = BY_ID["guard_coverage"]

_ROOM: Final = "streams.console"
TICKETS: Final = query(_ROOM, "tickets")
HOURS: Final = query(_ROOM, "hours")
CHANGED: Final = query(_ROOM, "changes")

Rows = list[dict[str, Any]]


class Service(Struct, frozen=True, kw_only=True):
    """One line: its state with the reason for it, and what is known of its rate."""

    name: str
    state: State
    why: str
    incidents: list[Incident]
    value: str
    interval: str
    bar: Bar | None
    coverage: str
    heard: str
    spark: Spark | None = None


class Known(Struct, frozen=True):
    """What the store and the fold say of all services; None where the store does not say it."""

    now: int
    rates: Rows | None
    coverage: Rows | None
    newest: Rows | None
    tickets: Rows | None
    incidents: Sequence[Incident]


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the page and what it links to."""
    routes = APIRouter()

    @routes.get("/")
    async def now(request: Request, who: Who, page: int = 1, q: str = "", state: str = "") -> Response:
        incident_log = await held(work)
        known = await read(store, incident_log)
        services = sorted(lines(known), key=_urgency)
        chosen = [each for each in services if q.lower() in each.name.lower() and state in ("", each.state)]
        pages = max(-(-len(chosen) // SERVICES), 1)
        page = min(max(page, 1), pages)
        here = chosen[(page - 1) * SERVICES : page * SERVICES]
        days, changes = await _drawn(store, known.now, here)
        return shown(
            request, "now", known=known, services=services, here_services=here, days=days, changes=changes,
            page=page, pages=pages, q=q, state=state, words=WORDS, on_it=on_it, given_to=given_to, what=what,
            hours=RATE.window_hours,
            waiting=[each for each in known.incidents if is_open(each)],
            headline=headline(known.incidents, [each.state for each in services], store=known.newest is not None),
            counts={each: sum(one.state == each for one in services) for each in ORDER},
            age=lambda each: age(each, known.now), objective=percent(RATE.objective or 0, 1, " "),
        )  # fmt: skip

    return routes


async def read(store: Store, incident_log: IncidentLog) -> Known:
    """Return what is known now."""
    settings = store.settings
    first = await store.ask(newest=lambda: ask_running(settings, NEWEST, {}))
    newest = first["newest"]
    now = stream_now(incident_log, max((int(row["newest"]) * NANO for row in newest), default=0) if newest else None)
    until = datetime.fromtimestamp(now // NANO, UTC)
    found: dict[str, Any] = {"rates": None, "coverage": None, "tickets": None}
    if newest is not None:
        found = await store.ask(
            rates=lambda: window_rows(settings, RATE.view, RATE.window_hours, [RATE.id], until),
            coverage=lambda: window_rows(settings, COVERAGE.view, COVERAGE.window_hours, [COVERAGE.id], until),
            tickets=lambda: ask_running(settings, TICKETS, {"until": second(until)}),
        )
    return Known(now=now, newest=newest, incidents=incidents_seen(incident_log), **found)


def lines(known: Known) -> Iterable[Service]:
    """Yield a line for each service that the store, or an open incident, knows."""
    rates, coverage, newest, tickets = (
        {str(row["service_name"]): row for row in rows or []}
        for rows in (known.rates, known.coverage, known.newest, known.tickets)
    )
    waiting: dict[str, list[Incident]] = {}
    for incident in filter(is_open, known.incidents):
        for name in incident.services:
            waiting.setdefault(name, []).append(incident)
    for name in sorted({*rates, *newest, *waiting} - {""}):
        at = newest.get(name)
        silent = max(known.now / NANO - int(at["newest"]), 0) if at else None
        yield _line(name, rates.get(name), coverage.get(name), tickets.get(name), waiting.get(name, []), silent)


def _line(
    name: str, rate: dict[str, Any] | None, coverage: dict[str, Any] | None, ticket: dict[str, Any] | None,
    incidents: list[Incident], silent: float | None,
) -> Service:  # fmt: skip
    state, why = state_of(rate, ticket, incidents, silent)
    gone = silent is not None and silent >= SILENT_SECONDS
    value = None if rate is None or gone else rate["value"]
    guarded = None if coverage is None else coverage["value"]
    return Service(
        name=name,
        state=state,
        why=why,
        incidents=incidents,
        value=NOT_KNOWN if value is None else percent(value, 2, " "),
        interval=interval(rate["lower"], rate["upper"], nothing="") if rate else "",
        bar=None if rate is None or value is None else bar(value, rate["lower"], rate["upper"], RATE.objective),
        coverage=NOT_KNOWN if guarded is None else percent(guarded, 1, " "),
        heard=NOT_KNOWN if silent is None else f"{span(silent)} ago",
    )


def _urgency(service: Service) -> tuple[int, bool, str]:
    """Return the place of a service: whoever needs a person comes first."""
    return ORDER.index(service.state), all(map(on_it, service.incidents)), service.name


async def _drawn(store: Store, now: int, services: Sequence[Service]) -> tuple[dict[str, Spark], Rows | None]:
    """Return the day of each service that is shown, and what changed in it."""
    until = datetime.fromtimestamp(now // NANO, UTC)
    names = [each.name for each in services]
    found = await store.ask(
        days=lambda: ask_running(
            store.settings, HOURS,
            {"services": names, "since": second(_hour(until) - timedelta(days=7)), "until": second(until)},
        ),
        changes=lambda: changes(store.settings, until - timedelta(days=1), until, "", CHANGES),
    )  # fmt: skip
    days = {}
    for row in found["days"] or []:
        normal = (row["low"], row["high"]) if int(row["hours"]) >= 24 else None
        days[str(row["service_name"])] = spark([value for _, value in row["day"]], normal)
    return days, found["changes"]


def changes(settings: Settings, since: datetime, until: datetime, service: str, most: int) -> Rows:
    """Return what changed in a time, the newest first; `service` empty is any."""
    asked: Parameters = {"since": second(since), "until": second(until), "service": service, "most": most}
    return ask_running(settings, CHANGED, asked)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
