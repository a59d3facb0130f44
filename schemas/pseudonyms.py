"""What stands for a person: a keyed hash that tells one from another, and says nothing to who lacks the key.

A pseudonym is ``u1_MARK_HASH``: the version of this form, what tells one key from another, and the first 128 bits of
the HMAC-SHA256 of the value. After a change of the key the same person has another pseudonym.
"""

import hmac
import re
from typing import Final

VERSION: Final = "u1"
PATTERN: Final = re.compile(r"u1_([0-9a-f]{6})_[0-9a-f]{32}")
_SCHEMES: Final = ("mailto:", "tel:")
_NAMED: Final = re.compile(r"[^<>]*<([^<>@\s]+@[^<>@\s]+)>")


def pseudonym(value: str, key: bytes) -> str:
    """Return what stands for a person; a pseudonym stands for itself.

    Parameters
    ----------
    value
        An e-mail address, a telephone number or an id. Writings of the same address or number are the same person.
    key
        A secret of 16 bytes or more.

    Raises
    ------
    ValueError
        Where the key is shorter: who can try all keys reads all pseudonyms.

    >>> pseudonym("Kim@example.org", b"0123456789abcdef")
    'u1_610769_826f33a6aa1d3b1134ae1a881916d4f7'
    """
    if len(key) < 16:
        raise ValueError("a key of pseudonyms has 16 bytes or more")
    if PATTERN.fullmatch(value):
        return value
    found = hmac.digest(key, settled(value).encode(errors="surrogatepass"), "sha256").hex()[:32]
    return f"{VERSION}_{mark_of(key)}_{found}"


def mark_of(key: bytes) -> str:
    """Return what tells a key from others, and says nothing of it."""
    return hmac.digest(key, b"mark of a key of pseudonyms", "sha256").hex()[:6]


def settled(value: str) -> str:
    """Return the one writing of an e-mail address or a telephone number; another value as it is.

    >>> settled("mailto:Kim@Example.org"), settled("Kim Li <kim@example.org>"), settled("+49 (0)170 123-4567")
    ('kim@example.org', 'kim@example.org', '+491701234567')
    >>> settled("User-7")
    'User-7'
    """
    bare = value.strip()
    for scheme in _SCHEMES:
        bare = bare[len(scheme) :] if bare.lower().startswith(scheme) else bare
    bare = re.sub("%40", "@", bare, count=1)
    if named := _NAMED.fullmatch(bare):
        bare = named[1]
    if "@" in bare:
        return bare.lower()
    if bare.startswith("+"):
        return "+" + "".join(re.findall("[0-9]", bare.replace("(0)", "")))
    return value
