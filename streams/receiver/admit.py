"""Who may send telemetry: whoever has the token, as fast as they can unless a setting says otherwise."""

import secrets
from typing import Final

from fastapi import HTTPException, Request, status

from streams.access.limits.door import Limits, address_of, too_many
from streams.access.limits.pace import Pace
from streams.access.limits.tries import network
from streams.access.principals import Principal
from streams.health.metrics import FAILED
from streams.health.secrets import secret
from streams.settings import Settings

SENDER: Final = Principal("", ("service",))


def _wrong_token(address: str, name: str, *, fresh: bool) -> None:
    FAILED.labels("otlp").inc()


class Door:
    """The door of the receiver."""

    def __init__(self, settings: Settings) -> None:
        self._secret: Final = secret(settings, "otlp_token")
        self._limits: Final = Limits(settings, _wrong_token)
        self._pace: Final = Pace(settings.otlp_requests_a_minute)

    def admit(self, request: Request) -> None:
        """Return where a request may send.

        Raises
        ------
        HTTPException
            401 without the token, and 429 where somebody guesses it, or sends more than they may. Clients of OTLP send
            again later what was answered 429 with `Retry-After`, as the protocol wants of them.
        """
        if self._tokens() and not self._has_token(request):
            self._limits.stranger(request)
            text = "a token is needed: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN"
            raise HTTPException(status.HTTP_401_UNAUTHORIZED, text, {"WWW-Authenticate": "Bearer"})
        if over := self._pace.take(network(address_of(request))):
            request.state.why = "pace"
            request.state.unwritten, request.state.lost = not over.news, over.unsaid
            raise too_many(f"more than {self._pace.a_minute} requests a minute", over.seconds)

    def _has_token(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Bearer" and self._limits.known(request, self, token) is not None

    def of(self, token: str) -> Principal | None:
        """Return the sender whose token it is; None where it is nobody's."""
        right = [secrets.compare_digest(token.encode(), each.encode()) for each in self._tokens()]
        return SENDER if any(right) else None

    def _tokens(self) -> list[str]:
        """Return the tokens that count now: senders go over from one to the next while both do."""
        return self._secret.now().split()
