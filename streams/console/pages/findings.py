"""Tickets to go through in bulk, which of them are muted, and how the promise of few false ones was kept."""

import time
from datetime import UTC, datetime
from typing import Any, Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request, status
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from schemas.fields import NANO
from schemas.triage import Decision, Triage
from streams.api.approvals import second_person
from streams.api.triage import Said, publish, records
from streams.console.asking import Store, held, newest, stream_now
from streams.console.pages.deeds import SOURCE
from streams.console.session import Form, Who, shown
from streams.findings.tickets import BUDGET_QUERY, MUTES_QUERY, TICKETS_QUERY, kept
from streams.incidents.worker import Incidents
from streams.store.ask import Parameters, ask_running
from streams.text.durations import span
from streams.text.times import second

LINES: Final = 50
"""Tickets of a page; as many are judged at once at most."""
STATES: Final = {"open": "not judged", "judged": "judged", "muted": "muted", "all": "all"}
HERE: Final = "/console/findings"
SILENCES: Final = {"1h": "an hour", "8h": "8 hours", "24h": "a day", "7d": "a week", "30d": "30 days"}


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the page and its forms."""
    routes, policy = APIRouter(), work.policy

    @routes.get("/findings")
    async def page(
        request: Request, who: Who, state: str = "open", service: str = "", metric: str = "", page: int = 1
    ) -> Response:
        incident_log, asked = await held(work), {"state": state, "service": service, "metric": metric}
        now = stream_now(incident_log, await newest(store))
        page = min(max(page, 1), 1_000_000)
        found = await store.ask(**_loaders(store, asked, now, page))
        rows = found["tickets"]
        total = int(rows[0]["total"]) if rows else 0
        promised = {"page": policy.budget.pages_per_day, "ticket": policy.budget.tickets_per_day}
        return shown(
            request, "findings", tickets=rows, total=total, mutes=found["mutes"], asked=asked, states=STATES,
            budget=None if found["budget"] is None else list(kept(found["budget"], promised)), page=page,
            pages=max(-(-total // LINES), 1), address=urlencode(asked), silences=SILENCES, span=span, now=now,
            said=request.session.pop("triage", ""), nano=NANO,
        )  # fmt: skip

    @routes.post("/findings")
    async def say(request: Request, who: Who, fields: Form) -> Response:
        now = stream_now(await held(work), await newest(store))
        made = _said(fields, who, now)
        waiting = await second_person(
            work.approvals, request.state.principal, "mute_severe", made, fields.get("reason", ""), SOURCE
        )
        if waiting is None:
            await publish(work.settings, work.publisher, made)
        words = {"mute": "Muted", "unmute": "No longer muted"}
        said = words.get(fields["decision"], f"{len(made)} called {fields['decision']}")
        shows = f"{said}. It shows as soon as history has stored it."
        waits = "To mute these takes two persons: it waits under Approvals for another to agree."
        request.session["triage"] = waits if waiting else shows
        return RedirectResponse(f"{HERE}?{fields.get('back', '')[:500]}", status.HTTP_303_SEE_OTHER)

    return routes


def _loaders(store: Store, asked: dict[str, str], now: int, page: int) -> dict[str, Any]:
    moment = second(datetime.fromtimestamp(now // NANO, UTC))
    which: Parameters = {**asked, "now": moment, "most": LINES, "after": (page - 1) * LINES}
    return {
        "tickets": lambda: ask_running(store.settings, TICKETS_QUERY, which),
        "mutes": lambda: ask_running(store.settings, MUTES_QUERY, {"now": moment}),
        "budget": lambda: ask_running(store.settings, BUDGET_QUERY, {}),
    }


def _said(fields: dict[str, str], who: str, now: int) -> list[Triage]:
    """Return what a form says as records."""
    if fields.get("decision") not in get_args(Decision):
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "That cannot be said of a ticket.")
    chosen = [
        {"finding_id": name.removeprefix("ticket."), "service_name": service}
        for name, service in fields.items()
        if name.startswith("ticket.")
    ]
    given = {name: fields.get(name, "") for name in ("decision", "service_name", "metric", "for", "reason")}
    try:
        said = Said.model_validate(given | {"actor": who, "tickets": chosen})
        return records(said, SOURCE, time.time_ns(), now)
    except ValidationError:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "A field of the form is too long.") from None
    except ValueError as error:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, f"{error}.") from None
