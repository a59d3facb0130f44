"""The HTTP API: incidents and what is done about them, for people, chat tools and pipelines.

An action is checked against the incident as it is now, published, and answered for once the fold has taken it; what
it then came to is in the answer. Sending the same `action_id` again changes nothing.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
import structlog
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, status
from fastapi.responses import HTMLResponse, JSONResponse, Response
from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field

from schemas.identity import identity
from schemas.incidents import ActionKind, IncidentAction, Mitigation
from schemas.topics import ACTIONS
from schemas.wire import InvalidRecordError, decoder, encode
from streams.access.callers import Callers
from streams.access.entry import authorised, check_routes, speaker
from streams.access.limits.bursts import BURSTS
from streams.access.limits.door import Limits
from streams.access.principals import Principals
from streams.access.proxy.hops import Behind, Hops
from streams.access.proxy.people import Proxied
from streams.access.teams import sees
from streams.api import audit
from streams.api.alerts import AlertError, actions, read_notice
from streams.api.middleware import RequestLimits
from streams.api.seen import evidence_seen, incidents_seen, known, portrayed
from streams.health.metrics import FAILED, TURNED_AWAY
from streams.identifiers.guard import guard_of
from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.moves import IllegalActionError, UnknownIncidentError
from streams.incidents.fold.state import OVER
from streams.incidents.fold.views import full, shown_evidence, summary
from streams.incidents.pages.corrections import corrections, seen_of
from streams.incidents.pages.page import render
from streams.incidents.pages.portrait import course
from streams.incidents.pages.view import IncidentView
from streams.incidents.worker import Incidents
from streams.kafka.publisher import Message
from streams.store.client import StoreUnavailableError

log: Final = structlog.get_logger()

FOLDED_SECONDS: Final = 5.0
"""How long an answer waits for the worker to take in what was said."""
WRITTEN_DOWN: Final = "it is written down and will count as soon as the worker gets to it"
MAX_BODY_BYTES: Final = 2_097_152
"""The most alerts that one notice may hold, with what Prometheus writes about each, and as much again."""

SAID: Final = (
    "incident_id", "action", "actor_kind", "actor_id", "reason", "mitigation_kind", "into_incident_id",
    "assignee_id", "about",
)  # fmt: skip
"""What a repeat of an action says again; its time is that of its first arrival, unless it is said."""

_check: Final = decoder(IncidentAction)


class ActionBody(BaseModel):
    """What is said with an action. Who has a token with a name is the actor, whatever `actor` says."""

    model_config = ConfigDict(extra="forbid")

    actor: Annotated[str, Field(max_length=256)] = ""
    actor_kind: Literal["human", "automation"] = "human"
    reason: Annotated[str | None, Field(max_length=2048)] = None
    happened_at_unix_nano: int | None = None
    action_id: Annotated[str | None, Field(min_length=1, max_length=256)] = None
    mitigation_kind: Mitigation | None = None
    into_incident_id: str | None = None
    assignee_id: Annotated[str | None, Field(max_length=256)] = None
    about: Annotated[str | None, Field(max_length=256)] = None


def api(work: Incidents, *more: APIRouter) -> FastAPI:
    """Return the application; every path but its description wants a token with a role of the path."""
    app = FastAPI(
        title="Watchkeeper", summary="Incidents, changes, controls and reviews", docs_url=None, redoc_url=None
    )
    app.state.teams, app.state.limits = work.policy.teams, Limits(work.settings, _wrong_token)
    app.state.proxied = Proxied(work.settings)
    entry = Depends(authorised(Principals(work.settings)))
    for router in (incidents_router(work), alerts_router(work), audit.router(work.settings), *more):
        app.include_router(router, dependencies=[entry])
    check_routes(app)
    app.add_exception_handler(UnknownIncidentError, _answer(status.HTTP_404_NOT_FOUND))
    app.add_exception_handler(IllegalActionError, _answer(status.HTTP_409_CONFLICT))
    app.add_exception_handler(StoreUnavailableError, _answer(status.HTTP_503_SERVICE_UNAVAILABLE))
    app.add_exception_handler(ValueError, _answer(status.HTTP_422_UNPROCESSABLE_CONTENT))
    app.add_middleware(RequestLimits, most_bytes=MAX_BODY_BYTES, callers=Callers(work.settings, links=True))
    app.add_middleware(Behind, hops=Hops(work.settings))
    return app


def _wrong_token(address: str, name: str, *, fresh: bool) -> None:
    FAILED.labels("api").inc()
    if fresh:
        BURSTS.note("api", address, name)


def _answer(code: int) -> Any:
    async def handler(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, code)

    return handler


def incidents_router(work: Incidents) -> APIRouter:
    """Return the paths of incidents."""
    router = APIRouter(prefix="/incidents", tags=["incidents"])

    @router.get("")
    async def listed(state: str = "all", service: str | None = None) -> dict[str, Any]:
        """List incidents; `state` is all, open, or one state."""
        incident_log = await _incident_log(work)
        now = incident_log.clock.now(time.time_ns())
        found = [summary(each, now) for each in incidents_seen(incident_log) if service in (None, *each.services)]
        kept = [each for each in found if state in ("all", each["status"]) or (state == "open" and _open(each))]
        return {"incidents": kept}

    @router.get("/{incident_id}")
    async def shown(incident_id: str) -> dict[str, Any]:
        """Show everything that is known of an incident."""
        return await _shown(work, incident_id)

    @router.get("/{incident_id}/view")
    async def viewed(incident_id: str) -> Response:
        """Return what the page of an incident shows, as JSON."""
        return Response(msgspec.json.encode(await _view(work, incident_id)), media_type="application/json")

    @router.get("/{incident_id}/page")
    async def paged(incident_id: str) -> HTMLResponse:
        """Return the page of an incident, one file that needs no network."""
        return HTMLResponse(await asyncio.to_thread(render, await _view(work, incident_id)))

    _actions(router, work)
    return router


def _actions(router: APIRouter, work: Incidents) -> None:
    @router.post("/{incident_id}/{action}")
    async def act(
        request: Request, incident_id: str, action: ActionKind, body: ActionBody, response: Response
    ) -> dict[str, Any]:
        """Do something about an incident; 202 where it is written down and does not count yet."""
        principal = request.state.principal
        kind = principal.kind if principal.name else body.actor_kind
        spoken = body.model_copy(update={"actor": speaker(request, body.actor), "actor_kind": kind})
        said, counts = await perform(work, incident_id, action, spoken)
        if not counts:
            response.status_code = status.HTTP_202_ACCEPTED
            return {"action_id": said.event_id, "detail": WRITTEN_DOWN}
        return {"action_id": said.event_id} | await _shown(work, incident_id)


async def perform(
    work: Incidents, incident_id: str, action: ActionKind, body: ActionBody
) -> tuple[IncidentAction, bool]:
    """Write down what is said of an incident, and tell whether it counts already; a repeat changes nothing.

    Raises
    ------
    IllegalActionError, UnknownIncidentError
        Where the incident as it is now does not allow it.
    HTTPException
        503 where this worker does not hold the incidents, 422 where the contract refuses it.
    """
    incident_log = await _incident_log(work)
    for each in (incident_id, body.into_incident_id):
        if each is not None:
            known(incident_log, each)
    said = guard_of(work.settings).clean(_action(incident_log, incident_id, action, body))
    if (earlier := incident_log.folding.earlier(said)) is not None:
        _same(said, earlier, body)
        return said, True
    incident_log.folding.check(said)
    return said, await _taken_in(work, [said])


def _same(said: IncidentAction, earlier: Any, body: ActionBody) -> None:
    """Raise `IllegalActionError` where an id was used before for something else."""
    told = SAID if body.happened_at_unix_nano is None else (*SAID, "happened_at_unix_nano")
    if other := [name for name in told if getattr(said, name) != getattr(earlier, name)]:
        known_as = f"{earlier.action} on {earlier.incident_id}" if sees(earlier.service_name) else "something else"
        raise IllegalActionError(
            f"action_id {said.event_id} was used for {known_as}, with another {', '.join(other)}; nothing was done: "
            "each action wants an id of its own"
        )


def alerts_router(work: Incidents) -> APIRouter:
    """Return the path that Grafana and Alertmanager notify."""
    router = APIRouter(tags=["alerts"])
    on_their_way: set[str] = set()

    @router.post("/alerts")
    async def notified(request: Request, response: Response) -> dict[str, Any]:
        """Take a notice, and tell the incidents that its alerts are about; 202 as for an action."""
        incident_log = await _incident_log(work)
        wall = time.time_ns()
        said, refused = actions(
            read_notice(await request.body()), incident_log.folding.about, wall, incident_log.clock.now(wall)
        )
        if refused:
            TURNED_AWAY.labels("alert", status.HTTP_422_UNPROCESSABLE_CONTENT).inc(len(refused))
            log.warning("alerts were refused", taken=len(said), why=refused[:10])
        if refused and not said:
            raise AlertError("; ".join(refused[:10]))
        fresh = [each for each in said if each.event_id not in on_their_way and not incident_log.folding.knows(each)]
        names = {each.event_id for each in fresh}
        on_their_way.update(names)  # two Alertmanagers tell at the same moment
        try:
            if fresh and not await _taken_in(work, fresh):
                response.status_code = status.HTTP_202_ACCEPTED
        finally:
            on_their_way.difference_update(names)
        return {"alerts": len(said), "new": len(fresh), "refused": refused}

    return router


async def _taken_in(work: Incidents, said: Sequence[IncidentAction]) -> bool:
    """Write down what was said, and tell whether the fold has it already."""
    topic, clean = work.settings.topic(ACTIONS.name), guard_of(work.settings).clean
    await work.publisher.publish(Message(topic, encode(clean(each)), each.incident_id.encode()) for each in said)
    return await work.folded(said[-1], FOLDED_SECONDS)


async def _shown(work: Incidents, incident_id: str) -> dict[str, Any]:
    incident_log = await _incident_log(work)
    found = known(incident_log, incident_id)
    evidence = [shown_evidence(each) for each in evidence_seen(work, incident_log, found)]
    return full(found, incident_log.clock.now(time.time_ns())) | {"evidence": evidence}


def _open(shown: dict[str, Any]) -> bool:
    return shown["status"] not in OVER


async def _view(work: Incidents, incident_id: str) -> IncidentView:
    incident_log = await _incident_log(work)
    incident = known(incident_log, incident_id)
    view = portrayed(work, incident_log, incident)
    baseline = next((each.baseline for each in view.findings if each.baseline is not None), None)
    series = await asyncio.to_thread(course, work.settings, incident, baseline, view.now)
    seen = await asyncio.to_thread(seen_of, work.settings, incident)
    return replace(view, series=series, corrections=list(corrections(incident, seen)))


async def _incident_log(work: Incidents) -> IncidentLog:
    incident_log = await work.incident_log()
    if incident_log is None:
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "another worker holds the incidents, or it starts")
    return incident_log


def _action(incident_log: IncidentLog, incident_id: str, action: ActionKind, body: ActionBody) -> IncidentAction:
    """Return what was said as a record, by the contract.

    An action on an incident of a replayed week happens in the time of that week.
    """
    found, wall = incident_log.folding.fold.incidents.get(incident_id), time.time_ns()
    said = IncidentAction(
        event_id=body.action_id or identity(incident_id, action, body.actor, wall),
        source="watchkeeper/api",
        time_unix_nano=wall,
        service_name=found.service if found else "unknown",
        incident_id=incident_id,
        action=action,
        actor_kind=body.actor_kind,
        actor_id=body.actor,
        happened_at_unix_nano=body.happened_at_unix_nano or incident_log.clock.now(wall),
        reason=body.reason,
        mitigation_kind=body.mitigation_kind,
        into_incident_id=body.into_incident_id,
        assignee_id=body.assignee_id,
        about=body.about,
    )
    if said.happened_at_unix_nano is not None and said.happened_at_unix_nano > wall:
        raise IllegalActionError("happened_at_unix_nano lies in the future; check clock and unit (nanoseconds)")
    try:
        _check(encode(said), wall)
    except InvalidRecordError as error:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(error)) from None
    return said
