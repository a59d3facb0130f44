"""Who looks: signing in with a token, and forms that only this session can send."""

import hmac
import re
import secrets
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Depends, HTTPException, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from streams.access.entry import admit
from streams.access.principals import Principal, Principals
from streams.access.roles import may
from streams.pages.render import render

log: Final = structlog.get_logger()

MOST_FIELDS: Final = 100
NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,256}")


class NotSignedInError(Exception):
    """A page that only people who are signed in may see."""


def session_key(token: str) -> str:
    """Return the key that signs sessions: another for each token of the API, so that a new token ends them all."""
    return hmac.digest(token.encode(), b"watchkeeper console session", "sha256").hex()


async def signed_in(request: Request) -> str:
    """Return who is signed in.

    Raises
    ------
    NotSignedInError
        Where nobody is.
    HTTPException
        403 where their roles are not those of the page.
    """
    principal = _signed_in(request)
    request.state.who = str(request.session["who"])
    admit(request, principal)
    return str(request.state.who)


def _signed_in(request: Request) -> Principal:
    """Return who is signed in, as long as the token that was given is valid."""
    key = request.session.get("key")
    if not request.session.get("who") or key is None:
        raise NotSignedInError
    principals: Principals = request.app.state.principals
    found = principals.by_id(key) if key else Principal("", ("admin",))
    if found is None:
        request.session.clear()
        raise NotSignedInError
    return found


async def sent(request: Request) -> dict[str, str]:
    """Return the fields of a form that this session was given.

    Raises
    ------
    NotSignedInError
        Where nobody is signed in.
    HTTPException
        403 where the form was not given to this session, 422 where it cannot be read.
    """
    await signed_in(request)
    return await _fields(request)


Who = Annotated[str, Depends(signed_in)]
Form = Annotated[dict[str, str], Depends(sent)]


def shown(request: Request, template: str, code: int = status.HTTP_200_OK, **values: Any) -> Response:
    """Return a page for whoever is signed in."""
    roles = request.state.principal.roles if hasattr(request.state, "principal") else ()
    page = {"who": request.session.get("who", ""), "csrf": _csrf(request), "here": template, "roles": roles}
    page |= {"may": lambda route: may(roles, route)} | values
    return HTMLResponse(render(template, "streams.console", **page), code)


def router(principals: Principals) -> APIRouter:
    """Return the pages for signing in and out."""
    routes = APIRouter()

    @routes.get("/sign-in")
    async def form(request: Request, next: str = "") -> Response:  # noqa: A002
        return shown(request, "sign_in", next=_own(next), wrong="", name="")

    @routes.post("/sign-in")
    async def enter(request: Request) -> Response:
        fields = await _fields(request)
        name, following = fields.get("name", "").strip(), _own(fields.get("next", ""))
        principal = principals.of(fields.get("token", "").strip())
        wrong = _wrong(principal, name)
        if wrong or principal is None:
            request.state.claimed = "" if principals.of(name) else name  # some give the token for the name
            log.warning("somebody could not sign in", name=name[:64])
            return shown(request, "sign_in", status.HTTP_403_FORBIDDEN, next=following, wrong=wrong, name=name)
        request.session.clear()
        request.session.update({"who": principal.name or name, "key": principal.token_id})
        request.state.principal, request.state.who = principal, principal.name or name
        return RedirectResponse(following, status.HTTP_303_SEE_OTHER)

    @routes.post("/sign-out")
    async def leave(request: Request, fields: Form) -> Response:
        request.session.clear()
        return RedirectResponse("/console/sign-in", status.HTTP_303_SEE_OTHER)

    return routes


def _wrong(principal: Principal | None, name: str) -> str:
    """Return why somebody is not let in; empty where they are."""
    if principal is None:
        return "That is not the token of this installation, nor a valid one of anybody."
    if principal.roles == ("service",):
        return "That is the token of a machine; people sign in with their own."
    named = principal.name or NAME.fullmatch(name)
    return "" if named else "Say who you are: what you do here is written down under that name."


async def _fields(request: Request) -> dict[str, str]:
    try:
        fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "The form cannot be read.") from None
    given, known = fields.get("csrf", ""), str(request.session.get("csrf", ""))
    if not known or not secrets.compare_digest(given.encode(), known.encode()):
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, "This form is not of your session, so nothing was done. Load the page again."
        )
    return fields


def _csrf(request: Request) -> str:
    if "csrf" not in request.session:
        request.session["csrf"] = secrets.token_urlsafe(24)
    return str(request.session["csrf"])


def _own(target: str) -> str:
    r"""Return where to go on to, if it is a page of the console; else its first page.

    >>> _own("/console/review?x=1"), _own("https://a.example/console/"), _own("/console/\\a"), _own("//a/console/")
    ('/console/review?x=1', '/console/', '/console/', '/console/')
    """
    mine = re.fullmatch(r"/console/[^\\\x00-\x20\x7f]*", target)
    return target if mine and not target.startswith("/console/sign-in") else "/console/"
