"""From where a request comes: the last hop that is not a proxy of ours, and the word of nobody else."""

import ipaddress
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.settings import Settings, SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FORWARDED: Final = "X-Forwarded-For"


class Hops:
    """Knows the proxies of the settings; without any, a request comes from who has opened the connection.

    Raises
    ------
    SettingsError
        Where an address of the settings is none.
    """

    def __init__(self, settings: Settings) -> None:
        self.networks: Final = networks(settings)

    def named(self, address: str) -> bool:
        """Tell whether an address is of a proxy of ours."""
        found = _address(address)
        return found is not None and any(found in network for network in self.networks)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """Return from where a request came.

        Parameters
        ----------
        peer
            Who has opened the connection.
        forwarded
            The fields `X-Forwarded-For` in their order: each hop has written to the end whom it was asked by. What
            stands before the first that is no proxy of ours, anybody may have written.
        """
        found = peer
        hops = [each.strip() for field in forwarded for each in field.split(",")]
        while hops and self.named(found):
            address = _address(hops.pop())
            if address is None:
                return found
            found = str(address)
        return found


class Behind:
    """ASGI middleware that puts the address of the client in the place of a proxy's, and notes by whom it came."""

    def __init__(self, app: ASGIApp, hops: Hops) -> None:
        self._app: Final = app
        self._hops: Final = hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        peer = scope["client"][0] if scope.get("client") else ""
        if scope["type"] == "http" and self._hops.named(peer):
            scope.setdefault("state", {})["by_proxy"] = True
            scope["client"] = (self._hops.client(peer, Headers(scope=scope).getlist(FORWARDED)), 0)
        await self._app(scope, receive, send)


def networks(settings: Settings) -> tuple[Network, ...]:
    """Return the addresses of named proxies; raises as `Hops`.

    >>> networks(Settings(proxy_addresses="127.0.0.1, 10.0.0.0/8"))
    (IPv4Network('127.0.0.1/32'), IPv4Network('10.0.0.0/8'))
    """
    try:
        return tuple(map(ipaddress.ip_network, filter(None, map(str.strip, settings.proxy_addresses.split(",")))))
    except ValueError as error:
        text = f"WATCHKEEPER_PROXY_ADDRESSES: {error}; name addresses or networks, as 10.0.3.7 or 10.0.3.0/28"
        raise SettingsError(text) from None


def _address(text: str) -> Address | None:
    """Return an address that a hop has written, without its port; None where it is none.

    >>> [str(_address(each)) for each in ("192.0.2.7", "192.0.2.7:80", "[2001:db8::1]:80", "::ffff:192.0.2.7", "x")]
    ['192.0.2.7', '192.0.2.7', '2001:db8::1', '192.0.2.7', 'None']
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
