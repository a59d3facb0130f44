"""Who looks: what a session holds, and forms that only this session can send."""

import hmac
import secrets
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import Depends, HTTPException, Request, status
from fastapi.responses import HTMLResponse, Response

from streams.access.entry import admit
from streams.access.principals import Principal, Principals
from streams.access.roles import may
from streams.pages.render import render
from streams.settings import Settings

MOST_FIELDS: Final = 100
PROXIED: Final = "proxied"
"""Holds, in a session, whom a proxy has signed in; such a session has no key, and so is nobody without the proxy."""


class NotSignedInError(Exception):
    """A page that only people who are signed in may see."""


def session_key(token: str) -> str:
    """Return the key that signs sessions: another for each token of the API, so that a new token ends them all."""
    return hmac.digest(token.encode(), b"watchkeeper console session", "sha256").hex()


def secure(settings: Settings) -> bool:
    """Tell whether cookies travel by TLS alone."""
    return settings.tls_cert is not None or settings.public_url.startswith("https://")


async def signed_in(request: Request) -> str:
    """Return who is signed in.

    Raises
    ------
    NotSignedInError
        Where nobody is.
    HTTPException
        403 where their roles are not those of the page, 429 where they ask too often.
    """
    principal = _signed_in(request)
    request.state.who = str(request.session["who"])
    admit(request, principal)
    return str(request.state.who)


def _signed_in(request: Request) -> Principal:
    """Return who is signed in, as long as the token that was given, or the session of the provider, is valid.

    Whom a named proxy has signed in needs neither. The session that they have holds what their forms are known by.
    """
    proxied = request.app.state.proxied
    principal: Principal | None = proxied.of(request)
    if principal is not None:
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise NotSignedInError  # a link on another's page: the cookie does not come along, ours leads on
        if request.session.get(PROXIED) != principal.name:
            request.session.clear()
            request.session.update({"who": principal.name, PROXIED: principal.name})
        return principal
    key = request.session.get("key")
    if not request.session.get("who") or key is None:
        request.app.state.limits.stranger(request)
        proxied.refuse_claim(request)
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
    return await fields_of(request)


async def stranger(request: Request) -> None:
    """Count a request of nobody, or raise 429."""
    request.app.state.limits.stranger(request)


Who = Annotated[str, Depends(signed_in)]
Stranger: Final = [Depends(stranger)]
"""Of routes that nobody has to be signed in for."""
Form = Annotated[dict[str, str], Depends(sent)]


def shown(request: Request, template: str, code: int = status.HTTP_200_OK, **values: Any) -> Response:
    """Return a page for whoever is signed in."""
    roles = request.state.principal.roles if hasattr(request.state, "principal") else ()
    page = {"who": request.session.get("who", ""), "csrf": _csrf(request), "here": template, "roles": roles}
    page |= {"may": lambda route: may(roles, route)} | values
    return HTMLResponse(render(template, "streams.console", **page), code)


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields of a form of this session, whoever has it; raises as `sent`."""
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
