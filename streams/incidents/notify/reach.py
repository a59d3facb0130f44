"""Where a receiver may be: on public networks, and elsewhere only where the settings name its host.

Who may write the policy names receivers. Nobody gets from that to a metadata service or to what listens on this machine
alone: addresses are looked at when the connection is made, so that a name which changes its address leads nowhere
either (OWASP, Server-Side Request Forgery Prevention). Through a proxy it is the proxy that connects: what is private,
as far as this machine can tell, is refused here, the rest is the proxy's to allow.
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

LOOKUP_SECONDS: Final = 2.0
"""Where a proxy is needed, the names of the world outside may be known to it alone."""
_NAT64: Final = IPv6Network("64:ff9b::/96")


class Reach:
    """Makes the connections of one receiver, and remembers an address that it did not connect to.

    Parameters
    ----------
    private
        Hosts that may be private, with commas between them.
    proxy
        Address of the proxy through which all others are reached; empty for none.
    """

    def __init__(self, private: str, proxy: str = "") -> None:
        self._private: Final = {each.strip().lower() for each in private.split(",")}
        self._proxy: Final = proxy or None
        self._named = False
        self._refused = ""

    async def towards(self, url: str) -> str | None:
        """Say to which address the next connections lead, and return the proxy that they go through."""
        host = urlsplit(url).hostname or ""
        self._named = host in self._private
        if self._named or self._proxy is None:
            return None
        self._refused, self._named = await _private_address(host), True
        return self._proxy

    def connector(self) -> aiohttp.TCPConnector:
        """Return what connects to nothing else; names are looked up anew each time."""
        return aiohttp.TCPConnector(socket_factory=self.socket, use_dns_cache=False, force_close=True)

    def socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for an address that was found.

        Raises
        ------
        OSError
            Where it is private and the host is not named.
        """
        family, kind, protocol, _, address = info
        if not self._named and not public(address[0]):
            self._refused = address[0]
            raise OSError("a private address")
        return socket.socket(family, kind, protocol)

    def refused(self) -> str:
        """Return the address that was not connected to since the last time, or nothing."""
        found, self._refused = self._refused, ""
        return found


async def _private_address(host: str) -> str:
    """Return an address of a host that is private, as far as it can be looked up here; else nothing."""
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return ""
    return next((str(each[4][0]) for each in found if not public(str(each[4][0]))), "")


def public(address: str) -> bool:
    """Tell whether an address is one that everybody may have (IANA's registries of special addresses).

    >>> [public(each) for each in ("93.184.215.14", "10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1")]
    [True, False, False, False, False]
    >>> [public(each) for each in ("2606:2800:21f::1", "::1", "fe80::1%eth0", "::ffff:10.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False, False]
    """
    found = ip_address(address.partition("%")[0])
    inner = _within(found) if isinstance(found, IPv6Address) else None
    return all(each.is_global and not each.is_multicast for each in (found, inner) if each is not None)


def _within(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for (RFC 4291 2.5.5.2, RFC 3056, RFC 6052)."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
