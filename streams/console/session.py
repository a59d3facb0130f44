"""Who looks: signing in with the token of the API, and forms that only this session can send."""

import hmac
import re
import secrets
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, HTTPException, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from streams.pages.render import render

MOST_FIELDS: Final = 100
NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,256}")


class NotSignedInError(Exception):
    """A page that only people who are signed in may see."""


def session_key(token: str) -> str:
    """Return the key that signs sessions: another for each token of the API, so that a new token ends them all."""
    return hmac.digest(token.encode(), b"watchkeeper console session", "sha256").hex()


def signed_in(request: Request) -> str:
    """Return who is signed in.

    Raises
    ------
    NotSignedInError
        Where nobody is.
    """
    who = request.session.get("who")
    if not who:
        raise NotSignedInError
    return str(who)


async def sent(request: Request) -> dict[str, str]:
    """Return the fields of a form that this session was given.

    Raises
    ------
    NotSignedInError
        Where nobody is signed in.
    HTTPException
        403 where the form was not given to this session, 422 where it cannot be read.
    """
    signed_in(request)
    return await _fields(request)


Who = Annotated[str, Depends(signed_in)]
Form = Annotated[dict[str, str], Depends(sent)]


def shown(request: Request, template: str, code: int = status.HTTP_200_OK, **values: Any) -> Response:
    """Return a page for whoever is signed in."""
    page = {"who": request.session.get("who", ""), "csrf": _csrf(request), "here": template} | values
    return HTMLResponse(render(template, "streams.console", **page), code)


def router(token: str) -> APIRouter:
    """Return the pages for signing in and out."""
    routes = APIRouter()

    @routes.get("/sign-in")
    async def form(request: Request, next: str = "") -> Response:  # noqa: A002
        return shown(request, "sign_in", next=_own(next), wrong="", name="")

    @routes.post("/sign-in")
    async def enter(request: Request) -> Response:
        fields = await _fields(request)
        name, following = fields.get("name", "").strip(), _own(fields.get("next", ""))
        wrong = "" if NAME.fullmatch(name) else "Say who you are: what you do here is written down under that name."
        if not secrets.compare_digest(fields.get("token", "").strip().encode(), token.encode()):
            wrong = "That is not the token of this installation."
        if wrong:
            return shown(request, "sign_in", status.HTTP_403_FORBIDDEN, next=following, wrong=wrong, name=name)
        request.session.clear()
        request.session["who"] = name
        return RedirectResponse(following, status.HTTP_303_SEE_OTHER)

    @routes.post("/sign-out")
    async def leave(request: Request, fields: Form) -> Response:
        request.session.clear()
        return RedirectResponse("/console/sign-in", status.HTTP_303_SEE_OTHER)

    return routes


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
