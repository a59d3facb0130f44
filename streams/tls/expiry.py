"""Until when the certificate of our ports is good: asked of TLS itself, in a handshake that leaves no memory."""

import ssl
import time
from typing import Final

from streams.settings import Settings, SettingsError
from streams.tls.doors import load_own

SOON_DAYS: Final = 21
"""An authority that gives certificates for 90 days renews them with 30 left."""

_PARTIAL_CHAIN: Final = 0x80000
"""OpenSSL's `X509_V_FLAG_PARTIAL_CHAIN`, which `ssl` names from 3.13 on: the certificate vouches for itself."""
_TOO_LATE: Final = 10
_TOO_EARLY: Final = 9
_DAY: Final = 86_400


def wrong_with_certificate(settings: Settings, now: float | None = None) -> str:
    """Return what is wrong with the certificate of the settings, or will be soon; empty where all is well.

    Parameters
    ----------
    now
        Unix seconds; of this moment if None. Whether it is over already is judged by the clock of this machine alone.
    """
    if settings.tls_cert is None:
        return ""
    try:
        ends = _ends(settings)
    except (SettingsError, ssl.SSLError, OSError) as error:
        if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in {_TOO_LATE, _TOO_EARLY}:
            return (
                f"{settings.tls_cert} is over"
                if error.verify_code == _TOO_LATE
                else f"{settings.tls_cert} is not good yet"
            )
        return str(error)
    days = (ends - (time.time() if now is None else now)) / _DAY
    if days < SOON_DAYS:
        return f"{settings.tls_cert} is over in {max(days, 0):.0f} days"
    return ""


def _ends(settings: Settings) -> float:
    """Return the end of a certificate in Unix seconds; Python shows it of a peer that was verified, and of no file."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    load_own(server, settings)
    client.check_hostname = False
    client.verify_flags |= _PARTIAL_CHAIN
    client.load_verify_locations(settings.tls_cert)
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking, answering = client.wrap_bio(here, there), server.wrap_bio(there, here, server_side=True)
    for side in (asking, answering, asking):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return float(ssl.cert_time_to_seconds(str((asking.getpeercert() or {})["notAfter"])))
