"""Signatures of controls: whoever obeys a message must know that it was ours and is unchanged.

A signature is an HMAC-SHA256 (RFC 2104, FIPS 180-4) over the exact bytes of a message's value, in the header `HEADER`.
Both sides hold the same key. The bytes are signed, not their meaning: verify first, decode afterwards. A signature
does not say when a message was sent; that is what `expires_at` and `event_id` of a control are for.
"""

import hashlib
import hmac
from typing import Final

HEADER: Final = "watchkeeper-signature"
"""Name of the Kafka header that carries the signature of a control."""

_SCHEME: Final = "v1="


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
