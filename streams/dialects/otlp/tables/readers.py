"""How an attribute's value is read: None where it is not of that kind, for nothing is guessed from it."""

import ast
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

MAX_TEXT: Final = 256
"""Characters of a name that are kept; as many as the contract takes."""
MAX_COUNT: Final = 2**53
MAX_PARSED: Final = 1_000_000
"""Characters of a structured text that is parsed; a longer one says nothing."""
ABSENT: Final = frozenset({"", "none", "null", "nan", "undefined", "__redacted__", "unknown"})
"""Words, in lower case, that stand for nothing."""
_WORDY: Final = frozenset("abcdeghijklmopqrsuvwxyzABCDEFGHIJKLMOPQRSTUVWXYZ")
"""Letters with which neither JSON nor a number begins."""
_LONGEST_ABSENT: Final = max(map(len, ABSENT))


def text(value: Any) -> str | None:
    """Return a name, cut to what the contract takes.

    >>> text(" gpt-4o "), text(7), text("None"), text(["a"])
    ('gpt-4o', '7', None, None)
    """
    if type(value) is not str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        value = str(value)
    name: str = value.strip()
    if name[:1] == '"':
        name = _unquoted(name)
    if len(name) > MAX_TEXT:
        name = name[:MAX_TEXT]
    if "\0" in name:
        name = name.replace("\0", "")
    return None if len(name) <= _LONGEST_ABSENT and name.lower() in ABSENT else name


def _unquoted(value: str) -> str:
    """Return a text without the quotes of JSON, in which some write every value."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def answer(value: Any) -> str | None:
    """Return what a guard answered: in capitals NONE is the word of Bedrock for no objection, else it is no answer.

    >>> answer("NONE"), answer("None"), answer("pass")
    ('NONE', None, 'pass')
    """
    return "NONE" if value == "NONE" else text(value)


def texts(value: Any) -> list[str] | None:
    """Return names, given as an array, as JSON of one, or alone.

    >>> texts(["stop"]), texts('["stop", null]'), texts("stop"), texts([]), texts({"hate": True, "violence": False})
    (['stop'], ['stop'], ['stop'], None, ['hate'])
    """
    if isinstance(value, str) and value[:1] in ("[", "{"):
        value = structure(value)
    if isinstance(value, dict):
        value = [key for key, content in value.items() if content]
    items = value if isinstance(value, list) else [value]
    names = [name for name in map(text, items[:64]) if name]
    return names or None


def word(value: Any) -> str | None:
    """Return a word as the tables compare it; also one that JSON quotes.

    >>> word("Guard-Rail"), word(True), word('"CHAT_MODEL"')
    ('guard_rail', 'true', 'chat_model')
    """
    if isinstance(value, bool):
        return str(value).lower()
    name = text(value)
    return plain(name) if name else None


def plain(name: str) -> str:
    """Return a word in the form in which the tables have it."""
    return name.lower().replace("-", "_").replace(" ", "_").replace("/", "_")


def count(value: Any) -> int | None:
    """Return a whole number from 0.

    >>> count("12"), count(12.0), count(-1), count(True), count("many")
    (12, 12, None, None, None)
    """
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else None
    amount = number(value)
    return int(amount) if amount is not None and 0 <= amount <= MAX_COUNT and amount == int(amount) else None


def number(value: Any) -> float | None:
    """Return a finite number, also where it is written as text."""
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) < 1e300 else None


def milliseconds(value: Any) -> float | None:
    """Return a duration given in milliseconds."""
    amount = number(value)
    return float(amount) if amount is not None and 0 <= amount <= 1e12 else None


def seconds(value: Any) -> float | None:
    """Return milliseconds of a duration given in seconds, to the nanosecond.

    >>> seconds(0.25), seconds(0.3509), seconds(-1)
    (250.0, 350.9, None)
    """
    amount = number(value)
    return milliseconds(round(amount * 1000, 6)) if amount is not None else None


def flag(value: Any) -> bool | None:
    """Return yes or no.

    >>> flag(True), flag("False"), flag(1), flag("perhaps")
    (True, False, True, None)
    """
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}.get(value.strip().lower())
    return bool(value) if isinstance(value, bool) or value in (0, 1) else None


def objects(value: Any) -> list[dict[str, Any]] | None:
    """Return a list of objects, structured or as JSON."""
    items = structure(value)
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return found or None


def counts(value: Any) -> dict[str, int] | None:
    """Return counts by name; a bare count stands under no name.

    >>> counts('{"EMAIL": 2, "PERSON": 0}'), counts(3), counts("{}")
    ({'EMAIL': 2}, {'': 3}, None)
    """
    found = structure(value)
    pairs = found.items() if isinstance(found, dict) else [("", found)]
    amounts = {str(name)[:MAX_TEXT]: count(amount) for name, amount in pairs}
    return {name: amount for name, amount in amounts.items() if amount} or None


def structure(value: Any) -> Any:
    """Return what a text in JSON, or in Python's own notation, stands for; any other value as it is.

    >>> structure('{"a": null}'), structure("{'a': None}"), structure("a {")
    ({'a': None}, {'a': None}, 'a {')
    """
    return _parsed(value) if type(value) is str and value[:1] not in _WORDY and len(value) <= MAX_PARSED else value


@lru_cache(maxsize=8)
def _parsed(value: str) -> Any:
    """Return what a text stands for; several readers ask for the same one, and none changes what it gets."""
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return _python(value)


def _python(value: str) -> Any:
    if value[:1] not in ("{", "[") or len(value) > 50_000:
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return value


READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "text": text,
    "answer": answer,
    "texts": texts,
    "word": word,
    "count": count,
    "number": number,
    "milliseconds": milliseconds,
    "seconds": seconds,
    "flag": flag,
    "objects": objects,
    "counts": counts,
}
"""By the name that the table of aliases uses."""
