"""Decoded events to rows: Arrow tables with the columns of ClickHouse, and where each row came from.

Columns that hold nothing are left out of an insert; ClickHouse fills in their defaults, which say the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.evaluations import EvaluationRun
from schemas.events import AgentStep, Envelope, GuardVerdict, Inference, Retrieval, Telemetry
from schemas.findings import Finding
from schemas.incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from schemas.reviews import ReviewItem, ReviewLabel
from schemas.tables import (
    ACTIONS,
    AGENT_STEPS,
    CHANGES,
    CONTROLS,
    DELIVERIES,
    ERASURES,
    EVALUATIONS,
    EVIDENCE,
    FINDINGS,
    GUARD_VERDICTS,
    INCIDENTS,
    INFERENCES,
    PROVENANCE,
    RETRIEVALS,
    REVIEW_ITEMS,
    REVIEW_LABELS,
    TELEMETRY,
    TRIAGE,
    Table,
)
from schemas.triage import Triage
from schemas.vocabulary import STATUSES
from streams.events.column_reader import Kind
from streams.events.decode import Columns
from streams.events.flags import Flags, event_flags
from streams.events.harm import Levels, harm_of, severity_of
from streams.events.versions import counted_version
from streams.history.columns import INSTANTS, beside, plain_columns

Int64s = npt.NDArray[np.int64]

TABLE_OF: Final[dict[Kind, Table]] = {
    Inference: INFERENCES,
    AgentStep: AGENT_STEPS,
    Retrieval: RETRIEVALS,
    GuardVerdict: GUARD_VERDICTS,
    Telemetry: TELEMETRY,
    Change: CHANGES,
    ReviewLabel: REVIEW_LABELS,
    ReviewItem: REVIEW_ITEMS,
    EvaluationRun: EVALUATIONS,
    IncidentTransition: INCIDENTS,
    IncidentAction: ACTIONS,
    IncidentEvidence: EVIDENCE,
    Delivery: DELIVERIES,
    Control: CONTROLS,
    Triage: TRIAGE,
    Erasure: ERASURES,
    Finding: FINDINGS,
}

_EVENT_KIND: Final[dict[Kind, str]] = {
    Inference: "inference",
    AgentStep: "agent_step",
    Retrieval: "retrieval",
    GuardVerdict: "guard_verdict",
}
"""What a guard's row calls the kind of event that it came with."""

_OF_GUARDS: Final = ("target_event_id", "target_id", "probe_id")
"""What a guard's row says of its event, beside the envelope."""

_ENVELOPE: Final = frozenset(INSTANTS.get(name, name) for name in (*Envelope.__struct_fields__, *_OF_GUARDS))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch came from: one partition of one topic, and the offset of each of its records."""

    topic: str
    topic_id: str
    partition: int
    offsets: Int64s


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table, each with its offset and its index within the record.

    `counted` is when each counts in the windows (see `streams.history.counted`), of events alone.
    """

    table: Table
    columns: pa.Table
    offset: Int64s
    index: Int64s
    time: Int64s
    counted: Int64s | None = None

    def take(self, chosen: npt.NDArray[np.bool_]) -> "Rows":
        """Return the chosen rows."""
        if chosen.all():
            return self
        return Rows(
            self.table,
            self.columns.filter(pa.array(chosen)),
            self.offset[chosen],
            self.index[chosen],
            self.time[chosen],
            None if self.counted is None else self.counted[chosen],
        )


def rows_of(columns: Columns, origin: Origin) -> Iterator[Rows]:
    """Yield the rows that records of one kind give, table by table; the ones that others rest on come last."""
    offset = origin.offsets[columns.position]
    base = plain_columns(columns.table)
    if columns.kind not in _EVENT_KIND:
        yield _rows(TABLE_OF[columns.kind], base, offset, np.zeros(len(offset), np.int64), origin, columns)
        return
    flags = event_flags(columns)
    counted = pa.table({"counted_version": counted_version(columns)})
    if len(flags.guards.row):
        yield _guard_rows(columns, flags, base, counted, offset, origin)
    if columns.kind is not GuardVerdict:
        said = pc.is_in(flags.guards.status, pa.array(STATUSES)).to_numpy(zero_copy_only=False) & ~flags.guards.unsure
        ok = said & pc.equal(flags.guards.status, "ok").to_numpy(zero_copy_only=False)
        own: dict[str, pa.Array | Levels] = {
            "trials": pa.array(flags.trials),
            "flagged": pa.array(flags.flagged),
            "guard_ok": pa.array(np.bincount(flags.guards.row[ok], minlength=len(offset)).astype(np.uint16)),
            "guard_not_ok": pa.array(
                np.bincount(flags.guards.row[said & ~ok], minlength=len(offset)).astype(np.uint16)
            ),
        }
        harms = _harms(flags, alone=False)
        own |= harms
        if columns.kind in (Inference, AgentStep):
            own["unsafe_severity"] = severity_of(*harms.values())
        if columns.kind is Inference:
            own |= _guards_ok(flags, ok)
        full = beside(base, beside(counted, pa.table(own)))
        yield _rows(TABLE_OF[columns.kind], full, offset, np.zeros(len(offset), np.int64), origin, columns)


