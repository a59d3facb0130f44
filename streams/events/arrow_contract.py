"""The contract's structs as Arrow schemas and as rules over whole columns.

Both are derived from the structs, so that there is one contract and not two. A rule answers only "is every
value certainly acceptable?"; where it is not sure, the records go one by one through `schemas.wire`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import inspect


@dataclass(frozen=True, slots=True)
class Rule:
    """What every value of one column must satisfy."""

    required: bool
    type: inspect.Type


@cache
def arrow_schema(kind: type[msgspec.Struct]) -> pa.Schema:
    """Return the Arrow schema of a struct: one column a field, same names, nested where the struct is."""
    return pa.schema([(field.name, _arrow_type(field.type)) for field in _fields(kind)])


@cache
def readable_schema(kind: type[msgspec.Struct]) -> pa.Schema:
    """Return the part of `arrow_schema` that Arrow can read from JSON: all but the maps."""
    return pa.schema([field for field in arrow_schema(kind) if not pa.types.is_map(field.type)])


def widened(full: pa.DataType, known: pa.DataType, seen: pa.DataType) -> pa.DataType:
    """Return `known` with the parts of `full` that were also `seen`; all three structs or lists of one field.

    Reading only the fields that occur is more than twice as fast as reading all that might.
    """
    if pa.types.is_list(full):
        inner = known.value_type if pa.types.is_list(known) else pa.struct([])
        if not pa.types.is_list(seen) or not pa.types.is_struct(full.value_type):
            return full
        return pa.list_(widened(full.value_type, inner, seen.value_type))
    if not pa.types.is_struct(full) or not pa.types.is_struct(seen):
        return full
    fields = []
    for field in full:
        old = known.field(field.name).type if known.get_field_index(field.name) >= 0 else None
        if seen.get_field_index(field.name) >= 0:
            part = widened(field.type, old or pa.struct([]), seen.field(field.name).type)
            fields.append((field.name, part))
        elif old is not None:
            fields.append((field.name, old))
    return pa.struct(fields)


def occurring(table: pa.Table) -> pa.StructType:
    """Return the type of what has a value anywhere in a table."""
    return pa.struct([(name, _occurring(column)) for name, column in _with_values(table.column_names, table.columns)])


def _with_values(names: Iterable[str], columns: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((name, column) for name, column in zip(names, columns, strict=True) if column.null_count < len(column))


def _occurring(column: Any) -> pa.DataType:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_list(column.type):
        return pa.list_(_occurring(column.flatten()))
    if pa.types.is_struct(column.type):
        names = [field.name for field in column.type]
        return pa.struct([(name, _occurring(part)) for name, part in _with_values(names, column.flatten())])
    return column.type


@cache
def map_fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the names of the fields that hold a map."""
    return tuple(field.name for field in arrow_schema(kind) if pa.types.is_map(field.type))


def acceptable(kind: type[msgspec.Struct], table: pa.Table) -> bool:
    """Tell whether every row of a table certainly satisfies the contract; absent columns count as null."""
    columns = dict(zip(table.column_names, table.columns, strict=True))
    return all(
        all(_column_ok(rule, chunk) for chunk in columns[name].chunks) if name in columns else not rule.required
        for name, rule in _rules(kind).items()
    )


@cache
def _rules(kind: type[msgspec.Struct]) -> dict[str, Rule]:
    return {field.name: Rule(field.required, _bare(field.type)) for field in _fields(kind)}


def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(kind)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{kind!r} is not a struct")
    return info.fields


def _bare(kind: inspect.Type) -> inspect.Type:
    """Return a type without its metadata and without "or null"."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        return _bare(next(part for part in kind.types if not isinstance(part, inspect.NoneType)))
    return kind


_ARROW_SCALARS: dict[type[inspect.Type], pa.DataType] = {
    inspect.StrType: pa.string(),
    inspect.LiteralType: pa.string(),
    inspect.IntType: pa.int64(),
    inspect.FloatType: pa.float64(),
    inspect.BoolType: pa.bool_(),
}


def _arrow_type(kind: inspect.Type) -> pa.DataType:
    kind = _bare(kind)
    if isinstance(kind, inspect.ListType):
        return pa.list_(_arrow_type(kind.item_type))
    if isinstance(kind, inspect.DictType):
        return pa.map_(_arrow_type(kind.key_type), _arrow_type(kind.value_type))
    if isinstance(kind, inspect.StructType):
        return pa.struct([(field.encode_name, _arrow_type(field.type)) for field in kind.fields])
    return _ARROW_SCALARS[type(kind)]


def _column_ok(rule: Rule, column: pa.Array) -> bool:
    if column.null_count == len(column):
        return not (rule.required and len(column))
    if rule.required and column.null_count:
        return False
    return _values_ok(rule.type, column.drop_null() if column.null_count else column)


def _values_ok(kind: inspect.Type, column: pa.Array) -> bool:
    """Judge a column without nulls."""
    match kind:
        case inspect.StrType():
            return _text_ok(kind, column)
        case inspect.LiteralType():
            return bool(pc.all(pc.is_in(column, _literals(kind.values))).as_py())
        case inspect.IntType() | inspect.FloatType():
            return _number_ok(kind, column)
        case inspect.ListType():
            return _column_ok(Rule(required=True, type=_bare(kind.item_type)), column.flatten())
        case inspect.StructType():
            return _struct_ok(kind, column)
        case _:
            return isinstance(kind, inspect.BoolType)


def _struct_ok(kind: inspect.StructType, column: pa.Array) -> bool:
    for field in kind.fields:
        if column.type.get_field_index(field.encode_name) < 0:
            if field.required:
                return False
        elif not _column_ok(Rule(field.required, _bare(field.type)), pc.struct_field(column, field.encode_name)):
            return False
    return True


@cache
def _literals(values: tuple[Any, ...]) -> pa.Array:
    return pa.array(values, pa.string())


def _text_ok(kind: inspect.StrType, column: pa.Array) -> bool:
    """Lengths in bytes: at most as many characters as bytes, and no more is needed to be sure."""
    bounds = pc.min_max(pc.binary_length(column))
    if kind.max_length is not None and bounds["max"].as_py() > kind.max_length:
        return False
    return kind.min_length is None or bounds["min"].as_py() >= kind.min_length


def _number_ok(kind: inspect.IntType | inspect.FloatType, column: pa.Array) -> bool:
    if isinstance(kind, inspect.FloatType) and not pc.all(pc.is_finite(column)).as_py():
        return False
    bounds = pc.min_max(column)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    return (
        (kind.ge is None or low >= kind.ge)
        and (kind.gt is None or low > kind.gt)
        and (kind.le is None or high <= kind.le)
        and (kind.lt is None or high < kind.lt)
    )
