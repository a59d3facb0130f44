"""Whose data are erased, as a keyed hash: who reads it learns nothing, who has the value can tell that it is meant."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from schemas.erasures import Erasure, Subject
from streams.access.tokens import house_key
from streams.settings import Settings

COLUMNS: Final[Mapping[Subject, str]] = {
    "user": "user_pseudo_id", "session": "session_id", "tenant": "tenant_id",
}  # fmt: skip
"""Where events name each."""


class Keyed:
    """Hashes values with the key of an installation: `WATCHKEEPER_HASH_KEY`, else one made in the data folder."""

    def __init__(self, settings: Settings) -> None:
        self._key: Final = house_key(settings, b"watchkeeper erasures")
        self.key_id: Final = self._hash("key")[:8]

    def hash(self, subject: Subject, value: str) -> str:
        """Return the hash of a value that names somebody."""
        return self._hash(f"{subject}\0{value}")

    def _hash(self, text: str) -> str:
        return hmac.new(self._key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


class Named(NamedTuple):
    """Somebody who is found by a value, what stands in its place, and up to which time, in Unix nanoseconds."""

    subject: Subject
    value: str
    instead: str
    until: int


class Known:
    """All erasures that are known, and whom a value names among them.

    Parameters
    ----------
    erasures
        With the key of this installation; those of another name nobody here.
    """

    def __init__(self, keyed: Keyed, erasures: Iterable[Erasure]) -> None:
        self._keyed: Final = keyed
        self._by_hash: Final[dict[tuple[Subject, str], Erasure]] = {}
        for each in erasures:  # what was asked for again later holds until then
            known = self._by_hash.get((each.subject, each.subject_hash))
            if each.key_id == keyed.key_id and (known is None or known.time_unix_nano < each.time_unix_nano):
                self._by_hash[each.subject, each.subject_hash] = each
        self.subjects: Final = frozenset(subject for subject, _ in self._by_hash)

    def among(self, subject: Subject, values: Iterable[str | None]) -> list[Named]:
        """Return who is named by some values."""
        found = ((value, self._by_hash.get((subject, self._keyed.hash(subject, value)))) for value in values if value)
        return [Named(subject, value, instead(each), each.time_unix_nano) for value, each in found if each is not None]


def instead(erasure: Erasure) -> str:
    """Return what stands where somebody was named: it tells one from another, and names nobody."""
    return f"~{erasure.subject_hash[:16]}"
