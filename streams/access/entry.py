"""Letting somebody in: whoever has a token or comes by a named proxy becomes a principal, with roles for the route."""

from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Request, status
from fastapi.routing import iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from streams.access.principals import Principal, Principals, reserved
from streams.access.proxy.people import own_page
from streams.access.roles import ABOUT, ALLOWED, OPEN, may, route_of, wanted
from streams.access.teams import enter, services_of

_BEARER: Final = HTTPBearer(auto_error=False)


def authorised(principals: Principals) -> Any:
    """Return the dependency of routes that want a token: 401 without one, 403 with other roles, 429 too often."""

    async def check(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> None:
        limits, proxied = request.app.state.limits, request.app.state.proxied
        principal = request.state.principal = proxied.of(request)
        if principal is not None:
            own_page(request)
        elif given is not None:
            principal = limits.known(request, principals, given.credentials)
        if principal is None:
            limits.stranger(request)
            proxied.refuse_claim(request)
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED,
                "a token is needed: Authorization: Bearer TOKEN",
                {"WWW-Authenticate": "Bearer"},
            )
        admit(request, principal)

    return check


def admit(request: Request, principal: Principal) -> None:
    """Let somebody use the route of a request and see the services of their teams, or raise 403 with what it takes.

    Whoever asks too often is answered 429.

    It has to run in the task of the request, so in no dependency that is not `async`: what is seen is held there. The
    application has the teams of the policy, the limits and the people of proxies in its state.
    """
    request.state.principal = principal
    route = route_of(request.scope)
    request.app.state.limits.principal(request, principal, route)
    if not may(principal.roles, route):
        text = f"your roles ({', '.join(principal.roles)}) do not allow this: it takes {wanted(route)}"
        raise HTTPException(status.HTTP_403_FORBIDDEN, text)
    services = services_of(principal.teams, principal.roles, request.app.state.teams)
    if services is not None and ABOUT[route] == "all":
        text = "this is about all services, and you see those of your teams alone"
        raise HTTPException(status.HTTP_403_FORBIDDEN, text)
    enter(services)


def speaker(request: Request, claimed: str = "") -> str:
    """Return who does what a request asks for: whoever has its token, whatever else it says.

    Only the token of the installation has no name: who sends it says whose word it is.

    Raises
    ------
    ValueError
        Where nobody is named, or somebody whom nobody may speak for.
    """
    name = request.state.principal.name or claimed
    if not request.state.principal.name and reserved(claimed):
        raise ValueError(f"{claimed!r} is a part of Watchkeeper, or of who signs in elsewhere: say your own name")
    if not name:
        raise ValueError("say who does it, or use a token with a name (`watchkeeper token create`)")
    return str(name)


def routes(application: Any, prefix: str = "") -> list[str]:
    """Return every route of an application, as the table of roles names them."""
    return [
        f"{method} {prefix}{route.path}"
        for route in iter_route_contexts(application.routes)
        if type(route.original_route).__name__ == "APIRoute"
        for method in sorted(route.methods or ())
    ]


def check_routes(application: Any, prefix: str = "") -> None:
    """Refuse an application that has a route without roles, or of which nobody knows which services it is about."""
    if unknown := set(routes(application, prefix)) - {*(ALLOWED.keys() & ABOUT.keys()), *OPEN}:
        text = "name its roles and which services it is about in access/roles.py"
        raise AssertionError(f"nobody is said to use {', '.join(sorted(unknown))}: {text}")
