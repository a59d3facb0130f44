"""Who asked what of an application: an entry for each request, with the template of its route, and never its body."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.access.roles import route_of
from streams.audit.recorder import Recorder

SIGN_IN: Final = "POST /console/sign-in"
RETURN: Final = "GET /console/sign-in/return"
"""The way back from an OpenID provider; whoever is signed in by it has a name then."""
SIGN_OUT: Final = "POST /console/sign-out"
EXPORTS: Final = frozenset({"GET /audit", "GET /console/incidents.csv"})
UNNAMED: Final = "(token of the installation)"
_REFUSED: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.TOO_MANY_REQUESTS}
)


class Recorded:
    """ASGI middleware around a whole application; what it refuses before any route is written down too.

    Parameters
    ----------
    door
        What the application is called in the log.
    refusals
        Write down nothing but refusals, where requests are too many to keep them all.
    """

    def __init__(self, app: ASGIApp, recorder: Recorder, door: str, *, refusals: bool = False) -> None:
        self._app: Final = app
        self._recorder: Final = recorder
        self._door: Final = door
        self._refusals: Final = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and write it down when it is over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, code, state = time.monotonic(), 0, scope.setdefault("state", {})

        async def sent(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            self._write(scope, state, code, round(1_000 * (time.monotonic() - began)))

    def _write(self, scope: Scope, state: Mapping[str, Any], code: int, milliseconds: int) -> None:
        route = route_of(scope) or f"{scope['method'][:16]} (no route)"  # a path of no route may hold anything
        if state.get("unwritten") or (self._refusals and code not in _REFUSED):
            return
        principal, client = state.get("principal"), scope.get("client")
        self._recorder.record(
            _kind(route, code, known=principal is not None),
            stranger=principal is None,
            door=self._door,
            who=state.get("who", "") or ("" if principal is None else principal.name or UNNAMED),
            token="" if principal is None else principal.token_id,
            claimed=str(state.get("claimed", "")),
            why=str(state.get("why", "")),
            lost=state.get("lost") or "",
            route=route,
            about=[f"{name}={value}" for name, value in sorted((scope.get("path_params") or {}).items())],
            address=client[0] if client else "",
            status=code,
            milliseconds=milliseconds,
        )


def _kind(route: str, code: int, *, known: bool) -> str:
    """Return what a request was, in the words of the log.

    >>> _kind(SIGN_IN, 303, known=True), _kind(SIGN_IN, 403, known=False), _kind(RETURN, 200, known=True)
    ('sign_in', 'sign_in_failed', 'sign_in')
    >>> _kind(SIGN_OUT, 303, known=True), _kind("GET /a", 401, known=False), _kind("GET /audit", 200, known=True)
    ('sign_out', 'refused', 'export')
    """
    if route in (SIGN_IN, RETURN):
        return "sign_in" if known and code < HTTPStatus.BAD_REQUEST else "sign_in_failed"
    if code in _REFUSED:
        return "refused"
    if route == SIGN_OUT:
        return "sign_out"
    return "export" if route in EXPORTS else "access"
