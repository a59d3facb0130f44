"""What a check has to say."""

from dataclasses import dataclass

from streams.text.shares import percent


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something that looks wrong: of which service, what was seen, and what to do about it."""

    check: str
    service: str
    evidence: str
    advice: str

    def __str__(self) -> str:
        """Return it as one sentence of evidence and one of advice."""
        return f"{self.check}, {self.service}: {self.evidence}; {self.advice}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole as people read it.

    >>> share(3, 8)
    '3 of 8 (38 %)'
    """
    return f"{part:,} of {whole:,} ({percent(part / whole, 0, ' ')})"
