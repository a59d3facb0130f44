"""Acts of two persons by HTTP: what waits for another, and what that other says."""

import time
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from schemas.approvals import Act, Approval, Step
from schemas.wire import InvalidRecordError
from streams.access.principals import Principal
from streams.access.roles import may, wanted
from streams.access.teams import sees
from streams.api.changes import SOURCE
from streams.incidents.approvals.acts import ROUTES, Written, in_words
from streams.incidents.approvals.approvals import Approvals
from streams.incidents.approvals.fold import Asked
from streams.incidents.fold.moves import IllegalActionError
from streams.incidents.worker import Incidents
from streams.settings import SettingsError
from streams.text.times import utc

Decision = Literal["approve", "refuse", "break-glass"]
STEPS: Final[dict[Decision, Step]] = {"approve": "approved", "refuse": "refused", "break-glass": "broken_glass"}
FOLDED_SECONDS: Final = 5.0
"""How long an answer waits for the worker to take in what was decided."""


class Word(BaseModel):
    """What is said with a decision."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Annotated[str, Field(max_length=2_000)] = ""


async def second_person(
    approvals: Approvals, principal: Principal, act: Act, records: Sequence[Written], reason: str, source: str = SOURCE
) -> Approval | None:
    """Ask for another person's word where records take it; None where they may be written at once.

    Raises
    ------
    HTTPException
        503 where this worker does not hold the logs or has no key, 409 where it may not be asked for, 422 where the
        contract refuses it.
    """
    if not approvals.named(act):
        return None
    if await approvals.held() is None:
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "another worker holds the requests, or it starts")
    if not approvals.takes_two(act, records):
        return None
    try:
        return await approvals.ask(act, records, principal, reason, source)
    except SettingsError as error:
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, str(error)) from None
    except InvalidRecordError as error:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(error)) from None
    except IllegalActionError as error:
        raise HTTPException(status.HTTP_409_CONFLICT, str(error)) from None


def waits(made: Approval) -> dict[str, str]:
    """Return the answer to who asked for what takes two persons."""
    text = f"another person has to agree until {utc(made.expires_at or 0)}: `watchkeeper approval approve"
    return {"request_id": made.request_id, "detail": f"nothing is done yet; {text} {made.request_id}`"}


async def decide(
    work: Incidents, request_id: str, decision: Decision, principal: Principal, reason: str, source: str = SOURCE
) -> bool:
    """Write down what somebody decides, and tell whether it counts already.

    Raises
    ------
    HTTPException
        403 where their roles are not those of the act, 409 where it is not possible, 422 where the contract refuses it,
        503 where another worker holds the logs.
    """
    if await work.incident_log() is None:
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "another worker holds the requests, or it starts")
    try:
        route = ROUTES[requested(work, request_id).request.act]
        if not may(principal.roles, route):
            text = f"your roles ({', '.join(principal.roles)}) do not allow this: it takes {wanted(route)}"
            raise HTTPException(status.HTTP_403_FORBIDDEN, text)
        made = await work.approvals.decide(request_id, STEPS[decision], principal, reason, source)
    except InvalidRecordError as error:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(error)) from None
    except IllegalActionError as error:
        raise HTTPException(status.HTTP_409_CONFLICT, str(error)) from None
    return await work.comes(lambda: work.approvals.requests.decided(request_id) == made.event_id, FOLDED_SECONDS)


def requests_seen(work: Incidents) -> list[Asked]:
    """Return the requests that may be seen here and now, the newest first: those about one's own services alone."""
    return [each for each in work.approvals.requests.all() if _own(each)]


def requested(work: Incidents, request_id: str) -> Asked:
    """Return a request; raises `IllegalActionError` where there is none, or it may not be seen here and now."""
    if not any(each.request.request_id == request_id for each in requests_seen(work)):
        raise IllegalActionError(f"nothing was asked for as {request_id}; `watchkeeper approval list` shows all")
    return work.approvals.requests.get(request_id)


def _own(asked: Asked) -> bool:
    return all(sees(each["service_name"]) for each in msgspec.json.decode(asked.request.content or "[]"))


def shown(asked: Asked, now: int) -> dict[str, Any]:
    """Return a request as the API and the command show it."""
    request, decided = asked.request, asked.decided
    return {
        "request_id": request.request_id, "act": request.act, "what": in_words(request), "state": asked.state(now),
        "service": request.service_name, "asked_by": request.actor_id, "asked": utc(request.time_unix_nano),
        "reason": request.reason, "expires": utc(request.expires_at or 0), "content_hash": request.content_hash,
        "content": msgspec.json.decode(request.content or "[]"),
        "decided_by": decided.actor_id if decided else None,
        "decided": utc(decided.time_unix_nano) if decided else None,
        "decision": decided.step if decided else None, "decision_reason": decided.reason if decided else None,
    }  # fmt: skip


def router(work: Incidents) -> APIRouter:
    """Return the routes; who may use them is decided by the application that includes them."""
    routes = APIRouter(prefix="/approvals", tags=["approvals"])

    @routes.get("")
    async def listed(state: str = "all") -> dict[str, Any]:
        """List what takes two persons and was asked for, the newest first; `state` is all or one state."""
        if await work.incident_log() is None:
            raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "another worker holds the requests, or it starts")
        found = [shown(each, time.time_ns()) for each in requests_seen(work)]
        return {"requests": [each for each in found if state in ("all", each["state"])]}

    @routes.post("/{request_id}/{decision}")
    async def say(
        request: Request, request_id: str, decision: Decision, body: Word, response: Response
    ) -> dict[str, Any]:
        """Approve a request of another person, refuse one, or carry out one's own alone; 202 where it counts later."""
        counts = await decide(work, request_id, decision, request.state.principal, body.reason)
        response.status_code = status.HTTP_200_OK if counts else status.HTTP_202_ACCEPTED
        return shown(requested(work, request_id), time.time_ns())

    return routes
