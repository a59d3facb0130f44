"""The guard over columns: a batch of many thousand records costs a look at the few columns that may name somebody.

Arrow tells which values are worth a look; each of those is looked at as in a single record.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streams.identifiers.guard import Guard, Seen
from streams.identifiers.plans import PLANS, Plan, Treatment
from streams.identifiers.texts import SUSPECT

LOOK: Final[Mapping[Treatment, str]] = {"text": SUSPECT, "link": "@|%40", "person": r"@|%40|\+|^u1_"}
"""What a value has that is worth a look."""


@cache
def _leaves(kind: type[msgspec.Struct]) -> tuple[tuple[tuple[str, ...], Treatment], ...]:
    return tuple(_walk(PLANS.get(kind, {}), ()))


def _walk(plan: Plan, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Treatment]]:
    for name, part in plan.items():
        if isinstance(part, str):
            yield (*path, name), part
        else:
            yield from _walk(part, (*path, name))


def rows_with_texts(guard: Guard, kind: type[msgspec.Struct], table: pa.Table) -> npt.NDArray[np.bool_]:
    """Return which rows hold an identifier in a text or a link; maps, which are read one by one, are left out."""
    found = np.zeros(len(table), bool)
    for path, treatment in _leaves(kind):
        column = table.column(path[0])
        if treatment == "person" or column.null_count == len(column) or pa.types.is_map(column.type):
            continue
        values, rows = _leaf(column.combine_chunks(), path[1:])
        for at in _worth_a_look(values, treatment):
            if guard.value(treatment, values[at].as_py())[1]:
                found[at if rows is None else rows[at]] = True
    return found


def without_persons(
    guard: Guard, kind: type[msgspec.Struct], table: pa.Table
) -> tuple[pa.Table, list[tuple[int, Seen]]]:
    """Return columns whose ids are no addresses or numbers of persons, and in which row which field had one."""
    seen: list[tuple[int, Seen]] = []
    for (name, *_), treatment in _leaves(kind):
        column = table.column(name)
        if treatment != "person" or column.null_count == len(column):
            continue
        values = column.combine_chunks()
        chosen, instead = np.zeros(len(values), bool), list[str]()
        for at in _worth_a_look(values, treatment):
            other, kinds = guard.value(treatment, values[at].as_py())
            seen += [(at, Seen(name, *what)) for what in kinds]
            if kinds:
                chosen[at] = True
                instead.append(other)
        if instead:
            changed = pc.replace_with_mask(values, pa.array(chosen), pa.array(instead, values.type))
            table = table.set_column(table.column_names.index(name), table.schema.field(name), changed)
    return table, seen


def _worth_a_look(values: pa.Array, treatment: Treatment) -> list[int]:
    found = pc.fill_null(pc.match_substring_regex(values, LOOK[treatment]), fill_value=False)
    places: list[int] = np.flatnonzero(found.to_numpy(zero_copy_only=False)).tolist()
    return places


def _leaf(column: pa.Array, path: tuple[str, ...]) -> tuple[pa.Array, npt.NDArray[np.int64] | None]:
    """Return the values of a field of a column of structs, or of lists of them, and the row of each in the latter."""
    rows = None
    if pa.types.is_list(column.type):
        rows, column = pc.list_parent_indices(column).to_numpy(), column.flatten()
    for name in path:
        column = pc.struct_field(column, name)
    return column, rows
