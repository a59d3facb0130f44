"""Decoded events of one partition to the arrays that are counted."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.events import AgentStep, GuardVerdict, Inference, Retrieval, Telemetry
from streams.column_reader import Kind
from streams.decode import Columns, Decoded
from streams.flags import BIT, Flags, counted_version
from streams.hashing import hash_texts
from streams.reduce import GUARD_COUNTS
from streams.ticks import Batch, EventColumns, Group, Int64s, Named

_UNCOVERED: Final = GUARD_COUNTS.index("uncovered")
_STATUSES: Final = pa.array(GUARD_COUNTS[:_UNCOVERED])


def countable(decoded: Decoded, flags: Mapping[Kind, Flags], written_ms: Int64s) -> Batch:
    """Return the events of a batch in log order, ready for `streams.ticks`.

    Parameters
    ----------
    decoded
        What was accepted.
    flags
        The flags of each kind, by `streams.flags.event_flags`.
    written_ms
        When each record of the batch was written to Kafka, in milliseconds by the broker's clock. An event that
        claims to be later than that is counted at that time, so that one wrong clock can't close ticks for all.
    """
    parts = [_kind_part(columns, flags[columns.kind], written_ms) for columns in decoded.kinds.values()]
    if not parts:
        return _EMPTY
    position = np.concatenate([part.position for part in parts])
    order = np.argsort(position, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    groups: dict[Group, int] = {}
    events, guards, categories, names = [], [], [], dict[str, int]()
    start = 0
    for part in parts:
        codes = np.array([groups.setdefault(group, len(groups)) for group in part.groups], np.int64)
        events.append(part.events(codes))
        moved = rank[start : start + len(part.position)]
        guards.append(Named(moved[part.guards.row], part.guards.name))
        renamed = np.array([names.setdefault(name, len(names)) for name in part.category_names], np.int64)
        categories.append(Named(moved[part.categories.row], _look_up(renamed, part.categories.name)))
        start += len(part.position)
    return Batch(
        EventColumns.concatenate(events).take(order),
        list(groups),
        _joined(guards),
        _joined(categories),
        list(names),
    )


def _look_up(table: Int64s, codes: Int64s) -> Int64s:
    return table[codes] if len(codes) else codes


def _joined(parts: Sequence[Named]) -> Named:
    return Named(np.concatenate([part.row for part in parts]), np.concatenate([part.name for part in parts]))


_NOTHING: Final = Named(np.empty(0, np.int64), np.empty(0, np.int64))
_EMPTY: Final = Batch(
    EventColumns(
        time=np.empty(0, np.int64),
        group=np.empty(0, np.int64),
        session=np.empty(0, np.uint64),
        trials=np.empty(0, np.uint8),
        flagged=np.empty(0, np.uint8),
        call=np.empty(0, np.uint8),
        latency_ms=np.empty(0, np.float64),
        input_tokens=np.empty(0, np.int64),
        output_tokens=np.empty(0, np.int64),
        late=np.empty(0, np.uint8),
        counted=np.empty(0, np.uint8),
    ),
    (),
    _NOTHING,
    _NOTHING,
    (),
)


class _Part(msgspec.Struct):
    """One kind of event of a batch; codes and rows are its own."""

    position: Int64s
    groups: list[Group]
    group: Int64s
    time: Int64s
    session: npt.NDArray[np.uint64]
    flags: Flags
    call: npt.NDArray[np.uint8]
    counted: npt.NDArray[np.uint8]
    latency_ms: npt.NDArray[np.float64]
    input_tokens: Int64s
    output_tokens: Int64s
    guards: Named
    categories: Named
    category_names: list[str]

    def events(self, codes: Int64s) -> EventColumns:
        return EventColumns(
            time=self.time,
            group=codes[self.group],
            session=self.session,
            trials=self.flags.trials,
            flagged=self.flags.flagged,
            call=self.call,
            latency_ms=self.latency_ms,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            late=np.zeros(len(self.time), np.uint8),
            counted=self.counted,
        )


def _kind_part(columns: Columns, flags: Flags, written_ms: Int64s) -> _Part:
    table, count = columns.table, len(columns.table)
    groups, group = _groups(columns)
    names, categories = _categories(flags)
    is_call = columns.kind is Inference
    return _Part(
        position=columns.position,
        groups=groups,
        group=group,
        time=np.minimum(_numbers(table, "time_unix_nano"), written_ms[columns.position] * 1_000_000),
        session=hash_texts(session_of(table)),
        flags=flags,
        call=np.full(count, is_call, np.uint8),
        counted=np.full(count, columns.kind is not Telemetry, np.uint8),
        latency_ms=_floats(table, "duration_ms") if is_call else np.full(count, np.nan),
        input_tokens=_numbers(table, "usage_input_tokens") if is_call else np.zeros(count, np.int64),
        output_tokens=_numbers(table, "usage_output_tokens") if is_call else np.zeros(count, np.int64),
        guards=_guard_statuses(columns, flags),
        categories=categories,
        category_names=names,
    )


def session_of(table: pa.Table) -> pa.Array:
    """Return the unit of counting of each event: its session, else conversation, else trace, else itself."""
    parts = [_text(table, name) for name in ("session_id", "conversation_id", "trace_id")]
    return _chunk(pc.coalesce(*parts, table.column("event_id")))


def _text(table: pa.Table, name: str) -> pa.ChunkedArray:
    column = table.column(name)
    if column.null_count == len(column):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _chunk(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _numbers(table: pa.Table, name: str) -> Int64s:
    numbers: Int64s = pc.fill_null(table.column(name), 0).to_numpy()
    return numbers


def _floats(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    floats: npt.NDArray[np.float64] = table.column(name).to_numpy()
    return floats


def _groups(columns: Columns) -> tuple[list[Group], Int64s]:
    """Return the distinct (tenant, service, model version) of the events, and which each event belongs to."""
    table = columns.table
    encoded = [
        _chunk(pc.fill_null(column, "")).dictionary_encode()
        for column in (table.column("tenant_id"), table.column("service_name"), counted_version(columns))
    ]
    sizes = [max(len(column.dictionary), 1) for column in encoded]
    codes = [column.indices.to_numpy().astype(np.int64) for column in encoded]
    combined = (codes[0] * sizes[1] + codes[1]) * sizes[2] + codes[2]
    distinct, group = np.unique(combined, return_inverse=True)
    tenants, services, versions = (column.dictionary.to_pylist() for column in encoded)
    names = [
        (
            tenants[code // (sizes[1] * sizes[2])],
            services[code // sizes[2] % sizes[1]],
            versions[code % sizes[2]],
        )
        for code in distinct.tolist()
    ]
    return names, group.astype(np.int64)


def _guard_statuses(columns: Columns, flags: Flags) -> Named:
    """Return guard results by status, and the model outputs that no guard gave a verdict on."""
    guards = flags.guards
    if columns.kind not in (Inference, AgentStep, Retrieval, GuardVerdict):
        return _NOTHING
    status = pc.index_in(guards.status, _STATUSES).to_numpy(zero_copy_only=False).astype(np.int64)
    if columns.kind is not Inference:
        return Named(guards.row, status)
    output = (flags.trials & BIT["unsafe_attempted"]) > 0
    output[guards.row[status == 0]] = False
    uncovered = np.flatnonzero(output)
    return Named(np.concatenate([guards.row, uncovered]), np.concatenate([status, np.full(len(uncovered), _UNCOVERED)]))


def _categories(flags: Flags) -> tuple[list[str], Named]:
    guards = flags.guards
    chosen = np.flatnonzero(guards.finding_counts)
    if not len(chosen):
        return [], _NOTHING
    codes = guards.finding_category.take(pa.array(chosen)).dictionary_encode()
    return codes.dictionary.to_pylist(), Named(
        guards.row[guards.finding_row[chosen]], codes.indices.to_numpy().astype(np.int64)
    )
