"""The limits of an HTTP application: who asks too much, or guesses, is told for how long to wait."""

import math
import time
from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol

from fastapi import HTTPException, Request, status

from streams.access.limits.pace import Over, Pace
from streams.access.limits.tries import Tries, network
from streams.access.principals import Principal
from streams.settings import Settings

UNGUESSABLE: Final = 32
"""Characters of a token that is looked at whatever was wrong before: `watchkeeper token create`, and the one that a
worker makes, have 43 of random. Nobody guesses these, so no guesser can have others kept out who have them (NIST SP
800-63B wants a limit of tries only below 64 bits)."""


class Knows(Protocol):
    """Knows tokens."""

    def of(self, token: str) -> Principal | None:
        """Return who has a token; None where nobody has."""


class Heard(Protocol):
    """Is told of each wrong token: from which address, under which name, and whether it was another than before."""

    def __call__(self, address: str, name: str, *, fresh: bool) -> None:
        """Hear it."""


class Limits:
    """What each one may ask of an application, and after how many wrong tokens the next is not looked at.

    Parameters
    ----------
    heard
        Is told of wrong tokens.
    clock
        Seconds that only grow.
    """

    def __init__(self, settings: Settings, heard: Heard, clock: Callable[[], float] = time.monotonic) -> None:
        self.tries: Final = Tries(settings.lockout_tries, settings.lockout_seconds, clock)
        self._principals: Final = Pace(settings.requests_a_minute, clock)
        self._strangers: Final = Pace(settings.strangers_a_minute, clock)
        self.heard: Final = heard

    def principal(self, request: Request, principal: Principal, route: str) -> None:
        """Count a request of somebody, or raise 429.

        Looking, acting and pages that renew themselves have an allowance each: whoever has to act is not kept from it
        by the pages that they have open. Who has the token of the installation has no name, and is told apart by
        address.
        """
        kind = "live" if route == "GET /console/live" else "looking" if request.method == "GET" else "acting"
        who = ("name", principal.name) if principal.name else ("address", address_of(request))
        if over := self._principals.take((kind, *who)):
            self._refuse(request, over, f"more than {self._principals.a_minute} requests a minute")

    def stranger(self, request: Request) -> None:
        """Count a request of nobody, by where it comes from, or raise 429."""
        if over := self._strangers.take(network(address_of(request))):
            text = f"more than {self._strangers.a_minute} requests a minute without a valid token"
            self._refuse(request, over, text)

    def known(self, request: Request, known: Knows, token: str, name: str = "") -> Principal | None:
        """Return who has a token, None where nobody has; or raise 429 where its sender has to wait.

        Parameters
        ----------
        name
            Who they say that they are.
        """
        address = address_of(request)
        seconds = self.tries.wait(address, name)
        if seconds and len(token) < UNGUESSABLE:
            self._locked(request, seconds, token, name)
        if found := known.of(token):
            if name and found.name in ("", name):  # else a token of one's own would wipe out guesses at others'
                self.tries.right(address, name)
            return found
        if seconds:
            self._locked(request, seconds, token, name)
        self.wrong(request, token, name)
        return None

    def wrong(self, request: Request, given: str, name: str = "") -> None:
        """Count a wrong token."""
        fresh = self.tries.failed(address_of(request), name, given)
        self.heard(address_of(request), name, fresh=fresh)

    def _locked(self, request: Request, seconds: float, token: str, name: str) -> NoReturn:
        address = address_of(request)
        self.heard(address, name, fresh=not self.tries.was_wrong(address, name, token))
        request.state.why = "locked"
        self._refuse(request, Over(seconds), "too many wrong tokens")

    def _refuse(self, request: Request, over: Over, what: str) -> NoReturn:
        request.state.why = getattr(request.state, "why", "") or "pace"
        request.state.unwritten, request.state.lost = not over.news, over.unsaid
        raise too_many(what, over.seconds)


def too_many(what: str, seconds: float) -> HTTPException:
    """Return the answer to who has asked too much, with the whole seconds until they may ask again."""
    again = math.ceil(seconds)
    text = f"{what}: nothing was done; try again in {again} s"
    return HTTPException(status.HTTP_429_TOO_MANY_REQUESTS, text, {"Retry-After": str(again)})


def address_of(request: Any) -> str:
    """Return from where a request comes; empty where that is not known."""
    return request.client.host if request.client else ""
