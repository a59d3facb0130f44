"""Who changed what: changes, canaries, controls, the policies in force, and what people did."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from schemas.fields import NANO
from schemas.sql import query
from streams.access.roles import may
from streams.access.teams import seen
from streams.audit.log import AuditLog, of
from streams.audit.reading import last
from streams.console.asking import Store, held, newest, stream_now
from streams.console.kept import DAYS, USUAL, known_days
from streams.console.pages.now import changes
from streams.console.session import Who, shown
from streams.findings.canaries import CANARIES_QUERY, LOOKS_QUERY, REQUESTS_QUERY, standing
from streams.incidents.worker import Incidents
from streams.store.ask import Parameters, ask_running
from streams.text.times import second

MOST: Final = 50
CONTROLS: Final = query("streams.console", "controls")
POLICIES: Final = query("streams.console", "policies")
AUDIT: Final = query("streams.console", "audit")
LOG: Final = "GET /audit"
ORDINARY: Final = frozenset({"access", "evidence", "action", "change", "control", "label", "triage"})
"""Kinds of entries that are not shown: the ordinary ones, and what the table of deeds has."""


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the page."""
    routes, settings, log = APIRouter(), work.settings, of(work.settings)

    @routes.get("/changes")
    async def page(request: Request, who: Who, days: str = USUAL, service: str = "") -> Response:
        incident_log = await held(work)
        now = stream_now(incident_log, await newest(store))
        until = datetime.fromtimestamp(now // NANO, UTC)
        since = until - timedelta(days=int(known_days(days)))
        asked: Parameters = {"since": second(since), "service": service, "most": MOST}
        found = await store.ask(
            changes=lambda: changes(settings, since, until, service, MOST),
            controls=lambda: ask_running(settings, CONTROLS, asked | {"now": second(until)}),
            policies=lambda: ask_running(settings, POLICIES, {"service": service}),
            audit=lambda: ask_running(settings, AUDIT, asked),
            canaries=lambda: [ask_running(settings, each, {}) for each in _CANARIES],
        )
        shows_log = may(request.state.principal.roles, LOG) and seen() is None  # it speaks of all services
        entries = await asyncio.to_thread(_seen, log) if shows_log else None
        return shown(request, "changes", days=days, spans=DAYS, service=service, found=found, since=since, seen=entries,
                     log=LOG, canaries=_standing(found["canaries"], service), budget=work.policy.budget)  # fmt: skip

    return routes


_CANARIES: Final = (CANARIES_QUERY, LOOKS_QUERY, REQUESTS_QUERY)


def _seen(log: AuditLog) -> list[dict[str, Any]] | None:
    try:
        return last(log, MOST, without=ORDINARY)
    except OSError:
        return None


def _standing(rows: list[list[dict[str, Any]]] | None, service: str) -> list[Any] | None:
    if rows is None:
        return None
    return [each for each in standing(*rows) if service in ("", each.service)]
