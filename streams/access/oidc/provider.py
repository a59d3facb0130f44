"""Sign-in at an OpenID provider: authorization code flow with PKCE, state and nonce, all of it by Authlib.

Everything is asked on a few threads of its own with short waits, so that a provider that is away holds up nothing.
"""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import structlog
from msgspec import Struct

from streams.access.oidc.claims import Claimed, claimed, has_groups
from streams.settings import Settings, SettingsError
from streams.settings.files import read_secret_file

if TYPE_CHECKING:
    from streams.access.oidc.client import Client

log: Final = structlog.get_logger()

Why = Literal["away", "busy", "code", "token", "name"]
Found = TypeVar("Found")

PATIENCE_SECONDS: Final = 8.0
"""The longest that somebody waits for the provider."""
FRESH_SECONDS: Final = 3_600.0
"""After how long the provider is asked again what it says of itself, and for its keys."""
PAUSE_SECONDS: Final = 1.0
"""How long a provider that was away is not asked again."""
THREADS: Final = 4
MOST_WAITING: Final = 32
SECRET: Final = "oidc_client_secret"  # noqa: S105  the name of the setting


class ProviderError(Exception):
    """Somebody can't be signed in by the provider.

    Parameters
    ----------
    why
        In one word: it is away, too many ask, it refuses the code, its token is not valid, or the name can't be one.
    """

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.why: Final = why


class Going(Struct, frozen=True):
    """What a browser takes along to the provider and back: nobody else can come back in its place."""

    state: str
    nonce: str
    verifier: str
    following: str


class Provider:
    """The provider of the settings.

    Parameters
    ----------
    clock
        Seconds that only grow.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings: Final = settings
        self._clock: Final = clock
        self._threads: Final = ThreadPoolExecutor(THREADS, "oidc")
        self._lock: Final = threading.Lock()
        self._client: Client | None = None
        self._since = self._failed = -FRESH_SECONDS
        self._waiting = 0

    async def begin(self, back: str, following: str) -> tuple[str, Going]:
        """Return the address at the provider where somebody signs in, and what their browser takes along.

        Parameters
        ----------
        back
            Where the provider sends them back to.
        following
            The page that they want to see then.

        Raises
        ------
        ProviderError
            Where the provider is away.
        """
        verifier, nonce, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24), secrets.token_urlsafe(24)

        def made() -> str:
            client = self._ready()
            return str(client.create_authorization_url(back, state=state, nonce=nonce, code_verifier=verifier)["url"])

        return await self._patiently(made), Going(state, nonce, verifier, following)

    async def redeem(self, going: Going, code: str, back: str, issuer: str | None) -> tuple[Claimed, str]:
        """Return whom a code is about, and their ID token, after all was verified.

        Parameters
        ----------
        issuer
            Who the answer says that it is of (RFC 9207); None where it says nothing.

        Raises
        ------
        ProviderError
            Where the provider is away or refuses the code, or its token does not hold.
        """

        def made() -> tuple[Claimed, str]:
            client = self._ready()
            if (issuer or client.server_metadata["names_itself"]) and issuer != self._settings.oidc_issuer:
                raise ProviderError("token", "the answer is of another issuer")
            token = client.fetch_access_token(back, code=code, code_verifier=going.verifier)
            claims = client.verified(token, going.nonce)
            if claims is None:
                raise ProviderError("token", "there is no ID token in the answer")
            return self._named(self._whole(client, claims, token)), str(token["id_token"])

        return await self._patiently(made)

    async def farewell(self, hint: str, back: str) -> str:
        """Return the address where somebody signs out of the provider too; empty where it has none, or is away."""

        def made() -> str:
            client = self._ready()
            if "end_session_endpoint" not in client.server_metadata:
                return ""
            known = {"client_id": self._settings.oidc_client_id, "id_token_hint": hint or None}
            return str(client.create_logout_url(back, **known)["url"])

        try:
            return await self._patiently(made)
        except ProviderError:
            return ""

    async def _patiently(self, ask: Callable[[], Found]) -> Found:
        if self._waiting >= MOST_WAITING:
            raise ProviderError("busy", "too many sign in at once")
        self._waiting += 1
        asked = asyncio.get_running_loop().run_in_executor(self._threads, _in_words, ask)
        asked.add_done_callback(self._over)
        try:
            return await asyncio.wait_for(asyncio.shield(asked), PATIENCE_SECONDS)
        except TimeoutError:
            raise ProviderError("away", "it does not answer in time") from None

    def _over(self, asked: asyncio.Future[Any]) -> None:
        self._waiting -= 1
        if not asked.cancelled():
            asked.exception()  # who gave up does not ask for it

    def _ready(self) -> "Client":
        """Return a client that knows the provider, with the secret as it is now."""
        with self._lock:
            if self._client is None or self._clock() - self._since > FRESH_SECONDS:
                self._client = self._met()
                self._since = self._clock()
            self._client.client_secret = client_secret(self._settings) or None
            return self._client

    def _met(self) -> "Client":
        from streams.access.oidc.client import Client

        if self._clock() - self._failed < PAUSE_SECONDS:
            raise ProviderError("away", "it was away a moment ago")
        made = Client(self._settings, client_secret(self._settings))
        try:
            made.load_server_metadata()
        except BaseException:
            self._failed = self._clock()
            raise
        return made

    def _whole(self, client: "Client", claims: dict[str, Any], token: dict[str, Any]) -> dict[str, Any]:
        """Return claims with what the provider says only where it is asked for it, of the same person."""
        if has_groups(self._settings, claims) or "userinfo_endpoint" not in client.server_metadata:
            return claims
        more = client.userinfo(token=token)
        if more.get("sub") != claims["sub"]:
            raise ProviderError("token", "what it says of somebody is of another")
        return dict(more) | {name: value for name, value in claims.items() if value is not None}

    def _named(self, claims: dict[str, Any]) -> Claimed:
        try:
            return claimed(self._settings, claims)
        except ValueError as error:
            raise ProviderError("name", str(error)) from None


def _in_words(ask: Callable[[], Found]) -> Found:
    """Return what is asked for; what a provider does wrong becomes one error, without a word of its own."""
    import requests
    from authlib.integrations.base_client import OAuthError
    from joserfc.errors import JoseError

    try:
        return ask()
    except OAuthError as error:
        raise ProviderError("code", f"it refuses the code ({_plain(error.error)})") from None
    except JoseError as error:
        raise ProviderError("token", f"its token is not valid ({_plain(error)})") from None
    except requests.RequestException as error:
        raise ProviderError("away", f"it can't be asked ({type(error).__name__})") from None
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise ProviderError("away", f"it can't be used ({_plain(error)})") from None


def _plain(said: object) -> str:
    """Return what may be of the provider for a line of the log: short, and without what a terminal obeys."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(said)[:160])


def client_secret(settings: Settings) -> str:
    """Return the secret of the client; that of a file as it is now, so that it may be exchanged."""
    file = settings.secret_file(SECRET)
    with suppress(SettingsError):  # what it was at the start, where nothing can be read
        if file is not None:
            return read_secret_file(file)
    return settings.oidc_client_secret.get_secret_value()
