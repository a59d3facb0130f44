"""Reports in the log: a page is entered with its hash when it is made, and names the entry; needs nothing but Python.

The page has one place for that, empty while its SHA-256 is taken: whatever else of it is changed has another hash, and
the place itself must name an entry of the log.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

PLACE: Final = '<p id="seal"></p>'
KIND: Final = "report"
_SEAL: Final = re.compile(rb'<p id="seal">([^<]*)</p>')
_NAMED: Final = re.compile(rb"Entry ([1-9][0-9]{0,17}) of the audit log, with the hash ([0-9a-f]{64})")


def digest_of(page: bytes) -> str:
    """Return the hash of a page, without what names its entry."""
    return hashlib.sha256(_SEAL.sub(PLACE.encode(), page)).hexdigest()


def with_entry(page: str, number: int, entry_hash: str) -> str:
    """Return a page with the entry that it is."""
    text = f"Entry {number} of the audit log, with the hash {entry_hash}"
    return page.replace(PLACE, PLACE.replace("><", f">{text}<"))


def told(page: bytes, entries: Mapping[int, Mapping[str, Any]], proven: int) -> tuple[bool, str]:
    """Tell whether a page is the one that a log says was made, and say what it is or what is wrong.

    Parameters
    ----------
    page
        All of the file.
    entries
        Those of the kind `KIND` in a log that was verified, by number.
    proven
        The number of the last entry that a head proves.
    """
    seals = _SEAL.findall(page)
    named = _NAMED.fullmatch(seals[0]) if len(seals) == 1 else None
    if named is None:
        return False, "names no entry of an audit log: it was made where there is none, or changed"
    number, entry_hash = int(named[1]), named[2].decode()
    entry = entries.get(number)
    if entry is None or entry["hash"] != entry_hash:
        return False, f"names entry {number}, which is no report of that hash in this log"
    if entry.get("sha256") != digest_of(page):
        return False, f"was changed: entry {number} is of a page with another hash"
    made = f"is the one of entry {number}, made by {entry.get('who', '')} at {entry.get('time', '')}"
    return True, made if number <= proven else f"{made}; no head proves that entry yet"
