"""Pseudonyms that a service makes itself, so that no address leaves it."""

import os
from functools import cache
from pathlib import Path
from typing import Final

from ..pseudonyms import pseudonym as _pseudonym

KEY: Final = "WATCHKEEPER_PSEUDONYM_KEY"
FILE: Final = "WATCHKEEPER_PSEUDONYM_KEY_FILE"


def pseudonym(value: str, key: bytes | None = None) -> str:
    """Return what stands for a person: the same for the same e-mail address, telephone number or id.

    Parameters
    ----------
    value
        What the service knows the person by.
    key
        As `watchkeeper pseudonym --key` prints it; None takes it from the variable `WATCHKEEPER_PSEUDONYM_KEY`, or from
        the file that `WATCHKEEPER_PSEUDONYM_KEY_FILE` names.

    Raises
    ------
    ValueError
        Where there is no key, or one of less than 16 bytes: nobody is to guess persons from their pseudonyms.
    OSError
        Where its file can't be read.

    >>> pseudonym("Kim@example.org", b"0123456789abcdef")
    'u1_610769_826f33a6aa1d3b1134ae1a881916d4f7'
    """
    return _pseudonym(value, key or _key(os.environ.get(KEY, ""), os.environ.get(FILE, "")))


@cache
def _key(given: str, file: str) -> bytes:
    found = (given or (Path(file).read_text() if file else "")).strip().encode()
    if not found:
        raise ValueError(
            f"there is no key of pseudonyms: set {KEY} or {FILE} to what `watchkeeper pseudonym --key` says"
        )
    return found
