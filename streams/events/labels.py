"""What each event says by name: guard results by status, and the names that the mixes count."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.events import AgentStep, GuardVerdict, Inference, Retrieval
from schemas.quantities import VERSION_MIXES
from schemas.vocabulary import AROUND_STEPS, TOOL_STEPS
from schemas.windows import AT, GUARD_COUNTS
from streams.events.decode import Columns
from streams.events.flags import OUTPUT_BIT, Flags
from streams.events.versions import canonical

Int64s = npt.NDArray[np.int64]

SEPARATOR: Final = "\x1f"
"""Between the mix and the name: no name can hold it and still be one a person wrote."""

STEP: Final = "step"
"""Before the steps of agents, which no mix counts as they are: agent, separator, step (`streams.watch.behaviour`)."""

MOST_OF_A_NAME: Final = 120
"""Characters of the names of an agent and of a step: two of them make one name of a mix."""

_UNCOVERED: Final = GUARD_COUNTS.index("uncovered")
_STATUSES: Final = pa.array(GUARD_COUNTS[:_UNCOVERED])
_MIX_FIELDS: Final = {
    Inference: {"response_model": "model", "finish_reason_norm": "finish", "input_lang": "language"},
    AgentStep: {"tool_name": "tool", "taint_sources": "source"},
    Retrieval: {"data_source_id": "source"},
}

PROMPT, INDEX = VERSION_MIXES
_VERSIONS: Final = {
    Inference: (PROMPT, "prompt_name", "prompt_version"),
    Retrieval: (INDEX, "data_source_id", "index_version"),
}


@dataclass(frozen=True, slots=True)
class Named:
    """Things counted by name: the event row of each, and the code of its name."""

    row: Int64s
    name: Int64s


NOTHING: Final = Named(np.empty(0, np.int64), np.empty(0, np.int64))


def guard_statuses(columns: Columns, flags: Flags) -> Named:
    """Return guard results by status, and the model outputs that no guard gave a verdict on."""
    guards = flags.guards
    if columns.kind not in (Inference, AgentStep, Retrieval, GuardVerdict):
        return NOTHING
    code = pc.fill_null(pc.index_in(guards.status, _STATUSES), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    known = (code >= 0) & ~guards.unsure
    row, status = guards.row[known], code[known]
    if columns.kind is not Inference:
        return Named(row, status)
    output = (flags.trials & OUTPUT_BIT) > 0
    output[row[status == 0]] = False
    uncovered = np.flatnonzero(output)
    return Named(np.concatenate([row, uncovered]), np.concatenate([status, np.full(len(uncovered), _UNCOVERED)]))


def labels_of(columns: Columns, flags: Flags) -> tuple[list[str], Named]:
    """Return the names (``mix``, separator, name) that events carry, and which event carries which."""
    names: list[str] = []
    rows, codes = [], []
    for mix, row, values in _labelled(columns, flags):
        encoded = values.dictionary_encode()
        rows.append(row)
        codes.append(encoded.indices.to_numpy().astype(np.int64) + len(names))
        names += [f"{mix}{SEPARATOR}{name}" for name in encoded.dictionary.to_pylist()]
    if not rows:
        return [], NOTHING
    return names, Named(np.concatenate(rows), np.concatenate(codes))


def _labelled(columns: Columns, flags: Flags) -> Iterator[tuple[str, Int64s, pa.Array]]:
    guards = flags.guards
    named = pc.not_equal(guards.finding_category, "").to_numpy(zero_copy_only=False).astype(bool)
    chosen = np.flatnonzero(guards.finding_counts & named)
    if len(chosen):
        yield "category", guards.row[guards.finding_row[chosen]], guards.finding_category.take(pa.array(chosen))
    for field, mix in _MIX_FIELDS.get(columns.kind, {}).items():
        column = _model(columns.table) if mix == "model" else columns.table.column(field)
        if column.null_count < len(column):
            yield mix, *_present(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    if columns.kind in _VERSIONS:
        mix, *fields = _VERSIONS[columns.kind]
        if columns.table.column(fields[1]).null_count < len(columns.table):
            yield mix, *_present(versioned(*map(columns.table.column, fields)))
    if columns.kind is AgentStep:
        yield STEP, *_present(_steps(columns.table))


def versioned(name: pa.ChunkedArray, version: pa.ChunkedArray) -> pa.Array:
    """Return ``name@version`` of each event, the version alone where there is no name, and null without a version."""
    named = pc.binary_join_element_wise(name.cast(pa.string()), version.cast(pa.string()), AT)
    joined = pc.coalesce(named, version.cast(pa.string()))
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _steps(table: pa.Table) -> pa.Array:
    """Return who took each step and what it was: a tool by its name, any other by its kind; null around others."""
    kind = table.column("step_kind").cast(pa.string())
    tool = pc.and_(pc.is_in(kind, pa.array(TOOL_STEPS)), pc.is_valid(table.column("tool_name")))
    what = pc.if_else(tool, table.column("tool_name").cast(pa.string()), kind)
    what = pc.if_else(pc.is_in(kind, pa.array(AROUND_STEPS)), pa.scalar(None, pa.string()), what)
    who = pc.fill_null(table.column("agent_name").cast(pa.string()), "")
    parts = [pc.utf8_slice_codeunits(part, 0, MOST_OF_A_NAME) for part in (who, what)]
    joined = pc.binary_join_element_wise(*parts, SEPARATOR)
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _model(table: pa.Table) -> pa.Array:
    return canonical(pc.coalesce(table.column("response_model"), table.column("request_model")))


def _present(column: pa.Array) -> tuple[Int64s, pa.Array]:
    """Return the rows that say something, and what; a row of a list says as much as it holds."""
    if pa.types.is_list(column.type):
        row = pc.list_parent_indices(column).to_numpy().astype(np.int64)
        return row, pc.list_flatten(column)
    valid = pc.is_valid(column).to_numpy(zero_copy_only=False)
    return np.flatnonzero(valid), column.drop_null()
