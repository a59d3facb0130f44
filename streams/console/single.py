"""Sign-in at an OpenID provider, seen from the browser: it is sent there, comes back, and is known or told why not."""

import asyncio
import hmac
import time
from collections import OrderedDict
from typing import Final
from urllib.parse import urlsplit

import msgspec
import structlog
from fastapi import HTTPException, Request, status
from fastapi.responses import HTMLResponse, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from streams.access.oidc.claims import Claimed
from streams.access.oidc.people import NoRoleError, Session, TakenError
from streams.access.oidc.provider import Going, Provider, ProviderError
from streams.access.principals import Principals
from streams.console.session import secure, shown
from streams.pages.render import render
from streams.settings import Settings

log: Final = structlog.get_logger()

COOKIE: Final = "watchkeeper-going"
PATH: Final = "/console/sign-in"
BACK: Final = f"{PATH}/return"
GOING_SECONDS: Final = 600
"""How long somebody may take at the provider."""
MOST: Final = 10_000
"""Sign-ins that came back, and ID tokens, that are remembered."""
WORDS: Final = {
    "away": "{} does not answer, or can't be used now. A token lets you in meanwhile.",
    "busy": "Too many people sign in at once. Try again in some seconds.",
    "state": "This sign-in was not begun in this browser, was used already, or took longer than ten minutes.",
    "denied": "{} did not sign you in.",
    "code": "{} does not confirm this sign-in: it was used already, or took too long.",
    "token": "What {} says of you does not hold, so nobody was signed in. The log says what is wrong.",
    "name": "{} gives you a name that can't be one here.",
    "role": "{} knows you, but none of your groups has a role here. Ask whoever runs this installation.",
    "taken": "Another person has your name here. Ask whoever runs this installation.",
    "kept": "Your session can't be kept now. The log says why; a token lets you in meanwhile.",
}
"""Why nobody was signed in, in our own words: what a provider or an address says is not repeated."""
_LATER: Final = ("away", "busy", "kept")


class SingleSignOn:
    """What the console asks of the provider of the settings."""

    def __init__(self, settings: Settings, principals: Principals) -> None:
        self._settings: Final = settings
        self._principals: Final = principals
        self._provider: Final = Provider(settings)
        key = hmac.digest(principals.installation.encode(), b"watchkeeper sign-in at the provider", "sha256")
        self._sealed: Final = URLSafeTimedSerializer(key)
        self._returned: Final = OrderedDict[str, float]()
        self._hints: Final = OrderedDict[str, str]()

    def elsewhere(self, request: Request) -> str:
        """Return where the provider leads back to, where that is not the name that is asked; empty where it is."""
        public = self._settings.public_url.rstrip("/")
        return public if public and urlsplit(public).netloc.lower() != request.headers.get("host", "").lower() else ""

    def _address(self, request: Request, path: str) -> str:
        base = self._settings.public_url.rstrip("/") or f"{request.url.scheme}://{request.headers['host']}"
        return f"{base}{path}"

    async def begin(self, request: Request, following: str) -> Response:
        """Send somebody to the provider, by a page of our own: no form leads to another site."""
        try:
            there, going = await self._provider.begin(self._address(request, BACK), following)
        except ProviderError as error:
            return self._refused(request, error.why, str(error))
        answer = self._onward(there)
        sealed = self._sealed.dumps(msgspec.to_builtins(going))
        answer.set_cookie(
            COOKIE, str(sealed), GOING_SECONDS, path=PATH, secure=secure(self._settings), httponly=True, samesite="lax"
        )  # lax, as the provider sends the browser back from another site
        return answer

    async def end(self, request: Request, session_id: str) -> Response | None:
        """End a session, and send its person on to sign out of the provider; None where it has no place for that.

        Raises
        ------
        HTTPException
            503 where the disk does not take it.
        """
        try:
            await asyncio.to_thread(self._principals.people.leave, session_id)
        except (OSError, ValueError) as error:
            log.warning("a session could not be ended", error=str(error))
            raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "Your session could not be ended.") from None
        there = await self._provider.farewell(self._hints.pop(session_id, ""), self._address(request, PATH))
        return self._onward(there) if there else None

    async def back(self, request: Request) -> tuple[Session, str] | Response:
        """Return the session of who comes back, and the page that they wanted; or the page that says why not."""
        asked = request.query_params
        going = self._going(request, asked.get("state", ""))
        if going is None:
            return self._refused(request, "state", "unknown, used or old")
        if "code" not in asked:
            return self._refused(request, "denied", f"the provider answers {asked.get('error', '')[:64]!a}")
        try:
            there = self._address(request, BACK)
            who, token = await self._provider.redeem(going, asked["code"], there, asked.get("iss"))
        except ProviderError as error:
            return self._refused(request, error.why, str(error))
        session = await self._entered(request, who)
        if isinstance(session, Response):
            return session
        self._hints[session.session_id] = token
        _bound(self._hints)
        return session, going.following

    async def _entered(self, request: Request, who: Claimed) -> Session | Response:
        try:
            return await asyncio.to_thread(self._principals.people.enter, who)
        except NoRoleError:
            return self._refused(request, "role", "no group with a role", who.name)
        except TakenError:
            return self._refused(request, "taken", "the name is bound to another subject", who.name)
        except (OSError, ValueError) as error:
            return self._refused(request, "kept", str(error), who.name)

    def _going(self, request: Request, state: str) -> Going | None:
        """Return what this browser took along, once, as long as the answer is to it."""
        try:
            found = self._sealed.loads(request.cookies.get(COOKIE, ""), max_age=GOING_SECONDS)
            going = msgspec.convert(found, Going)
        except (BadSignature, msgspec.ValidationError):
            return None
        if going.state in self._returned or not hmac.compare_digest(going.state.encode(), state.encode()):
            return None
        self._returned[going.state] = time.time()
        _bound(self._returned)
        return going

    def _refused(self, request: Request, why: str, detail: str, name: str = "") -> Response:
        request.state.why, request.state.claimed = why, name
        log.warning("somebody could not sign in", why=why, detail=detail, name=name[:64])
        code = status.HTTP_503_SERVICE_UNAVAILABLE if why in _LATER else status.HTTP_403_FORBIDDEN
        answer = shown(request, "message", code, title="You are not signed in",
                       text=WORDS[why].format(self._settings.oidc_title))  # fmt: skip
        answer.delete_cookie(COOKIE, PATH)
        return answer

    def _onward(self, there: str) -> Response:
        return HTMLResponse(render("leaving", "streams.console", there=there, to=self._settings.oidc_title))


def _bound(held: OrderedDict[str, float] | OrderedDict[str, str]) -> None:
    while len(held) > MOST:
        held.popitem(last=False)
