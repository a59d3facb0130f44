"""What proxies leave open that are named, and limits that nobody has."""

from collections.abc import Iterator
from typing import Final

from streams.access.hosts import loopback
from streams.access.proxy.hops import Network
from streams.access.proxy.hops import networks as networks_of
from streams.access.proxy.people import check
from streams.production.gap import Gap
from streams.settings import Settings, SettingsError, variable

MOST_ADDRESSES: Final = 256
"""As many as a network of proxies has at most; whoever has one of them can say that he is anybody."""
LIMITS: Final = ("requests_a_minute", "strangers_a_minute", "sql_questions_a_minute")


def proxy_gaps(settings: Settings) -> Iterator[Gap]:
    """Yield what stands open."""
    for name in LIMITS:
        if not getattr(settings, name):
            yield Gap("no limit", f"{variable(name)} is 0: one caller may take all there is", "name a limit")
    try:
        check(settings)
        networks = networks_of(settings)
    except SettingsError as error:
        yield Gap("proxy", str(error), "mend the setting; the API does not start with it")
        return
    if wide := [each for each in networks if each.num_addresses > MOST_ADDRESSES]:
        yield Gap("proxy wide", f"whoever has one of {wide[0].num_addresses} addresses ({wide[0]}) counts as a proxy",
                  "name the addresses of the proxies alone in WATCHKEEPER_PROXY_ADDRESSES")  # fmt: skip
    if not settings.proxy_user_header:
        return
    if here := [each for each in networks if loopback(str(each.network_address))]:
        yield Gap("proxy here", f"every user of this machine can come from {here[0]}, and say that he is anybody",
                  "have nobody else on this machine, or the proxy in a network of its own")  # fmt: skip
    if settings.tls_cert is None and any(_away(each) for each in networks):
        yield Gap("proxy tls", "who somebody is travels from the proxy to here where it can be read and changed",
                  "give the API a certificate in WATCHKEEPER_TLS_CERT")  # fmt: skip


def _away(network: Network) -> bool:
    return not loopback(str(network.network_address))
