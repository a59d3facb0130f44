"""Words that nobody here knows: kept as they came, counted by field, and named once in the log."""

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from schemas.categories import FAMILIES
from schemas.events import Retrieval
from schemas.vocabulary import EVENT_WORDS, FINDING_WORDS, GUARD_WORDS, TRUSTS
from streams.events.decode import Columns
from streams.events.guards import Guards
from streams.health.metrics import UNKNOWN_WORDS

log = structlog.get_logger()

REMEMBERED: Final = 1_000
"""Words that are named in the log; from there on only counted."""

_CATEGORIES: Final = tuple(FAMILIES)
_named: Final[set[tuple[str, str]]] = set()


def note_words(columns: Columns, guards: Guards) -> None:
    """Count the unknown words of a batch of one kind, and name those that are new."""
    for field, words in _unknown(columns, guards):
        UNKNOWN_WORDS.labels(field).inc(len(words))
        for word in words.unique().to_pylist():
            if (field, word) not in _named and len(_named) < REMEMBERED:
                _named.add((field, word))
                log.warning("unknown word, kept as it is", field=field, word=word[:64])


def _unknown(columns: Columns, guards: Guards) -> Iterator[tuple[str, pa.Array]]:
    """Yield the unknown words of each field; those of guards and findings are named by where they stand."""
    table = columns.table
    yield from _of((name, table.column(name), known) for name, known in EVENT_WORDS.items() if _has(columns, name))
    if columns.kind is Retrieval:
        documents = pc.list_flatten(table.column("documents").combine_chunks())
        yield from _of([("document.trust", pc.struct_field(documents, "trust"), TRUSTS)])
    if not len(guards.result):
        return
    result = guards.result
    yield from _of((f"guard.{name}", pc.struct_field(result, name), known) for name, known in GUARD_WORDS.items())
    items = pc.list_flatten(pc.struct_field(result, "findings"))
    found = FINDING_WORDS | {"category": _CATEGORIES}
    yield from _of((f"finding.{name}", pc.struct_field(items, name), known) for name, known in found.items())


def _has(columns: Columns, name: str) -> bool:
    return name in columns.table.column_names


def _of(
    fields: Iterable[tuple[str, pa.Array | pa.ChunkedArray, tuple[str, ...]]],
) -> Iterator[tuple[str, pa.Array]]:
    for field, column, known in fields:
        if column.null_count == len(column):
            continue
        there = column.drop_null()
        words = there.filter(pc.invert(pc.is_in(there, pa.array((*known, "")))))
        if len(words):
            yield field, words
