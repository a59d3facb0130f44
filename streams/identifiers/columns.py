"""The guard over columns: a batch of many thousand records costs a look at the bytes of those that may name somebody.

Few bytes are part of every identifier, and most values have none of them. Of those that have, each different one is
looked at once, as in a single record.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streams.identifiers.guard import Guard, Seen
from streams.identifiers.plans import PLANS, Plan, Treatment

Rows = npt.NDArray[np.int64]
Answer = tuple[str, Sequence[tuple[str, int]]]
"""What stands for a value, and how many identifiers of which kinds were in it."""

WORTH_A_LOOK: Final[Mapping[Treatment, bytes]] = {
    "text": b"@%:0123456789", "link": b"@%", "person": b"@%+",
}  # fmt: skip
"""Bytes of which every identifier has one; a pseudonym, which may be of another key, is known by its begin."""
_BYTES: Final = {name: np.isin(np.arange(256, dtype=np.uint8), list(found)) for name, found in WORTH_A_LOOK.items()}


class Cleaned(NamedTuple):
    """Columns without identifiers, what was in which row, and rows that are to be cleaned one by one."""

    table: pa.Table
    seen: list[tuple[int, Seen]]
    rest: Rows


@cache
def _leaves(kind: type[msgspec.Struct]) -> tuple[tuple[tuple[str, ...], Treatment], ...]:
    return tuple(_walk(PLANS.get(kind, {}), ()))


def _walk(plan: Plan, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Treatment]]:
    for name, part in plan.items():
        if isinstance(part, str):
            yield (*path, name), part
        else:
            yield from _walk(part, (*path, name))


def cleaned(guard: Guard, kind: type[msgspec.Struct], table: pa.Table) -> Cleaned:
    """Return columns of records of a kind without direct identifiers.

    Rows that hold one inside a list or a struct are left as they are, and are named. So are maps, which the columns of
    a batch do not have.
    """
    rest = np.zeros(len(table), bool)
    for path, treatment in _leaves(kind):
        if len(path) > 1 and (column := _filled(table, path[0])) is not None:
            values, rows = _leaf(column, path[1:])
            places, _ = _found(guard, treatment, values)
            rest[places if rows is None else rows[places]] = True
    seen: list[tuple[int, Seen]] = []
    for path, treatment in _leaves(kind):
        if len(path) == 1 and (column := _filled(table, path[0])) is not None:
            table = _replaced(guard, treatment, table, path[0], column, rest, seen)
    return Cleaned(table, seen, np.flatnonzero(rest))


def _filled(table: pa.Table, name: str) -> pa.Array | None:
    column = table.column(name)
    return None if column.null_count == len(column) or pa.types.is_map(column.type) else column.combine_chunks()


def _replaced(
    guard: Guard, treatment: Treatment, table: pa.Table, name: str, values: pa.Array,
    rest: npt.NDArray[np.bool_], seen: list[tuple[int, Seen]],
) -> pa.Table:  # fmt: skip
    places, instead = _found(guard, treatment, values)
    if not instead:
        return table
    for at, (_, kinds) in zip(places.tolist(), instead, strict=True):
        if not rest[at]:
            seen += [(at, Seen(name, *what)) for what in kinds]
    chosen = np.zeros(len(values), bool)
    chosen[places] = True
    changed = pc.replace_with_mask(values, pa.array(chosen), pa.array([other for other, _ in instead], values.type))
    return table.set_column(table.column_names.index(name), table.schema.field(name), changed)


def _found(guard: Guard, treatment: Treatment, values: pa.Array) -> tuple[Rows, list[Answer]]:
    """Return where identifiers are among values, in order, and what is known of each; a value is asked about once."""
    may = _with_bytes(values, _BYTES[treatment])
    if treatment == "person":
        may |= pc.fill_null(pc.starts_with(values, "u1_"), fill_value=False).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(may)
    if not len(places):
        return places, []
    coded = values.take(pa.array(places)).dictionary_encode()
    answers = [guard.value(treatment, text) for text in coded.dictionary.to_pylist()]
    codes = pc.fill_null(coded.indices, len(answers)).to_numpy()
    chosen = np.array([bool(kinds) for _, kinds in answers] + [False])[codes]
    return places[chosen], [answers[code] for code in codes[chosen].tolist()]


def _with_bytes(values: pa.Array, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which values have a wanted byte; one that is not there may have one too."""
    _, offsets, data = values.buffers()
    if data is None:
        return np.zeros(len(values), bool)
    bounds = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    held = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]
    before = np.concatenate([[0], np.cumsum(wanted[held], dtype=np.int32)])
    found: npt.NDArray[np.bool_] = np.diff(before[bounds - bounds[0]]) > 0
    return found


def _leaf(column: pa.Array, path: tuple[str, ...]) -> tuple[pa.Array, Rows | None]:
    """Return the values of a field of a column of structs, or of lists of them, and the row of each in the latter."""
    rows = None
    if pa.types.is_list(column.type):
        rows, column = pc.list_parent_indices(column).to_numpy(), column.flatten()
    for name in path:
        column = pc.struct_field(column, name)
    return column, rows
