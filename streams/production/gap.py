"""Something that stands open."""

from msgspec import Struct


class Gap(Struct, frozen=True):
    """What stands open, what may come of it, and what to do."""

    check: str
    seen: str
    advice: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.check}: {self.seen}; {self.advice}"
