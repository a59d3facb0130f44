"""What steps of agents and searches say of tools and of text of strangers: the few of a batch that may matter.

They travel with their batch until their tick is closed, as plain values.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.events import AgentStep, Retrieval
from schemas.vocabulary import TOOL_STEPS
from streams.events.decode import Columns
from streams.events.outcomes import is_in, present
from streams.policy.tools import LEAVING, ToolRules, ToolStep

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_WHO: Final = ("event_id", "source", "time_unix_nano", "service_name", "tenant_id", "trace_id")
_GROUP_LABEL: Final = "user_group"
NEEDED: Final = (
    *_WHO, "agent_name", "step_kind", "tool_name", "tool_tier", "authorization", "approver_kind", "egress_host",
    "data_classification_in", "args_bytes", "args_hash", "taint_sources", "status",
    "labels",
)  # fmt: skip
"""Fields of a step that rules for tools are about, and those of a finding of it."""

_VETTED: Final = pa.array(ToolRules().vetted)


class Act(NamedTuple):
    """One event: its fields; the names of text that came in, by the trust in it; and the tool that was called."""

    event: dict[str, Any]
    texts: tuple[tuple[str, str], ...] = ()
    step: ToolStep | None = None


@dataclass(frozen=True, slots=True)
class Acts:
    """Acts by the row of their event."""

    row: Int64s
    act: tuple[Act, ...]

    def moved(self, at: Int64s) -> "Acts":
        """Return those whose events have a place, 0 or more, by it."""
        row = at[self.row]
        kept = np.flatnonzero(row >= 0)
        return Acts(row[kept], tuple(self.act[index] for index in kept.tolist()))

    @staticmethod
    def joined(parts: "list[Acts]") -> "Acts":
        """Return the acts of all parts."""
        some = [part for part in parts if len(part.row)]
        if not some:
            return NO_ACTS
        return Acts(np.concatenate([part.row for part in some]), tuple(act for part in some for act in part.act))


NO_ACTS: Final = Acts(np.empty(0, np.int64), ())


def acts_of(columns: Columns, ruled: Callable[[str], bool]) -> Acts:
    """Return the acts among events of one kind, by their rows.

    Parameters
    ----------
    columns
        The events.
    ruled
        Tells whether a service has rules for its tools; all its steps may matter then, and all its documents.
    """
    if columns.kind is AgentStep:
        chosen = np.flatnonzero(_steps_that_matter(columns.table, ruled))
        acts = map(_step, rows_of(columns.table, NEEDED, chosen))
    elif columns.kind is Retrieval:
        chosen, texts = _documents(columns.table, ruled)
        acts = map(Act, rows_of(columns.table, _WHO, chosen), texts)
    else:
        return NO_ACTS
    return Acts(chosen, tuple(acts)) if len(chosen) else NO_ACTS


def step_of(event: dict[str, Any]) -> ToolStep:
    """Return what a step, with the fields `NEEDED`, says of its tool."""
    return ToolStep(
        event["tool_name"],
        event["tool_tier"],
        event["authorization"],
        event["approver_kind"],
        event["egress_host"],
        event["data_classification_in"],
        event["args_bytes"],
        bool(event["taint_sources"]),
        event["status"],
        dict(event["labels"] or ()).get(_GROUP_LABEL),
    )


def _step(event: dict[str, Any]) -> Act:
    texts = tuple(("", name) for name in event["taint_sources"] or ())
    tool = event["tool_name"] is not None and event["step_kind"] in TOOL_STEPS
    return Act(event, texts, step_of(event) if tool else None)


def _steps_that_matter(table: pa.Table, ruled: Callable[[str], bool]) -> Bools:
    tainted = pc.fill_null(pc.list_value_length(table.column("taint_sources")), 0).to_numpy() > 0
    leaving = is_in(table, "tool_tier", LEAVING) & present(table, "egress_host")
    matter: Bools = tainted | leaving | of_services(table, ruled)
    return matter


def _documents(table: pa.Table, ruled: Callable[[str], bool]) -> tuple[Int64s, list[tuple[tuple[str, str], ...]]]:
    """Return the searches that gave back documents, each with one document for each trust in them."""
    documents = table.column("documents").combine_chunks()
    parent, flat = pc.list_parent_indices(documents).to_numpy().astype(np.int64), pc.list_flatten(documents)
    trust = pc.fill_null(pc.struct_field(flat, "trust"), "unknown")
    kept = ~pc.is_in(trust, _VETTED).to_numpy(zero_copy_only=False) | of_services(table, ruled)[parent]
    code = trust.dictionary_encode().indices.to_numpy().astype(np.int64)
    at = np.flatnonzero(kept)
    _, first = np.unique(np.stack([parent[at], code[at]], axis=1), axis=0, return_index=True)
    at = np.sort(at[first])
    words, names = (column.take(pa.array(at)).to_pylist() for column in (trust, pc.struct_field(flat, "id")))
    texts: dict[int, tuple[tuple[str, str], ...]] = {}
    for row, word, name in zip(parent[at].tolist(), words, names, strict=True):
        texts[row] = (*texts.get(row, ()), (word, name))
    return np.array(list(texts), np.int64), list(texts.values())


def of_services(table: pa.Table, ruled: Callable[[str], bool]) -> Bools:
    """Tell which events are of a service that has rules."""
    services = table.column("service_name").unique().to_pylist()
    return is_in(table, "service_name", [name for name in services if ruled(name)])


def rows_of(table: pa.Table, fields: tuple[str, ...], chosen: Int64s) -> Iterator[dict[str, Any]]:
    """Yield some fields of the chosen rows."""
    yield from table.select(fields).take(pa.array(chosen)).to_pylist()
