"""The log as it is read: from an entry on, or its last ones; and the program with which others read it."""

import inspect
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from streams.audit import ed25519, sealed, verifier
from streams.audit.log import AuditLog, tail_of
from streams.audit.verifier import lines_of, read_entry

TAIL_BYTES: Final = 262_144
_END: Final = "\n"


def lines(audit: AuditLog, after: int = 0) -> Iterator[bytes]:
    """Yield the lines of a log behind an entry; by their places, whatever they say."""
    parts = audit.parts()
    begins = [int(file.stem) for file, _ in parts]
    for (file, size), begin, following in zip(parts, begins, [*begins[1:], None], strict=True):
        if following is None or following > after + 1:
            found = lines_of(file, size)
            yield from (line.data for line in islice(found, max(after + 1 - begin, 0), None))


def last(audit: AuditLog, most: int, *, without: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Return the last entries that are whole, newest first, but for some kinds; of the end of the log alone."""
    parts = audit.parts()
    seen = (read_entry(data) for data in reversed(tail_of(*parts[-1], TAIL_BYTES).splitlines() if parts else []))
    return list(islice((each for each in seen if each is not None and each["kind"] not in without), most))


def program() -> str:
    """Return the verifier as one file that needs nothing but Python: what it imports of ours stands within it."""
    text = inspect.getsource(verifier)
    for part in (ed25519, sealed):
        before, found, after = text.partition(f"from {part.__name__} import ")
        assert found  # noqa: S101
        text = f"{before}{inspect.getsource(part)}{after.partition(_END)[2]}"
    return text
