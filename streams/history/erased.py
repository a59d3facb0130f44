"""Records that come again, or late, and name somebody who was erased: they are stored, and name nobody."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from schemas.erasures import Subject
from streams.erasure.subjects import COLUMNS, Known, Named
from streams.erasure.tables import LEADS_TO, TEXTS
from streams.erasure.texts import DOCUMENTS, JSON, candidates, unescaped, without
from streams.history.rows import Rows


class Erased:
    """Takes out of rows whom it knows to be erased; nobody to begin with."""

    def __init__(self) -> None:
        self._known: Known | None = None

    def learn(self, known: Known) -> None:
        """Know these from now on."""
        self._known = known

    def out_of(self, parts: Sequence[Rows]) -> list[Rows]:
        """Return rows that name none of them."""
        known = self._known
        if known is None or not known.subjects:
            return list(parts)
        return [replace(part, columns=_out_of(part, known)) for part in parts]


def _out_of(part: Rows, known: Known) -> pa.Table:
    table, columns = part.table.name, part.columns
    for subject in sorted(known.subjects):
        found = known.among(subject, _said(table, columns, subject))
        for named in found:
            if COLUMNS[subject] in columns.column_names:
                columns = _without(columns, COLUMNS[subject], named)
            for document in set(DOCUMENTS.get(table, ())) & set(columns.column_names):
                columns = _in_texts(table, columns, document, named)
    return columns


def _said(table: str, columns: pa.Table, subject: Subject) -> set[str | None]:
    """Return everything that may name somebody: a column of its own, and fields of records that are kept as JSON."""
    name, pattern = COLUMNS[subject], re.compile(candidates(subject))
    found = set(pc.unique(columns.column(name)).to_pylist()) if name in columns.column_names else set()
    for document in (document for of, document in JSON if of == table and document in columns.column_names):
        for value in columns.column(document).to_pylist():
            found |= unescaped(pattern.findall(_text(value)))
    return found


def _without(columns: pa.Table, subject: str, named: Named) -> pa.Table:
    """Return columns whose rows of somebody say another name, and nothing that leads to them."""
    theirs = pc.and_(pc.equal(columns.column(subject), named.value), _until(columns, named)).to_pylist()
    emptied = TEXTS if named.subject == "tenant" else LEADS_TO
    for name in {subject, *emptied} & set(columns.column_names):
        column = columns.column(name)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        several = pa.types.is_list(kind) or pa.types.is_map(kind)
        other: Any = named.instead if name == subject else [] if several else ""
        pairs = zip(theirs, column.to_pylist(), strict=True)
        changed = pa.array([other if their else value for their, value in pairs], kind)
        columns = columns.set_column(columns.column_names.index(name), name, changed)
    return columns


def _in_texts(table: str, columns: pa.Table, document: str, named: Named) -> pa.Table:
    column = columns.column(document)
    meant = [True] * len(column) if table == "dead_letters" else _until(columns, named).to_pylist()
    pairs = zip(meant, column.to_pylist(), strict=True)
    changed = pa.array([_otherwise(table, value, named) if mean else value for mean, value in pairs], column.type)
    return columns.set_column(columns.column_names.index(document), document, changed)


def _otherwise(table: str, value: Any, named: Named) -> Any:
    """Return a text that does not name somebody; of a refused record who sent it stays, and no more."""
    text = _text(value)
    found = without(text, [named])
    if found == text:
        return value
    if table == "dead_letters":
        found = _whose(text)
    return found.encode(errors="surrogateescape") if isinstance(value, bytes) else found


def _whose(text: str) -> str:
    """Return what views ask of a refused record, as of `streams.retention.classes.WHOSE`.

    >>> _whose('{"service_name": "shop", "time_unix_nano": 5, "user_pseudo_id": "u"}'), _whose("text")
    ('{"service_name":"shop","time_unix_nano":5}', '{}')
    """
    try:
        said = json.loads(text)
    except ValueError:
        return "{}"
    kept = ("service_name", "source", "time_unix_nano")
    return json.dumps({name: said[name] for name in kept if name in said} if isinstance(said, dict) else {},
                      separators=(",", ":"))  # fmt: skip


def _text(value: Any) -> str:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value or "")


def _until(columns: pa.Table, named: Named) -> pa.ChunkedArray:
    time = columns.column("time" if "time" in columns.column_names else "detected_time")
    return pc.less_equal(time.cast(pa.int64()), named.until)
