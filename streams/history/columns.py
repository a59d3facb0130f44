"""Fields of records to columns of ClickHouse: times as times, lists and structs taken apart."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

INSTANT: Final = pa.timestamp("ns", "UTC")
INSTANTS: Final = {
    "time_unix_nano": "time",
    "observed_time_unix_nano": "observed_time",
    "detected_time_unix_nano": "detected_time",
    "onset_time_unix_nano": "onset_time",
    "transition_time_unix_nano": "transition_time",
    "queued_at": "queued_at",
    "labelled_at": "labelled_at",
    "alert_starts_at": "alert_starts_at",
    "aware_time": "aware_time",
    "report_due_time": "report_due_time",
    "ended_time_unix_nano": "ended_time",
    "ended_lower_time_unix_nano": "ended_lower_time",
    "ended_upper_time_unix_nano": "ended_upper_time",
    "report_sent_time": "report_sent_time",
    "expires_at": "expires_at",
    "ingested_at": "ingested_at",
}
"""Fields that hold Unix nanoseconds and become times, and the column of each."""

STAGES: Final = {"stage_latency_ms": "stage_latency_{}_ms"}
"""Fields that are taken apart, and the column of each of their parts."""

_OWN_ROWS: Final = ("guards", "guard")
"""Fields that become rows of their own."""


def beside(left: pa.Table, right: pa.Table) -> pa.Table:
    """Return the columns of two tables of one length as one."""
    return pa.Table.from_arrays([*left.columns, *right.columns], names=[*left.column_names, *right.column_names])


def stacked(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of tables as one; a column that one of them does not have holds nothing there."""
    kinds = {field.name: field.type for table in tables for field in table.schema}
    return pa.concat_tables([_with_columns(table, kinds) for table in tables])


def _with_columns(table: pa.Table, kinds: dict[str, pa.DataType]) -> pa.Table:
    have = set(table.column_names)
    columns = [table.column(name) if name in have else _nothing(kind, len(table)) for name, kind in kinds.items()]
    return pa.Table.from_arrays(columns, names=list(kinds))


def _nothing(kind: pa.DataType, count: int) -> pa.Array:
    """Return a column without values; ClickHouse knows no list that is not there."""
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        return pa.repeat(pa.scalar([], kind), count)
    return pa.nulls(count, kind)


def plain_columns(table: pa.Table) -> pa.Table:
    """Return the columns of a table as ClickHouse has them: times as times, lists and structs taken apart."""
    names: list[str] = []
    columns: list[pa.ChunkedArray] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count == len(column) or name in _OWN_ROWS:
            continue
        for part_name, part in _taken_apart(name, column):
            names.append(part_name)
            columns.append(part)
    return pa.Table.from_arrays(columns, names=names)


def _taken_apart(name: str, column: pa.ChunkedArray) -> Iterator[tuple[str, pa.ChunkedArray]]:
    kind = column.type
    if name in INSTANTS:
        yield INSTANTS[name], column.cast(INSTANT)
    elif name in STAGES:
        struct = column.combine_chunks()
        for field in kind:
            yield STAGES[name].format(field.name), pa.chunked_array([pc.struct_field(struct, field.name)])
    elif pa.types.is_list(kind):
        yield from _list_columns(name, column.combine_chunks())
    elif pa.types.is_map(kind):
        yield name, pa.chunked_array([_filled(column.combine_chunks())])
    else:
        yield name, column


def _list_columns(name: str, lists: pa.ListArray) -> Iterator[tuple[str, pa.ChunkedArray]]:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    items = pc.list_flatten(lists)
    if not pa.types.is_struct(items.type):
        yield name, pa.chunked_array([pa.ListArray.from_arrays(offsets, items)])
        return
    for field in items.type:
        values = pc.struct_field(items, field.name)
        if pa.types.is_string(field.type):
            values = pc.fill_null(values, "")
        elif field.name in INSTANTS:
            values = values.cast(INSTANT)
        yield f"{name}_{field.name}", pa.chunked_array([pa.ListArray.from_arrays(offsets, values)])


def _filled(maps: pa.MapArray) -> pa.MapArray:
    values = [value or [] for value in maps.to_pylist()]
    return pa.array(values, maps.type)
