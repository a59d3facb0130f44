"""Asking a port of ours, whatever it speaks: its authority, its name, and who asks."""

import ipaddress
import os
import re
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from streams.access.hosts import loopback
from streams.settings import Settings, SettingsError

HTTPS: Final = "https"

_DIRECT: Final = {"proxies": {"http": "", "https": ""}, "auth": lambda request: request}
"""How this machine is asked: not through a proxy that the environment names for the world outside, which would ask
itself, nor with a password that `~/.netrc` has for everybody, which would take the place of our token."""

_REASON: Final = re.compile(r"\[\w+: \w+\] ([^(\"']+)")


class NotTrustedError(requests.exceptions.SSLError):
    """Whoever answers has shown no certificate that is trusted, or wants one; the message says what to set."""


def scheme(settings: Settings) -> str:
    """Return what addresses of our ports begin with."""
    return "http" if settings.tls_cert is None else HTTPS


def address(settings: Settings, port: int) -> str:
    """Return the address of a port of this installation, without a path.

    >>> address(Settings(), 8130)
    'http://127.0.0.1:8130'
    >>> address(Settings(host="::1"), 8130)
    'http://[::1]:8130'
    """
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme(settings)}://{host}:{port}"


def ask(settings: Settings, method: str, url: str, **more: Any) -> requests.Response:
    """Ask as `requests.request` does: with the authority, the name and the certificate of the settings.

    Raises
    ------
    NotTrustedError
        Where the other side is not who it should be, or takes us for a stranger.
    SettingsError
        Where a file of the settings is not there.
    requests.RequestException
        Where nobody answers.
    """
    parts = urlsplit(url)
    if ":" in (parts.hostname or ""):  # some versions of urllib3 leave the brackets of such an address out
        more["headers"] = {"Host": parts.netloc, **more.get("headers", {})}
    if loopback(parts.hostname or "") or parts.hostname == settings.host.strip("[]"):
        more = _DIRECT | more
    if parts.scheme != HTTPS:
        return requests.request(method, url, **more)  # noqa: S113  who asks says how long it waits
    more |= {"cert": _own(settings), "verify": str(settings.tls_ca) if settings.tls_ca else True}
    with requests.Session() as session:
        if settings.tls_name and _is_address(parts.hostname or ""):
            session.mount("https://", _Named(settings.tls_name))
        try:
            return session.request(method, url, **more)
        except requests.exceptions.SSLError as error:
            found = _REASON.search(str(error))
            why = found[1].strip() if found else "TLS failed"
            raise NotTrustedError(
                f"{parts.scheme}://{parts.netloc} is not trusted, or does not trust us ({why}): WATCHKEEPER_TLS_CA is "
                "the authority of its certificate, WATCHKEEPER_TLS_NAME the name in it"
            ) from None
        except requests.RequestException:
            raise
        except OSError as error:  # requests looks for the files first
            raise SettingsError(str(error)) from None


def _own(settings: Settings) -> str | tuple[str, str] | None:
    """Return what shows who we are, where we may read it: most ports do not ask."""
    given = [path for path in (settings.tls_cert, settings.tls_key) if path is not None]
    if not given or not all(os.access(path, os.R_OK) for path in given):
        return None
    return (str(given[0]), str(given[1])) if len(given) > 1 else str(given[0])


class _Named(HTTPAdapter):
    """Asks an address for the certificate of a name."""

    def __init__(self, name: str) -> None:
        self._name: Final = name
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Have every connection ask so."""
        super().init_poolmanager(*arguments, server_hostname=self._name, assert_hostname=self._name, **named)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
