"""What takes two persons: what waits for another, to agree to or to refuse, and what became of the rest."""

import json
import time
from typing import Final

from fastapi import APIRouter, Request, status
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from streams.access.roles import may
from streams.api.approvals import Decision, decide, requests_seen
from streams.api.approvals import shown as as_shown
from streams.console.asking import Store, held
from streams.console.pages.deeds import SOURCE
from streams.console.session import Form, Who, shown
from streams.incidents.approvals.acts import ROUTES
from streams.incidents.approvals.fold import ALONE_WORDS, person
from streams.incidents.worker import Incidents

MOST: Final = 50
HERE: Final = "/console/approvals"
WORDS: Final[dict[Decision, str]] = {
    "approve": "Approved. It is carried out now, as it was asked for.",
    "refuse": "Refused. Nothing is done.",
    "break-glass": "You did it alone. Everybody who is told of incidents is told of that.",
}


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the page and its forms."""
    routes = APIRouter()

    @routes.get("/approvals")
    async def page(request: Request, who: Who) -> Response:
        return await _page(work, request, who, said=request.session.pop("approval", ""))

    @routes.post("/approvals/{request_id}/{decision}")
    async def say(request: Request, who: Who, fields: Form, request_id: str, decision: Decision) -> Response:
        reason = fields.get("reason", "").strip()[:2_000]
        try:
            counts = await decide(work, request_id, decision, request.state.principal, reason, SOURCE)
        except HTTPException as error:
            if error.status_code != status.HTTP_409_CONFLICT:
                raise
            return await _page(work, request, who, refused=f"Nothing was done: {error.detail}.")
        request.session["approval"] = WORDS[decision] if counts else "It is written down, and counts in a moment."
        return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)

    return routes


async def _page(work: Incidents, request: Request, who: str, *, said: str = "", refused: str = "") -> Response:
    await held(work)
    principal, now = request.state.principal, time.time_ns()
    found = [as_shown(each, now) for each in requests_seen(work)]
    for each in found:
        each["text"] = json.dumps(each["content"], indent=2, ensure_ascii=False)
        each["mine"] = bool(principal.name) and person(principal.name) == person(each["asked_by"])
        each["may"] = bool(principal.name) and may(principal.roles, ROUTES[each["act"]])
    return shown(
        request, "approvals", status.HTTP_409_CONFLICT if refused else status.HTTP_200_OK, said=said, refused=refused,
        waiting=[each for each in found if each["state"] == "pending"], named=bool(principal.name),
        over=[each for each in found if each["state"] != "pending"][:MOST], wanted=work.policy.two_persons,
        words=ALONE_WORDS,
    )  # fmt: skip
