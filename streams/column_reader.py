"""JSON records of one kind to Arrow columns, reading only the fields that occur."""

import io
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from schemas.fields import MAX_AHEAD_NANO
from schemas.wire import encode
from streams.arrow_contract import acceptable, arrow_schema, map_fields, readable_schema, widened

Kind = type[msgspec.Struct]


class LogRecord(Protocol):
    """What decoding needs of a Kafka record: its bytes and when it was written, in milliseconds."""

    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...


class ColumnReader:
    """Reads records of one kind.

    It remembers which fields it has met; what it returns does not depend on that memory, only how fast.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind: Final = kind
        self._full: Final = arrow_schema(kind)
        self._readable: Final = pa.struct(list(readable_schema(kind)))
        self._met = pa.struct([])

    def read_clean(self, records: Sequence[LogRecord]) -> pa.Table | None:
        """Return the columns of records, or None where any of them needs a closer look."""
        joined = b"\n".join([record.value or b"" for record in records])
        if joined.count(b"\n") != len(records) - 1 or not _same_to_both_parsers(joined):
            return None
        if any(b'"%s":' % name.encode() in joined for name in map_fields(self.kind)):
            return None
        try:
            table = self._read(joined)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return None
        if len(table) != len(records) or not acceptable(self.kind, table) or not _in_time(table, records):
            return None
        return self._complete(table, {})

    def read_structs(self, rows: Sequence[Any]) -> pa.Table:
        """Return the columns of records that the contract has already accepted."""
        table = self._read(b"\n".join([encode(row) for row in rows]))
        maps = {
            name: pa.array(
                [list(value.items()) if (value := getattr(row, name)) else None for row in rows],
                self._full.field(name).type,
            )
            for name in map_fields(self.kind)
        }
        return self._complete(table, maps)

    def _read(self, joined: bytes) -> pa.Table:
        """Read with the fields met so far; where others turn up that we know, read again with them."""
        while True:
            table = _read_json(joined, self._met)
            met = widened(self._readable, self._met, pa.struct(list(table.schema)))
            if met == self._met:
                return table.select([field.name for field in met])
            self._met = met

    def _complete(self, table: pa.Table, maps: dict[str, pa.Array]) -> pa.Table:
        columns = []
        for field in self._full:
            if field.name in table.column_names:
                column = table.column(field.name)
                columns.append(column if column.type == field.type else column.cast(field.type))
            else:
                columns.append(maps.get(field.name, pa.nulls(len(table), field.type)))
        return pa.Table.from_arrays(columns, schema=self._full)


def _read_json(joined: bytes, fields: pa.StructType) -> pa.Table:
    return pj.read_json(
        io.BytesIO(joined),
        read_options=pj.ReadOptions(use_threads=False, block_size=max(len(joined), 1)),
        parse_options=pj.ParseOptions(explicit_schema=pa.schema(list(fields)), unexpected_field_behavior="infer"),
    )


def _same_to_both_parsers(joined: bytes) -> bool:
    """Tell whether bytes are valid UTF-8 and free of escapes that two JSON parsers may read differently."""
    if b"\\u0000" in joined or b"\\ud" in joined or b"\\uD" in joined:
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
