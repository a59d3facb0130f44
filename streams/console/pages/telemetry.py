"""What arrives and what is wrong with it: the view of `watchkeeper status` and `watchkeeper doctor`."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from schemas.fields import NANO
from schemas.sql import query
from streams.console.asking import Store, held, newest, stream_now
from streams.console.session import Who, shown
from streams.incidents.worker import Incidents
from streams.intake.doctor import complaints, look_at_store
from streams.intake.status import status_of
from streams.kpis.period import Period
from streams.store.ask import ask_running
from streams.text.durations import span

LINES: Final = 40
"""Lines of a table; what is worst comes first."""
LAGS: Final = query("streams.console", "lags")


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the page."""
    routes, settings = APIRouter(), work.settings

    @routes.get("/telemetry")
    async def page(request: Request, who: Who, service: str = "") -> Response:
        incident_log = await held(work)
        heard = await newest(store)
        until = datetime.fromtimestamp(stream_now(incident_log, heard) // NANO, UTC) + timedelta(seconds=1)
        asked = Period(until - timedelta(days=1), until, service)
        loaders: dict[str, Any] = {
            "status": lambda: status_of(settings, asked),
            "complaints": lambda: complaints(look_at_store(settings)),
            "lags": lambda: ask_running(settings, LAGS, {}),
        }
        found = dict.fromkeys(loaders) if heard is None else await store.study(**loaders)
        said = [each for each in found["complaints"] or [] if service in ("", each.service)]
        return shown(
            request, "telemetry", service=service, period=asked, found=found, complaints=said, most=LINES, span=span,
            silent=found["status"] is None,
        )  # fmt: skip

    return routes
