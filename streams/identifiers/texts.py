"""What in a text is a direct identifier, and the text without it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from phonenumbers import Leniency, NumberParseException, PhoneNumberMatcher, is_valid_number, parse

from schemas.pseudonyms import settled
from streams.identifiers.numbers import Span, numbers

EMAIL: Final = re.compile(
    r"[\w+%][\w.+'%-]{0,63}(?:@|%40)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[0-9A-Za-z-]{2,40}|[^\W\d_]{2,24})(?!\w)"
)
ADDRESS: Final = "EMAIL_ADDRESS"
PHONE: Final = "PHONE_NUMBER"

SUSPECT: Final = (
    r"@|%40|\+[ (]{0,2}[0-9]|[0-9](?:[ .()/\-]{0,2}[0-9]){6}|[0-9]{6}[A-FU-Y+\-][0-9]{3}|[A-Z]{4}[0-9]{6}"
    r"|[A-Z]{6}[0-9]|[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}|[0-9](?:[0-9.]{0,3}\.){3}[0-9]"
    r"|[0-9A-Fa-f]:[0-9A-Fa-f]{0,4}:"
)
"""What every text has that holds an identifier, and few others; each part of it has a digit, `@`, `%` or `:`."""

REMEMBERED: Final = 20_000
"""Texts whose answer is remembered: what services say of errors they say again and again."""


class Finder(NamedTuple):
    """Finds identifiers in a text, in those alone in which the pattern `suspect` is found."""

    find: Callable[[str], Iterable[Span]]
    suspect: str


def usual(regions: Sequence[str] = ()) -> Finder:
    """Return what finds e-mail addresses, telephone numbers and what `numbers` knows.

    Parameters
    ----------
    regions
        Countries, as `DE`, whose telephone numbers are found without their `+` too.
    """
    return Finder(lambda text: (*_addresses(text), *_phones(text, regions), *numbers(text)), SUSPECT)


def _addresses(text: str) -> Iterator[Span]:
    if "@" in text or "%40" in text:
        for found in EMAIL.finditer(text):
            yield ADDRESS, *found.span()


def _phones(text: str, regions: Sequence[str]) -> Iterator[Span]:
    asked = [*([None] if "+" in text else []), *regions]
    for region in asked:
        for found in PhoneNumberMatcher(text, region, Leniency.STRICT_GROUPING if region else Leniency.VALID):
            yield PHONE, found.start, found.end


class Texts:
    """Masks what a finder finds; the same text always comes out the same."""

    def __init__(self, finder: Finder) -> None:
        self._find: Final = finder.find
        self.suspect: Final = finder.suspect
        self._suspect: Final = re.compile(finder.suspect)
        self.masked: Final = lru_cache(REMEMBERED)(self._masked)

    def _masked(self, text: str) -> tuple[str, tuple[tuple[str, int], ...]]:
        """Return a text with names of kinds in place of identifiers, and how many there were of each.

        >>> Texts(usual()).masked("no account for kim@example.org, card 4111 1111 1111 1111")
        ('no account for <EMAIL_ADDRESS>, card <CREDIT_CARD>', (('CREDIT_CARD', 1), ('EMAIL_ADDRESS', 1)))
        """
        if not self._suspect.search(text):
            return text, ()
        parts, end, kinds = list[str](), 0, Counter[str]()
        for kind, first, last in sorted(self._find(text), key=lambda span: (span[1], -span[2], span[0])):
            if first >= end:
                parts += [text[end:first], f"<{kind}>"]
                end = last
                kinds[kind] += 1
        limit = max(len(text), 256)  # no field of a contract takes less
        return ("".join([*parts, text[end:]])[:limit], tuple(sorted(kinds.items()))) if kinds else (text, ())


def is_phone(value: str) -> bool:
    """Tell whether a value is a telephone number and nothing else, with the code of its country.

    >>> is_phone("+49 30 901820"), is_phone("tel:+1 202 456 1111"), is_phone("4930901820"), is_phone("+5 apples")
    (True, True, False, False)
    """
    number = settled(value)
    if not number.startswith("+") or re.search("[^0-9+ ().tel:/-]", value):
        return False
    try:
        return is_valid_number(parse(number))
    except NumberParseException:
        return False
