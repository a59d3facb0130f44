"""Values of foreign records in the contract's units: blank means absent, and what does not fit is absent too."""

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from schemas.fields import EARLIEST_UNIX_NANO, NANO

LONGEST_NAME: Final = 256
"""Characters of an identifier or a name, as `schemas.fields` limits them."""

_ZONE: Final = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)
_MORE_THAN_MICROSECONDS: Final = re.compile(r"(\.\d{6})\d+")


def text(value: Any, most: int = LONGEST_NAME) -> str | None:
    """Return a text that says something, or None: blank ones and the words for nothing are absent.

    >>> text("gpt-4o"), text("  "), text("None"), text(7)
    ('gpt-4o', None, None, '7')
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = str(value).replace("\0", "").strip()
    return None if found in ("", "None", "null") else found[:most]


def first(*values: Any) -> str | None:
    """Return the first text that says something.

    >>> first("", None, "a", "b")
    'a'
    """
    return next((found for found in map(text, values) if found is not None), None)


def number(value: Any) -> float | None:
    """Return a finite number, also one that was sent as text.

    >>> number("12.5"), number(True), number("x"), number(float("nan"))
    (12.5, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def count(value: Any) -> int | None:
    """Return a count, or None where it is negative, broken or no number.

    >>> count(12.0), count("7"), count(-1), count(1.5)
    (12, 7, None, None)
    """
    found = number(value)
    return int(found) if found is not None and found >= 0 and found == int(found) else None


def nano(value: Any) -> int | None:
    """Return a time in Unix nanoseconds: from a number in seconds, ms, us or ns, by its size, or from ISO 8601.

    A time without a zone is taken for UTC (`zoned` tells).

    >>> nano(1770000000.5), nano(1770000000500), nano("2026-02-02T02:40:00.5Z")
    (1770000000500000000, 1770000000500000000, 1770000000500000000)
    """
    found = number(value)
    if found is not None:
        for scale in (1, 1_000, 1_000_000, NANO):
            if found < 10_000_000_000 * scale:
                return _plausible(int(value) if scale == NANO else _scaled(found, NANO // scale))
        return None
    return _plausible(_iso_nano(value)) if isinstance(value, str) else None


def _scaled(found: float, to_nano: int) -> int:
    """Return a number of some unit in nanoseconds, to the microsecond: a double has no more digits of such a time."""
    return round(found * to_nano / 1_000) * 1_000


def _plausible(found: int | None) -> int | None:
    return found if found is not None and EARLIEST_UNIX_NANO <= found < 2**63 else None


def _iso_nano(value: str) -> int | None:
    try:
        when = datetime.fromisoformat(_MORE_THAN_MICROSECONDS.sub(r"\1", value.strip()))
    except ValueError:
        return None
    since = (when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.fromtimestamp(0, UTC)
    return (since.days * 86_400 + since.seconds) * NANO + since.microseconds * 1_000


def zoned(value: Any) -> bool:
    """Tell whether a time says where it was; one without a zone is taken for UTC.

    >>> zoned("2026-02-02T02:40:00"), zoned("2026-02-02T02:40:00Z"), zoned(1770000000)
    (False, True, True)
    """
    return not isinstance(value, str) or number(value) is not None or _ZONE.search(value.strip()) is not None


def milliseconds(seconds: Any) -> float | None:
    """Return seconds as milliseconds; negative ones are absent.

    >>> milliseconds(0.0529), milliseconds(-1)
    (52.9, None)
    """
    found = number(seconds)
    return round(found * 1_000, 6) if found is not None and found >= 0 else None


def spent(start: int | None, end: int | None) -> float | None:
    """Return the milliseconds between two times in nanoseconds; an end before its start is absent."""
    return (end - start) / 1_000_000 if start is not None and end is not None and end >= start else None


def mapping(value: Any) -> dict[str, Any]:
    """Return a mapping, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a list, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the mappings of a list, or of one mapping that stands alone."""
    return [item for item in sequence([value] if isinstance(value, dict) else value) if isinstance(item, dict)]


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that are known.

    >>> present({"a": 0, "b": None, "c": [], "d": False})
    {'a': 0, 'd': False}
    """
    return {name: value for name, value in fields.items() if holds(value)}


def told(record: dict[str, Any], paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths, with dots between keys, that hold something: what is known and has no place of ours."""
    return tuple(path for path in paths if holds(at(record, path)))


def holds(value: Any) -> bool:
    """Tell whether a value is more than nothing, whatever stands for nothing.

    >>> holds(0), holds(False), holds(""), holds([]), holds(None)
    (True, True, False, False, False)
    """
    return bool(value) or (value is not None and isinstance(value, int | float))


def at(record: Any, path: str) -> Any:
    """Return what stands at a path with dots between keys, or None.

    >>> at({"a": {"b": 1}}, "a.b"), at({"a": 3}, "a.b")
    (1, None)
    """
    for key in path.split("."):
        record = record.get(key) if isinstance(record, dict) else None
    return record
