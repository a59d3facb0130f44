"""How deep a record goes and how many parts it has, told in one linear pass before any parser sees it."""

import re
from typing import Final

from .fields import MAX_DEPTH

_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BRACKETS: Final = bytes.maketrans(b"[]{}", b"()()")
_NO_SIGNS: Final = bytes(set(range(256)) - set(b"[]{},"))


def certainly_shallow(value: bytes) -> bool:
    """Tell, at the cost of counting two characters, that a record is not too deep; False where it may be."""
    return value.count(b"[") + value.count(b"{") <= MAX_DEPTH


def too_deep(value: bytes) -> bool:
    """Tell whether JSON is nested deeper than `MAX_DEPTH`.

    Text inside of strings does not count. What is not JSON is judged by its brackets up to where it breaks, so that
    no parser can meet more of them than are counted here.

    >>> too_deep(b'{"a":[1]}'), too_deep(b"[" * 33), too_deep(b'{"text":"' + b"[" * 33 + b'"}')
    (False, True, False)
    """
    signs = _signs(value).translate(_BRACKETS, b",")
    for _ in range(MAX_DEPTH):
        signs = signs.replace(b"()", b"")  # the innermost level of all that is left
    return b"(" in signs and (b"()" in signs or signs.count(b"(") > MAX_DEPTH)


def parts(value: bytes) -> int:
    """Return how many fields and items a record has, of all levels together, give or take one a level.

    >>> parts(b'{"a":[1,2,3],"b":"x,y,z"}')
    4
    """
    return _signs(value).count(b",") + 1


def _signs(value: bytes) -> bytes:
    """Return the brackets and commas that stand outside of strings."""
    return _STRING.sub(b"", value).translate(None, _NO_SIGNS)
