"""Signatures of notifications: a receiver can tell that a body is ours, unchanged and fresh.

The header is ``Watchkeeper-Signature: t=<unix seconds>,v1=<hex>``, where v1 is HMAC-SHA256 (RFC 2104) of
``<t>.<body>`` under the secret that both sides hold. The time is signed too, so an old body cannot be sent again
later. A receiver should also remember ``Watchkeeper-Delivery``: it stays the same over all attempts at one delivery.
"""

import hashlib
import hmac
import re
from typing import Final

SIGNATURE_HEADER: Final = "Watchkeeper-Signature"
DELIVERY_HEADER: Final = "Watchkeeper-Delivery"

_HEADER: Final = re.compile(r"t=(\d{1,15})((?:,[a-z0-9]+=[0-9a-zA-Z]+)+)", re.ASCII)


def sign(body: bytes, secret: str, unix: int) -> str:
    """Return the value of the signature header.

    Parameters
    ----------
    body
        The exact bytes that are sent.
    secret
        What both sides hold.
    unix
        When it is sent, in Unix seconds.

    >>> sign(b"{}", "s", 1770000000)[:24]
    't=1770000000,v1=87c5dd21'
    """
    return f"t={unix},v1={_mac(body, secret, str(unix))}"


def verify(body: bytes, header: str, secret: str, now: float, tolerance: float = 300) -> bool:
    """Tell whether a body was signed with the secret, not more than `tolerance` seconds from now.

    Parameters
    ----------
    body
        The bytes as received, before anything parses them.
    header
        The value of the signature header; several ``v1`` are allowed, so that a secret can be changed.
    secret
        What both sides hold.
    now, tolerance
        Unix seconds, and how far the signed time may lie from it in either direction.

    Notes
    -----
    Signatures are compared in constant time.

    >>> verify(b"{}", sign(b"{}", "s", 1770000000), "s", now=1770000200)
    True
    >>> verify(b"{}", sign(b"{}", "s", 1770000000), "s", now=1770000400)
    False
    """
    match = _HEADER.fullmatch(header)
    if match is None or not secret:
        return False
    expected = _mac(body, secret, match[1]).encode()
    given = [item.removeprefix("v1=") for item in match[2].split(",") if item.startswith("v1=")]
    same = [hmac.compare_digest(expected, one.encode()) for one in given]
    return any(same) and abs(now - int(match[1])) <= tolerance


def _mac(body: bytes, secret: str, unix: str) -> str:
    return hmac.new(secret.encode(), unix.encode() + b"." + body, hashlib.sha256).hexdigest()
