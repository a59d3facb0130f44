"""JSON records of one kind to Arrow columns, reading only the fields that occur."""

import io
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from schemas.fields import MAX_AHEAD_NANO
from schemas.wire import encode
from streams.events.arrow_contract import acceptable, arrow_schema, map_fields, occurring, readable_schema, widened
from streams.events.blanks import without_blanks
from streams.events.records import LogRecord

Kind = type[msgspec.Struct]

LOOK_AGAIN: Final = 100
"""Batches with fields that the contract does not know, until it is tried whether they have ceased to come."""


class ColumnReader:
    """Reads records of one kind.

    It remembers which fields it has met, because reading only those is more than twice as fast as reading all that
    might come; what it returns does not depend on that memory. Arrow is never asked to guess: a field that it was
    not told of ends its reading, and a look at the names alone tells what to read, so that what the contract does
    not know, of whatever kind and depth, is passed over and takes no column.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind: Final = kind
        self._full: Final = arrow_schema(kind)
        self._fields: Final = list(self._full)
        self._maps: Final = frozenset(map_fields(kind))
        self._readable: Final = [pa.field("event_type", pa.string()), *readable_schema(kind)]
        self._met = pa.struct([])
        self._look_again = 0  # batches to read by their names before it is tried again without

    def read_clean(self, records: Sequence[LogRecord]) -> pa.Table | None:
        """Return the columns of records, or None where any of them needs a closer look."""
        values = [record.value or b"" for record in records]
        joined = b"\n".join(values)
        if joined.count(b"\n") != len(records) - 1 or not _same_to_both_parsers(joined):
            return None
        table = self._read(values, joined, maps_refused=True)
        if table is None or len(table) != len(records):
            return None
        if not acceptable(self.kind, table) or not _in_time(table, records):
            return None
        return self._complete(table, {})

    def read_structs(self, rows: Sequence[Any]) -> pa.Table:
        """Return the columns of records that the contract has already accepted."""
        values = [encode(row) for row in rows]
        table = self._read(values, b"\n".join(values), maps_refused=False)
        assert table is not None  # noqa: S101  what we encoded we can read
        maps = {
            name: pa.array(
                [list(value.items()) if (value := getattr(row, name)) else None for row in rows],
                self._full.field(name).type,
            )
            for name in self._maps
        }
        return self._complete(table, maps)

    def _read(self, values: Sequence[bytes], joined: bytes, *, maps_refused: bool) -> pa.Table | None:
        """Read the fields that occur, or return None where Arrow cannot."""
        self._look_again -= 1
        if self._look_again < 0:
            table = _read_json(joined, self._met, "error")
            if table is not None:
                return table
        names = _names(values)
        if names is None or (maps_refused and names & self._maps):
            return None
        fields = [
            field for field in self._readable if field.name in names or self._met.get_field_index(field.name) >= 0
        ]
        table = _read_json(joined, pa.struct(fields), "ignore")
        if table is not None:
            met = widened(pa.struct(self._readable), self._met, occurring(table))
            if met == self._met and self._look_again < 0:
                self._look_again = LOOK_AGAIN
            self._met = met
        return table

    def _complete(self, table: pa.Table, maps: dict[str, pa.Array]) -> pa.Table:
        read = dict(zip(table.column_names, table.columns, strict=True))
        columns = []
        for field in self._fields:
            column = read.get(field.name)
            if column is not None:
                columns.append(without_blanks(column if column.type == field.type else column.cast(field.type), field))
            else:
                columns.append(maps[field.name] if field.name in maps else pa.nulls(len(table), field.type))
        return pa.Table.from_arrays(columns, schema=self._full)


def _read_json(joined: bytes, fields: pa.StructType, unexpected: str) -> pa.Table | None:
    try:
        return pj.read_json(
            io.BytesIO(joined),
            read_options=pj.ReadOptions(use_threads=False, block_size=max(len(joined), 1)),
            parse_options=pj.ParseOptions(
                explicit_schema=pa.schema(list(fields)), unexpected_field_behavior=unexpected
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _names(values: Sequence[bytes]) -> set[str] | None:
    """Return the names of the fields of all records, or None where one of them is no object."""
    names: set[str] = set()
    try:
        for value in values:
            names.update(_OUTER(value))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return names


_OUTER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _same_to_both_parsers(joined: bytes) -> bool:
    """Tell whether bytes are valid UTF-8 and free of escapes that two JSON parsers may read differently."""
    if b"\\" in joined and b"\\u" in joined and any(escape in joined for escape in (b"\\u0000", b"\\ud", b"\\uD")):
        return False
    if joined.isascii():
        return True
    try:
        joined.decode()
    except UnicodeDecodeError:
        return False
    return True


def _in_time(table: pa.Table, records: Sequence[LogRecord]) -> bool:
    written = np.fromiter((record.timestamp for record in records), np.int64, len(records))
    ahead = table.column("time_unix_nano").to_numpy() - written * 1_000_000
    return bool((ahead <= MAX_AHEAD_NANO).all())
