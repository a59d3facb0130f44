"""Numbers that name a person and can be told from other numbers: by their own writing and their check digits.

What only looks like a number of many digits is left alone: orders, times and traces are written so too.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final

from stdnum import iban, luhn

Span = tuple[str, int, int]
"""What was found, under the name that Presidio has for it, and from where to where."""

_BEFORE: Final = r"(?<![\w.+-])(?<!\w[/:])"
_AFTER: Final = r"(?![\w-])(?!\.\w)"

NATIONAL: Final[tuple[tuple[str, str, str], ...]] = (
    ("US_SSN", "us.ssn", r"\d{3}-\d{2}-\d{4}"),
    ("UK_NHS", "gb.nhs", r"\d{3}[ -]\d{3}[ -]\d{4}"),
    ("ES_NIF", "es.dni", r"\d{8}-?[A-Z]"),
    ("ES_NIE", "es.nie", r"[XYZ]-?\d{7}-?[A-Z]"),
    ("IT_FISCAL_CODE", "it.codicefiscale", r"[A-Z]{6}[\dL-V]{2}[A-EHLMPRST][\dL-V]{2}[A-Z][\dL-V]{3}[A-Z]"),
    ("FI_PERSONAL_IDENTITY_CODE", "fi.hetu", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]"),
    ("DE_TAX_ID", "de.idnr", r"\d{2} \d{3} \d{3} \d{3}"),
    ("FR_NIR", "fr.nir", r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}"),
    ("SE_PERSONNUMMER", "se.personnummer", r"\d{6}[-+]\d{4}"),
    ("BE_NATIONAL_NUMBER", "be.nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
    ("CH_AHV", "ch.ssn", r"756\.\d{4}\.\d{4}\.\d{2}"),
    ("CZ_BIRTH_NUMBER", "cz.rc", r"\d{6}/\d{3,4}"),
    ("BR_CPF", "br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
    ("MX_CURP", "mx.curp", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d"),
    ("IN_AADHAAR", "in_.aadhaar", r"\d{4} \d{4} \d{4}"),
    ("KR_RRN", "kr.rrn", r"\d{6}-\d{7}"),
    ("CN_RESIDENT_ID", "cn.ric", r"\d{17}[\dX]"),
    ("CA_SIN", "ca.sin", r"\d{3}[ -]\d{3}[ -]\d{3}"),
)
"""National numbers with check digits, or dates: their name, the module of `stdnum` that checks them, and how they are
written. Those that any number of as many digits may be, one in ten of these or more, are not among them."""

_IBAN: Final = re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\w-])", re.ASCII)
_CARD: Final = re.compile(
    rf"{_BEFORE}\d{{4}}(?:\d{{9,15}}|(?: \d{{2,6}}){{2,4}}|(?:-\d{{2,6}}){{2,4}}){_AFTER}", re.ASCII
)
_NETWORKS: Final = re.compile(
    r"4(?:.{12}|.{15}|.{18})|(?:5[1-5]|2[2-7]).{14}|3[47].{13}|3(?:0[0-5]|[68].).{11}|35.{14}|6(?:011|2..|4[4-9].|5..).{12,15}"
)
"""First digits and lengths of the numbers of Visa, Mastercard, American Express, Diners, JCB, Discover and UnionPay."""
_GROUPS: Final = re.compile(r"\d+|\d{4}(?:[ -]\d{4}){2,3}(?:[ -]\d{1,4})?|\d{4}[ -]\d{6}[ -]\d{4,5}")
_IPV4: Final = re.compile(rf"{_BEFORE}(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![\w-])(?!\.\d)", re.ASCII)
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]{2,34}(?![\w:.])", re.ASCII)


def numbers(text: str) -> Iterator[Span]:
    """Yield what of a text is the number of an account, a card, a person or a public address of the internet."""
    for found in _IBAN.finditer(text):
        if length := _length_of_iban(found[0]):
            yield "IBAN_CODE", found.start(), found.start() + length
    for kind, pattern, is_valid in _KINDS:
        for found in pattern.finditer(text):
            if is_valid(found[0]):
                yield kind, *found.span()


def is_card(text: str) -> bool:
    """Tell whether a text is the number of a payment card, by network, length, groups and check digit (Luhn).

    >>> is_card("4111 1111 1111 1111"), is_card("4111111111111112"), is_card("1767225600000000000")
    (True, False, False)
    """
    digits = text.replace(" ", "").replace("-", "")
    return bool(_GROUPS.fullmatch(text) and _NETWORKS.fullmatch(digits)) and luhn.is_valid(digits)


def _length_of_iban(text: str) -> int:
    """Return how much of a text is a number of a bank account, 0 for none: words in capitals may follow it."""
    while len(text) >= 15:
        if iban.is_valid(text):
            return len(text)
        text = text.rpartition(" ")[0]
    return 0


def _is_public(text: str) -> bool:
    """Tell whether a text is an address that somebody in the internet has; those of a network's own are nobody's."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_global and (address.version == 4 or address.packed[0] >> 5 == 1)


def _passes(module: str) -> Callable[[str], bool]:
    return lambda text: bool(import_module(f"stdnum.{module}").is_valid(text))


_KINDS: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...]] = (
    ("CREDIT_CARD", _CARD, is_card),
    *((kind, re.compile(_BEFORE + text + _AFTER, re.ASCII), _passes(module)) for kind, module, text in NATIONAL),
    ("IP_ADDRESS", _IPV4, _is_public),
    ("IP_ADDRESS", _IPV6, _is_public),
)
"""What has one pattern: its name, how it is written, and whether a text of that writing is one."""
