"""Blank text means absent, everywhere: what is empty or only white space becomes null before anybody reads it."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_PRINTED: Final = (ord("!"), ord("~"))
"""A text that begins with a byte between these is not blank, whatever follows."""


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
        return not _surely_filled(column) and bool(pc.any(_blank(column)).as_py())
    if pa.types.is_list(kind):
        return _any_blank(pc.list_flatten(column))
    if pa.types.is_struct(kind):
        return any(_any_blank(pc.struct_field(column, index)) for index in range(kind.num_fields))
    return False


def _surely_filled(column: Any) -> bool:
    """Tell whether the first byte of each text alone says that it is not blank: a look at one byte of each."""
    if isinstance(column, pa.ChunkedArray):
        return all(map(_surely_filled, column.chunks))
    if column.null_count == len(column):
        return True
    _, offsets_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32, len(column) + 1, column.offset * 4)
    starts, lengths = offsets[:-1], np.diff(offsets)
    if column.null_count:
        there = column.is_valid().to_numpy(zero_copy_only=False)
        starts, lengths = starts[there], lengths[there]
    if not lengths.all():
        return False
    first = np.frombuffer(data_buffer, np.uint8)[starts]
    return bool(first.min() >= _PRINTED[0] and first.max() <= _PRINTED[1])


def _filled(value: Any) -> Any:
    if isinstance(value, list):
        return [item for item in map(_filled, value) if item is not None]
    if isinstance(value, dict):
        return {name: _filled(part) for name, part in value.items()}
    return None if isinstance(value, str) and not value.strip() else value
