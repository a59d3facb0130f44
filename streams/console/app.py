"""The application of the console, wired into the API."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.staticfiles import StaticFiles

from streams.access.entry import check_routes
from streams.access.principals import Principals
from streams.console import live, signing
from streams.console.asking import Store
from streams.console.kept import Kept
from streams.console.pages import (
    approvals,
    backtest,
    findings,
    governance,
    incident,
    incidents,
    now,
    review,
    service,
    telemetry,
    versions,
)
from streams.console.session import NotSignedInError, secure, session_key
from streams.incidents.fold.moves import UnknownIncidentError
from streams.incidents.worker import Companion, Incidents
from streams.pages.render import render

HOME: Final = "/console/"
PAGES: Final = (now, incidents, incident, review, findings, backtest, versions, governance, approvals)
SECONDS_SIGNED_IN: Final = 12 * 3_600
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""On every answer: nothing comes from elsewhere, nothing stands inside a page that is not the page's own."""


def add_console(app: FastAPI, work: Incidents) -> Sequence[Companion]:
    """Serve the console from the API, unless the settings say otherwise, and return what runs beside it.

    A link to the page of an incident, opened in a browser, shows the incident there.
    """
    if not work.settings.console:
        return ()
    store = Store(work.settings)
    kept = Kept(work, store)
    app.mount(HOME.rstrip("/"), console(work, store, kept, app))
    app.add_route("/", _home)
    app.add_exception_handler(401, _unauthorised)
    return (kept,)


def console(work: Incidents, store: Store, kept: Kept, around: FastAPI) -> FastAPI:
    """Return the application that is mounted under `/console` of the API, whose limits are its own too."""
    settings = work.settings
    principals = Principals(settings)
    made = FastAPI(openapi_url=None)
    made.include_router(signing.router(settings, principals))
    made.include_router(live.router(work))
    for of_kept in (service, telemetry):
        made.include_router(of_kept.router(work, store, kept))
    for part in PAGES:
        made.include_router(part.router(work, store))
    made.state.principals, made.state.teams = principals, work.policy.teams
    made.state.limits, made.state.proxied = around.state.limits, around.state.proxied
    check_routes(made, HOME.rstrip("/"))
    made.mount("/static", StaticFiles(packages=[("streams.console", "static")]))
    for kind, answer in (
        (NotSignedInError, _sign_in),
        (UnknownIncidentError, _unknown),
        (RequestValidationError, _unreadable),
        (HTTPException, _refused),
    ):
        made.add_exception_handler(kind, answer)
    made.add_middleware(
        SessionMiddleware,
        secret_key=session_key(principals.installation),
        session_cookie="watchkeeper",
        max_age=SECONDS_SIGNED_IN,
        path=HOME,
        same_site="strict",
        https_only=secure(settings),
    )
    made.middleware("http")(_guarded)
    return made


async def _guarded(request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
    answer = await following(request)
    answer.headers.update(HEADERS)
    if not request.url.path.startswith(f"{HOME}static/"):
        answer.headers["Cache-Control"] = "no-store"
    return answer


async def _home(request: Request) -> Response:
    return RedirectResponse(HOME, 303)


async def _unauthorised(request: Request, error: Any) -> Response:
    """Answer who has no token: a person with a link to an incident is shown it in the console."""
    head, _, last = request.url.path.rpartition("/")
    if request.method == "GET" and head.startswith("/incidents/") and last == "page":
        return RedirectResponse(f"{HOME}incidents/{quote(head.removeprefix('/incidents/'), safe='')}", 303)
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _sign_in(request: Request, error: Any) -> Response:
    """Send a person to the form and back.

    The cookie is not sent along where a page of another site holds the link that was followed. So such a person is
    shown a page of our own first, which follows the link again.
    """
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET":
        return _page(request, "Your session is over", "Nothing was done. Sign in and do it again.", 401)
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return HTMLResponse(render("arriving", "streams.console", here=here))
    return RedirectResponse(f"{HOME}sign-in?next={quote(here, safe='')}", 303)


async def _unknown(request: Request, error: Any) -> Response:
    return _page(request, "No such incident", str(error), 404)


async def _unreadable(request: Request, error: Any) -> Response:
    return _page(request, "That cannot be shown", "The address has a value that cannot be read.", 422)


async def _refused(request: Request, error: Any) -> Response:
    return _page(request, "That did not work", str(error.detail), error.status_code, error.headers)


def _page(request: Request, title: str, text: str, code: int, headers: Mapping[str, str] | None = None) -> Response:
    who = request.session.get("who", "") if "session" in request.scope else ""
    shown = render("message", "streams.console", title=title, text=text, here="", who=who, csrf="")
    return HTMLResponse(shown, code, headers)
