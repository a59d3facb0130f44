"""From where a request may come: a page in somebody's browser shall not ask what only programs and people may.

A page of another site can send requests to this machine, and by DNS rebinding it can read the answers, under the name
of its own site. So the name in ``Host`` must be one of ours, and what a browser says of the page that asks
(``Origin``, ``Sec-Fetch-Site``, ``Referer``) must be this very address or a named one. Programs send none of these.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from streams.settings import Settings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OWN_PAGE: Final = frozenset({"", "none", "same-origin"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not taken, and the status that says so."""

    status: int
    text: str


class Callers:
    """Tells whether a request may come from where it comes.

    Parameters
    ----------
    settings
        The address that is bound, the names in ``WATCHKEEPER_ALLOWED_HOSTS``, and the name in the public URL.
    types
        Content types that a body may have beside ``application/...``.
    links
        People may come by a link on another site, as in a notification: that shows a page and changes nothing.
    """

    def __init__(self, settings: Settings, types: frozenset[str] = frozenset(), *, links: bool = False) -> None:
        public = urlsplit(settings.public_url).hostname or ""
        named = {name.strip().lower() for name in settings.allowed_hosts.split(",")}
        self._named: Final = (named | {public}) - {""}
        self._hosts: Final = self._named | _LOOPBACK | {settings.host.lower().strip("[]")}
        self._everywhere: Final = _unspecified(settings.host)
        self._types: Final = types
        self._links: Final = links

    def refusal(self, method: str, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a request is refused; None where it is not."""
        host = headers.get("Host", "")
        if not self._ours(host):
            name = f"{host[:100]!r} is no name of this service"
            return Refusal(421, f"{name}; WATCHKEEPER_ALLOWED_HOSTS takes the names under which it is reached")
        if self._links and _followed(method, headers):
            return None
        page = headers.get("Origin") or headers.get("Referer")
        if page is not None and not self._own_page(page, host):
            return Refusal(403, "pages of other sites may not ask this service")
        if page is None and headers.get("Sec-Fetch-Site", "") not in _OWN_PAGE:
            return Refusal(403, "pages of other sites may not ask this service")
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if method == "POST" and kind and not kind.startswith("application/") and kind not in self._types:
            return Refusal(415, f"a body of type {kind[:100]!r} is not taken here; send application/json")
        return None

    def _ours(self, host: str) -> bool:
        name = _name(host)
        if name in self._hosts:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or self._everywhere  # an address, unlike a name, is nobody's to point elsewhere

    def _own_page(self, page: str, host: str) -> bool:
        try:
            parts = urlsplit(page)
            return parts.scheme in {"http", "https"} and (
                parts.netloc.lower() == host.lower() or (parts.hostname or "") in self._named
            )
        except ValueError:
            return False

    def middleware(self) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        """Return a middleware of aiohttp that answers what is refused."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            if why := self.refusal(request.method, request.headers):
                return web.json_response({"detail": why.text}, status=why.status)
            return await handler(request)

        return check


def _followed(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a person opens a link in a window of its own, which the page with the link cannot read.

    >>> _followed("GET", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
    True
    >>> _followed("POST", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
    False
    """
    how = headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")
    return method == "GET" and how == ("navigate", "document")


def _name(host: str) -> str:
    """Return the name in a ``Host`` field, without port and brackets; empty where it cannot be read.

    >>> [_name(host) for host in ("LocalHost:8123", "[::1]:8123", "a@b", "")]
    ['localhost', '::1', '', '']
    """
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018  raises where it is none
    except ValueError:
        return ""
    return "" if "@" in parts.netloc or parts.path else (parts.hostname or "")


def _unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False
