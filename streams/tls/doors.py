"""What a port of ours shows to clients and asks of them; changed files count from the next handshake on.

A handshake begins with the context that the port was opened with, and is switched to that of the files as they are now.
Connections that are open already stay as they are, so that nothing on its way is lost when a certificate is changed.
"""

import ssl
from pathlib import Path
from typing import Final

from streams.health.renewed import Renewed
from streams.settings import DOORS, Settings, SettingsError
from streams.tls.renewed import CHANGED

PROBLEM: Final = "certificate"


def door(settings: Settings, name: str) -> ssl.SSLContext | None:
    """Return what a port speaks TLS with; None where it speaks none.

    Parameters
    ----------
    name
        One of `streams.settings.DOORS`.

    Raises
    ------
    SettingsError
        Where a file of the settings can't be used, with what is wrong.
    """
    if name not in DOORS:
        raise AssertionError(f"{name} is none of {', '.join(DOORS)}")
    return None if settings.tls_cert is None else _Door(settings, mutual=asks(settings, name)).front


def asks(settings: Settings, name: str) -> bool:
    """Tell whether clients must show a certificate at a port.

    >>> here = Settings(tls_cert=Path("a.pem"), tls_client_ca=Path("ca.pem"), tls_client_ports="sql, otlp")
    >>> [name for name in DOORS if asks(here, name)]
    ['otlp', 'sql']
    """
    return settings.tls_client_ca is not None and name in {
        each.strip() for each in settings.tls_client_ports.split(",")
    }


class _Door:
    """The context of a port, and that of the files as they are now."""

    def __init__(self, settings: Settings, *, mutual: bool) -> None:
        self._settings: Final = settings
        self._mutual: Final = mutual
        files = settings.tls_cert, settings.tls_key, settings.tls_client_ca
        self._now: Final = Renewed(files, self._read, PROBLEM, CHANGED)
        self.front: Final = self._read()
        self.front.sni_callback = self._shake

    def _shake(self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _front: ssl.SSLContext) -> None:
        """Switch a handshake to the files as they are now: it is called in each, also where no name was sent."""
        connection.context = self._now.now()

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        load_own(context, self._settings)
        if self._mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            context.options |= ssl.OP_NO_TICKET  # a session that goes on is not asked for its certificate again
            context.num_tickets = 0
            try:
                context.load_verify_locations(self._settings.tls_client_ca)
            except OSError as error:
                raise _unusable("WATCHKEEPER_TLS_CLIENT_CA", self._settings.tls_client_ca, error) from None
        return context


def load_own(context: ssl.SSLContext, settings: Settings) -> None:
    """Load the certificate of this installation into a context.

    Raises
    ------
    SettingsError
        Where it can't be used, or its key is another's.
    """
    assert settings.tls_cert is not None  # noqa: S101
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")  # or a terminal is asked for one
    except OSError as error:
        raise _unusable("WATCHKEEPER_TLS_CERT and _KEY", settings.tls_cert, error) from None


def _unusable(names: str, path: Path | None, error: OSError) -> SettingsError:
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return SettingsError(f"{names}: {path} can't be used ({reason or error}); it wants PEM, and the key that fits it")