def _harms(flags: Flags, *, alone: bool) -> dict[str, Levels]:
    return {f"{name}_harm": level for name, level in harm_of(flags, alone=alone).items()}


def _guards_ok(flags: Flags, ok: npt.NDArray[np.bool_]) -> dict[str, pa.Array]:
    """Return which guards gave each output a verdict."""
    guards, count = flags.guards, len(flags.trials)
    if not len(guards.row):
        return {}
    names = pc.struct_field(guards.result, "guard_name").filter(pa.array(ok)).dictionary_encode()
    found = np.unique(np.stack([guards.row[ok], _ranks(names)]), axis=1)
    offsets = np.searchsorted(found[0], np.arange(count + 1)).astype(np.int32)
    ranked = names.dictionary.take(pc.sort_indices(names.dictionary))
    lists = pa.ListArray.from_arrays(pa.array(offsets), ranked.take(pa.array(found[1])))
    return {"guards_ok": lists}


def _ranks(names: pa.DictionaryArray) -> Int64s:
    """Return the place of each name in the order of names."""
    order = pc.sort_indices(names.dictionary).to_numpy().astype(np.int64)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[names.indices.to_numpy()]


def _guard_rows(
    columns: Columns, flags: Flags, base: pa.Table, counted: pa.Table, offset: Int64s, origin: Origin
) -> Rows:
    guards = flags.guards
    envelope = base.select([name for name in base.column_names if name in _ENVELOPE])
    event = beside(envelope, counted).take(pa.array(guards.row))
    result = pa.Table.from_struct_array(guards.result)
    lists = guards.result.field("findings") if len(guards.result) else None
    parts = beside(event, plain_columns(result))
    alone = columns.kind is GuardVerdict
    extra = {
        "event_kind": pa.array([_EVENT_KIND[columns.kind]] * len(guards.row)),
        "trials": pa.array(flags.trials if alone else np.zeros(len(guards.row), np.uint32)),
        "flagged": pa.array(flags.flagged if alone else np.zeros(len(guards.row), np.uint32)),
    }
    if alone:
        extra |= _harms(flags, alone=True)
    if lists is not None and len(guards.finding_counts):
        extra["finding_counts"] = _as_lists(lists, guards.finding_counts)
        extra["finding_stopped"] = _as_lists(lists, guards.finding_stopped)
    first = np.searchsorted(guards.row, guards.row)  # rows come in order: where each event's guards begin
    index = np.arange(len(guards.row)) - first
    return _rows(GUARD_VERDICTS, beside(parts, pa.table(extra)), offset[guards.row], index, origin, columns, guards.row)


def _as_lists(lists: pa.ListArray, values: npt.NDArray[np.bool_]) -> pa.ListArray:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.astype(np.uint8)))


def _rows(
    table: Table,
    columns: pa.Table,
    offset: Int64s,
    index: Int64s,
    origin: Origin,
    events: Columns,
    event_row: Int64s | None = None,
) -> Rows:
    name = "detected_time_unix_nano" if events.kind is Finding else "time_unix_nano"
    time = events.table.column(name).to_numpy()
    return Rows(
        table,
        with_origin(columns, origin, offset, index),
        offset,
        index,
        time if event_row is None else time[event_row],
    )


def with_origin(columns: pa.Table, origin: Origin, offset: Int64s, index: Int64s) -> pa.Table:
    """Return rows with where they came from: the columns of `schemas.tables.PROVENANCE`."""
    count = len(offset)
    values = (
        pa.repeat(origin.topic, count),
        pa.repeat(origin.topic_id, count),
        pa.repeat(pa.scalar(origin.partition, pa.int32()), count),
        pa.array(offset),
        pa.array(index.astype(np.int32)),
    )
    return beside(columns, pa.Table.from_arrays(values, names=PROVENANCE))
