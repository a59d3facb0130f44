"""Blank text means absent, everywhere: what is empty or only white space becomes null before anybody reads it."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def without_blanks(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    """Return a column in which blank texts are absent, at any depth; blank items of a list of texts are left out.

    >>> without_blanks(pa.chunked_array([["a", "", "  ", None]]), pa.field("x", pa.string())).to_pylist()
    ['a', None, None, None]
    """
    if column.null_count == len(column) or not _any_blank(column):
        return column
    if pa.types.is_string(field.type):
        return pc.if_else(_blank(column), pa.scalar(None, pa.string()), column)
    return pa.chunked_array([pa.array([_filled(value) for value in column.to_pylist()], field.type)])


def _blank(column: Any) -> Any:
    return pc.or_(pc.equal(column, ""), pc.utf8_is_space(column))


def _any_blank(column: Any) -> bool:
    """Tell whether any text in a column is blank, whatever it is nested in; maps are the producer's own."""
    kind = column.type
    if pa.types.is_string(kind):
        return column.null_count < len(column) and bool(pc.any(_blank(column)).as_py())
    if pa.types.is_list(kind):
        return _any_blank(pc.list_flatten(column))
    if pa.types.is_struct(kind):
        return any(_any_blank(pc.struct_field(column, index)) for index in range(kind.num_fields))
    return False


def _filled(value: Any) -> Any:
    if isinstance(value, list):
        return [item for item in map(_filled, value) if item is not None]
    if isinstance(value, dict):
        return {name: _filled(part) for name, part in value.items()}
    return None if isinstance(value, str) and not value.strip() else value
