"""The keys of an installation's pseudonyms: the one in use, and the one before."""

from typing import Final

from schemas.pseudonyms import PATTERN, mark_of, pseudonym
from streams.access.tokens import house_key
from streams.settings import Settings

PURPOSE: Final = b"watchkeeper pseudonyms"


def shared_key(settings: Settings) -> str:
    """Return the key that services need to make the same pseudonyms: that of the settings, else one of the house's.

    The house's own key can't be told from it.
    """
    return settings.pseudonym_key.get_secret_value() or house_key(settings, PURPOSE).hex()


class Pseudonyms:
    """Makes pseudonyms with the key in use, and tells those of other keys."""

    def __init__(self, settings: Settings) -> None:
        before = settings.pseudonym_key_before.get_secret_value()
        self._keys: Final = tuple(each.encode() for each in (shared_key(settings), before) if each)
        self.marks: Final = frozenset(map(mark_of, self._keys))

    @property
    def key(self) -> bytes:
        """The key in use."""
        return self._keys[0]

    def of(self, value: str) -> str:
        """Return what stands for somebody."""
        return pseudonym(value, self._keys[0])

    def every(self, value: str) -> list[str]:
        """Return what stands for somebody, and what stood before the key was changed."""
        return [pseudonym(value, key) for key in self._keys]

    def of_another_key(self, value: str) -> bool:
        """Tell whether a value is a pseudonym that was made with neither key."""
        found = PATTERN.fullmatch(value)
        return found is not None and found[1] not in self.marks
