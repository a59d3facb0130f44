"""Decoded events of one partition to the arrays that are counted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.events import AgentStep, GuardVerdict, Inference, Telemetry
from schemas.vocabulary import WRAPPERS
from schemas.windows import Group
from streams.events.column_reader import Kind
from streams.events.decode import Columns, Decoded
from streams.events.flags import Flags
from streams.events.hashing import hash_texts
from streams.events.labels import Named, guard_statuses, labels_of
from streams.events.outcomes import is_in, no_call
from streams.events.risk import risk_of
from streams.events.versions import versions_of
from streams.policy.risk import Risk
from streams.watch.batches import (
    EVENT,
    MEASURES,
    VERDICT,
    Batch,
    EventColumns,
    Float32s,
    Int64s,
    Shown,
    UInt8s,
    UInt64s,
    no_events,
)
from streams.watch.keys import keys_of
from streams.watch.prompts import variants_of
from streams.watch.single.acts import Acts, acts_of

NEVER: Final = np.iinfo(np.int64).min // 2

_FIELDS: Final[dict[Kind, dict[str, str]]] = {
    Inference: {
        "latency": "duration_ms",
        "time_to_first_token": "time_to_first_chunk_ms",
        "input_tokens": "usage_input_tokens",
        "output_tokens": "usage_output_tokens",
    },
    AgentStep: {"step_latency": "duration_ms", "argument_bytes": "args_bytes", "result_bytes": "result_bytes"},
}
_SCORE: Final = MEASURES.index("guard_score")
_USUAL: Final = Risk()


def countable(
    decoded: Decoded,
    flags: Mapping[Kind, Flags],
    written_ms: Int64s,
    weights: Risk = _USUAL,
    ruled: Callable[[str], bool] = lambda _: True,
) -> Batch:
    """Return the events of a batch in log order, ready for `streams.watch.ticks`.

    Parameters
    ----------
    decoded
        What was accepted.
    flags
        The flags of each kind, by `streams.events.flags.event_flags`.
    written_ms
        When each record of the batch was written to Kafka, in milliseconds by the broker's clock. An event that
        claims to be later than that is counted at that time, so that one wrong clock can't close ticks for all.
    weights
        Of the risk of each event.
    ruled
        Tells whether a service has rules for tools.
    """
    parts = [_kind_part(columns, flags[columns.kind], written_ms, weights, ruled) for columns in decoded.kinds.values()]
    if not parts:
        return _EMPTY
    position = np.concatenate([part.position for part in parts])
    order = np.argsort(position, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    groups: dict[Group, int] = {}
    events, guards, labels, acts, names = [], [], [], [], dict[str, int]()
    start, sources, models = 0, dict[str, int](), dict[str, int]()
    for part in parts:
        codes = np.array([groups.setdefault(group, len(groups)) for group in part.groups], np.int64)
        origins = np.array([sources.setdefault(name, len(sources)) for name in part.sources], np.int64)
        asked = np.array([*(models.setdefault(name, len(models)) for name in part.models), -1], np.int64)
        events.append(part.events(codes, origins, asked))
        moved = rank[start : start + len(part.position)]
        guards.append(Named(moved[part.guards.row], part.guards.name))
        acts.append(part.acts.moved(moved))
        renamed = np.array([names.setdefault(name, len(names)) for name in part.label_names], np.int64)
        labels.append(Named(moved[part.labels.row], _look_up(renamed, part.labels.name)))
        start += len(part.position)
    united = EventColumns.concatenate(events).take(order)
    united.row[:] = np.arange(len(order))
    shown = Shown(*(_together([getattr(part, name) for part in parts], order) for name in Shown.__slots__))
    named = list(names), shown, list(sources), list(models), Acts.joined(acts)
    return Batch(united, list(groups), _joined(guards), _joined(labels), *named)


def highest_before(decoded: Decoded, written_ms: Int64s, newest: int | None) -> Int64s:
    """Return the highest event time before each record of a batch, in nanoseconds; far below 0 before any event."""
    time = np.full(len(written_ms), NEVER, np.int64)
    for columns in decoded.kinds.values():
        time[columns.position] = np.minimum(_times(columns.table), written_ms[columns.position] * 1_000_000)
    start = NEVER if newest is None else newest
    return np.maximum.accumulate(np.concatenate([[start], time]))[:-1]


def _look_up(table: Int64s, codes: Int64s) -> Int64s:
    return table[codes] if len(codes) else codes


def _joined(parts: Sequence[Named]) -> Named:
    return Named(np.concatenate([part.row for part in parts]), np.concatenate([part.name for part in parts]))


def _together(parts: Sequence[pa.Array], order: Int64s) -> pa.Array:
    return pa.concat_arrays(parts).take(pa.array(order))


class _Part(msgspec.Struct):
    """One kind of event of a batch; codes and rows are its own."""

    position: Int64s
    groups: list[Group]
    group: Int64s
    sources: list[str]
    source: Int64s
    time: Int64s
    session: UInt64s
    trace: UInt64s
    flags: Flags
    call: UInt8s
    counted: UInt8s
    measures: Float32s
    risk: Float32s
    models: list[str]
    asked: Int64s
    sure: UInt8s
    keys: UInt64s
    role: int
    guards: Named
    labels: Named
    label_names: list[str]
    acts: Acts
    event_id: pa.Array
    user: pa.Array
    vector: pa.Array

    def events(self, codes: Int64s, origins: Int64s, asked: Int64s) -> EventColumns:
        return EventColumns(
            time=self.time,
            row=np.zeros(len(self.time), np.int64),
            group=codes[self.group],
            session=self.session,
            trace=self.trace,
            trials=self.flags.trials,
            flagged=self.flags.flagged,
            call=self.call,
            measures=self.measures,
            late=np.zeros(len(self.time), np.uint8),
            counted=self.counted,
            risk=self.risk,
            source=origins[self.source],
            asked=asked[self.asked],
            sure=self.sure,
            keys=self.keys,
            role=np.full(len(self.time), self.role, np.uint8),
        )


def _kind_part(
    columns: Columns, flags: Flags, written_ms: Int64s, weights: Risk, ruled: Callable[[str], bool]
) -> _Part:
    table, count = columns.table, len(columns.table)
    none = no_call(table) if columns.kind is Inference else np.ones(count, bool)
    versions = versions_of(columns)
    groups, group = _groups(columns, versions.version)
    asked = versions.asked.dictionary_encode()
    names, labels = labels_of(columns, flags)
    source = _chunk(table.column("source")).dictionary_encode()
    return _Part(
        position=columns.position,
        groups=groups,
        group=group,
        sources=source.dictionary.to_pylist(),
        source=source.indices.to_numpy().astype(np.int64),
        time=np.minimum(_times(table), written_ms[columns.position] * 1_000_000),
        session=hash_texts(session_of(table)),
        trace=hash_texts(_chunk(pc.coalesce(table.column("trace_id"), table.column("event_id")))),
        flags=flags,
        call=(~none).astype(np.uint8),
        counted=(~flags.probe & (columns.kind is not Telemetry)).astype(np.uint8),
        measures=_measures(columns, flags),
        risk=risk_of(columns, flags.guards, weights).astype(np.float32),
        models=asked.dictionary.to_pylist(),
        asked=pc.fill_null(asked.indices, -1).to_numpy().astype(np.int64),
        sure=versions.sure,
        keys=keys_of(columns),
        role=VERDICT if columns.kind is GuardVerdict else EVENT,
        guards=guard_statuses(columns, flags),
        labels=labels,
        label_names=names,
        acts=acts_of(columns, ruled),
        event_id=_chunk(table.column("event_id")),
        user=_chunk(table.column("user_pseudo_id")).cast(pa.string()),
        vector=_chunk(table.column("input_vector")).cast(pa.string())
        if columns.kind is Inference
        else pa.nulls(count, pa.string()),
    )


def session_of(table: pa.Table) -> pa.Array:
    """Return the unit of counting of each event: its session, else conversation, else trace, else itself."""
    parts = [table.column(name) for name in ("session_id", "conversation_id", "trace_id")]
    return _chunk(pc.coalesce(*parts, table.column("event_id")))


def _chunk(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _times(table: pa.Table) -> Int64s:
    times: Int64s = table.column("time_unix_nano").to_numpy()
    return times


def _measures(columns: Columns, flags: Flags) -> Float32s:
    """Return what was measured of each event, NaN where nothing was; a guard score is the highest probability."""
    measures = np.full((len(columns.table), len(MEASURES)), np.nan, np.float32)
    for name, field in _FIELDS.get(columns.kind, {}).items():
        column = columns.table.column(field)
        if column.null_count < len(column):
            measures[:, MEASURES.index(name)] = column.cast(pa.float64()).to_numpy()
    if columns.kind is Inference:
        measures[is_in(columns.table, "operation_name", WRAPPERS)] = np.nan  # its calls have measures of their own
    guards = flags.guards
    if len(guards.finding_row):
        row = guards.row[guards.finding_row]
        score = np.where(np.isnan(guards.finding_score), -np.inf, guards.finding_score)
        highest = np.full(len(measures), -np.inf)
        np.maximum.at(highest, row, score)
        measures[:, _SCORE] = np.where(highest >= 0, highest, np.nan)
    return measures


def _groups(columns: Columns, version: pa.Array) -> tuple[list[Group], Int64s]:
    """Return the distinct groups of the events, and which each event belongs to."""
    table = columns.table
    named = [table.column(name) for name in ("tenant_id", "service_name")]
    variant = variants_of(columns)
    encoded = [
        _chunk(pc.fill_null(column, "")).dictionary_encode() for column in (named[0], named[1], version, variant)
    ]
    combined = np.zeros(len(table), np.int64)
    for column in encoded:
        combined = combined * max(len(column.dictionary), 1) + column.indices.to_numpy()
    distinct, first, group = np.unique(combined, return_index=True, return_inverse=True)
    chosen = [column.take(pa.array(first)).cast(pa.string()).to_pylist() for column in encoded]
    names: list[Group] = list(zip(*chosen, strict=True)) if len(distinct) else []
    return names, group.astype(np.int64)


_EMPTY: Final = no_events()
