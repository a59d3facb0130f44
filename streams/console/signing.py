"""Signing in and out: with a token, or at the provider of the settings."""

import re
from collections.abc import Callable
from typing import Final

import structlog
from fastapi import APIRouter, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from streams.access.principals import Principal, Principals, reserved
from streams.console.session import PROXIED, Form, Stranger, fields_of, shown
from streams.console.single import COOKIE, PATH, SingleSignOn
from streams.pages.render import render
from streams.settings import Settings

log: Final = structlog.get_logger()

NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,256}")


def router(settings: Settings, principals: Principals) -> APIRouter:
    """Return the pages for signing in and out."""
    routes, single = APIRouter(), SingleSignOn(settings, principals) if settings.oidc_issuer else None

    def page(request: Request, following: str, code: int = 200, wrong: str = "", name: str = "") -> Response:
        there = {
            "provider": settings.oidc_title if single else "",
            "elsewhere": single.elsewhere(request) if single else "",
        }
        return shown(request, "sign_in", code, next=following, wrong=wrong, name=name, **there)

    _token(routes, principals, page)
    _provider(routes, single, principals)

    @routes.post("/sign-out")
    async def leave(request: Request, fields: Form) -> Response:
        if PROXIED in request.session:
            return _off_the_proxy(request, settings)
        key = request.session["key"]
        gone = await single.end(request, key) if single and principals.people.by_id(key) else None
        request.session.clear()
        return gone or RedirectResponse(PATH, status.HTTP_303_SEE_OTHER)

    return routes


def _token(routes: APIRouter, principals: Principals, page: Callable[..., Response]) -> None:
    @routes.get("/sign-in", dependencies=Stranger)
    async def form(request: Request, next: str = "") -> Response:  # noqa: A002
        return page(request, own(next))

    @routes.post("/sign-in", dependencies=Stranger)
    async def enter(request: Request) -> Response:
        fields = await fields_of(request)
        name, following = fields.get("name", "").strip(), own(fields.get("next", ""))
        request.state.claimed = "" if principals.of(name) else name  # some give the token for the name
        principal = request.app.state.limits.known(
            request, principals, fields.get("token", "").strip(), request.state.claimed
        )
        wrong = _wrong(principal, name)
        if wrong or principal is None:
            log.warning("somebody could not sign in", name=name[:64])
            return page(request, following, status.HTTP_403_FORBIDDEN, wrong, name)
        _begin(request, principal, principal.name or name)
        return RedirectResponse(following, status.HTTP_303_SEE_OTHER)


def _provider(routes: APIRouter, single: SingleSignOn | None, principals: Principals) -> None:
    @routes.post("/sign-in/provider", dependencies=Stranger)
    async def begin(request: Request) -> Response:
        fields = await fields_of(request)
        following = own(fields.get("next", ""))
        return await single.begin(request, following) if single else RedirectResponse(PATH, status.HTTP_303_SEE_OTHER)

    @routes.get("/sign-in/return", dependencies=Stranger)
    async def back(request: Request) -> Response:
        if single is None:
            return RedirectResponse(PATH, status.HTTP_303_SEE_OTHER)
        found = await single.back(request)
        if isinstance(found, Response):
            return found
        session, following = found
        principal = principals.by_id(session.session_id)
        assert principal is not None  # noqa: S101  it began just now
        _begin(request, principal, principal.name)
        # the cookie of the session is not sent along on the way from another site: a page of our own leads on
        answer = HTMLResponse(render("arriving", "streams.console", here=following))
        answer.delete_cookie(COOKIE, PATH)
        return answer


def _off_the_proxy(request: Request, settings: Settings) -> Response:
    """Lead somebody on to where they sign out of the proxy, which would sign them in again otherwise."""
    request.session.clear()
    if there := settings.proxy_sign_out:
        return HTMLResponse(render("leaving", "streams.console", there=there, to="the proxy"))
    text = "A proxy has signed you in, and does so with every page: sign out there."
    return shown(request, "message", title="You are signed in still", text=text)


def _begin(request: Request, principal: Principal, who: str) -> None:
    """Begin a session, and leave nothing of the one before."""
    request.session.clear()
    request.session.update({"who": who, "key": principal.token_id})
    request.state.principal, request.state.who, request.state.claimed = principal, who, ""


def _wrong(principal: Principal | None, name: str) -> str:
    """Return why somebody is not let in; empty where they are."""
    if principal is None:
        return "That is not the token of this installation, nor a valid one of anybody."
    if principal.roles == ("service",):
        return "That is the token of a machine; people sign in with their own."
    if not principal.name and reserved(name):
        return "That name is of a part of Watchkeeper, or of who signs in elsewhere."
    named = principal.name or NAME.fullmatch(name)
    return "" if named else "Say who you are: what you do here is written down under that name."


def own(target: str) -> str:
    r"""Return where to go on to, if it is a page of the console; else its first page.

    >>> own("/console/review?x=1"), own("https://a.example/console/"), own("/console/\\a"), own("//a/console/")
    ('/console/review?x=1', '/console/', '/console/', '/console/')
    """
    mine = re.fullmatch(r"/console/[^\\\x00-\x20\x7f]*", target)
    return target if mine and not target.startswith("/console/sign-in") else "/console/"
