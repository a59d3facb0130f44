"""Signatures: whoever obeys a control, or believes a webhook, must know that it was ours and is unchanged.

Both are an HMAC-SHA256 (RFC 2104, FIPS 180-4) under a key that both sides hold. Bytes are signed, not their meaning:
verify first, decode afterwards.

- A control on Kafka is signed over the exact bytes of its value, in the header `HEADER`. That does not say when it was
  sent; `expires_at` and `event_id` of a control are for that.
- A webhook is signed as Standard Webhooks 1.0.0 (standardwebhooks.com) says, over ``id.time.body``, so a receiver can
  also verify it with the library of that name in its own language. The id stays the same over all attempts at one
  delivery; a receiver that remembers it takes none twice.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

HEADER: Final = "watchkeeper-signature"
"""Name of the Kafka header that carries the signature of a control."""

WEBHOOK_ID: Final = "webhook-id"
WEBHOOK_TIME: Final = "webhook-timestamp"
WEBHOOK_SIGNATURE: Final = "webhook-signature"
"""Names of the HTTP headers of a webhook."""

KEY_BYTES: Final = range(24, 65)
"""How long the key of a webhook may be."""

_SCHEME: Final = "v1="
_PREFIX: Final = "whsec_"


def sign(value: bytes, key: bytes) -> str:
    """Return the signature of a message.

    Parameters
    ----------
    value
        The value of the message, as it travels.
    key
        The shared secret, never empty.

    Raises
    ------
    ValueError
        Where the key is empty: everybody could sign with it.

    >>> sign(b"{}", b"k")[:20]
    'v1=add853b103fbcc936'
    """
    if not key:
        raise ValueError("an empty key signs nothing; set WATCHKEEPER_CONTROL_KEY to a long random text")
    return _SCHEME + hmac.new(key, value, hashlib.sha256).hexdigest()


def verify(value: bytes, signature: str, key: bytes) -> bool:
    """Tell whether a signature is that of these bytes under this key, in a time that tells nothing about it.

    Raises
    ------
    ValueError
        As `sign`.

    >>> verify(b"{}", sign(b"{}", b"k"), b"k"), verify(b"{ }", sign(b"{}", b"k"), b"k"), verify(b"{}", "", b"k")
    (True, False, False)
    """
    return hmac.compare_digest(sign(value, key).encode(), signature.encode(errors="replace"))


def webhook_key(secret: str) -> bytes:
    """Return the key that the secret of a webhook stands for.

    Raises
    ------
    ValueError
        Where it is not ``whsec_`` and 24 to 64 bytes in base64.

    >>> webhook_key("whsec_" + "QUJD" * 8)[:6]
    b'ABCABC'
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in KEY_BYTES:
        raise ValueError("a webhook is signed with `whsec_` and 24 to 64 random bytes in base64; make a secret with "
                         "`echo whsec_$(openssl rand -base64 32)`")  # fmt: skip
    return key


def webhook_keys(secret: str) -> list[bytes]:
    """Return the keys of a secret that is being changed: the new one, a space, and the one before; else the only one.

    Raises
    ------
    ValueError
        As `webhook_key`; also where there is none.

    >>> len(webhook_keys("whsec_" + "QUJD" * 8 + " whsec_" + "REVG" * 8))
    2
    """
    return [webhook_key(each) for each in secret.split() or [""]]


def webhook_headers(body: bytes, secret: str, delivery_id: str, unix: int) -> dict[str, str]:
    """Return the headers that sign a webhook.

    Parameters
    ----------
    body
        The exact bytes that are sent.
    secret
        What both sides hold, as of `webhook_keys`: it is signed with each.
    delivery_id
        The same over all attempts; without a full stop.
    unix
        When it is sent, in Unix seconds.

    Raises
    ------
    ValueError
        As `webhook_keys`.

    >>> webhook_headers(b"{}", "whsec_" + "QUJD" * 8, "d1", 1770000000)["webhook-signature"][:12]
    'v1,MCqWvtmR+'
    """
    signatures = " ".join(_signatures(body, secret, delivery_id, str(unix)))
    return {WEBHOOK_ID: delivery_id, WEBHOOK_TIME: str(unix), WEBHOOK_SIGNATURE: signatures}


def verify_webhook(body: bytes, headers: Mapping[str, str], secret: str, now: float, tolerance: float = 300) -> bool:
    """Tell whether a webhook was signed with the secret, not more than `tolerance` seconds from `now` (Unix seconds).

    Parameters
    ----------
    body
        The bytes as received, before anything parses them.
    headers
        Of the request, in any case of letters. Several signatures are allowed, so that a secret can be changed.
    secret
        What both sides hold, as of `webhook_keys`: one of them is enough.
    now, tolerance
        Unix seconds, and how far the signed time may lie from it in either direction.

    Raises
    ------
    ValueError
        As `webhook_keys`; whatever the request holds is no error.

    >>> secret = "whsec_" + "QUJD" * 8
    >>> signed = webhook_headers(b"{}", secret, "d1", 1770000000)
    >>> verify_webhook(b"{}", signed, secret, now=1770000200), verify_webhook(b"{}", signed, secret, now=1770000400)
    (True, False)
    """
    said = {name.lower(): value for name, value in headers.items()}
    delivery_id, unix = said.get(WEBHOOK_ID, ""), said.get(WEBHOOK_TIME, "")
    expected = [each.encode() for each in _signatures(body, secret, delivery_id, unix)]
    given = [each.encode(errors="replace") for each in said.get(WEBHOOK_SIGNATURE, "").split(" ")]
    same = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in given]
    timely = unix.isascii() and unix.isdigit() and len(unix) < 16 and abs(now - int(unix)) <= tolerance
    return any(same) and bool(delivery_id) and timely


def _signatures(body: bytes, secret: str, delivery_id: str, unix: str) -> list[str]:
    signed = f"{delivery_id}.{unix}.".encode(errors="replace") + body
    made = [hmac.new(key, signed, hashlib.sha256).digest() for key in webhook_keys(secret)]
    return ["v1," + base64.b64encode(each).decode() for each in made]
