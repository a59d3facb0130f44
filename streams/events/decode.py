"""A batch of records to columns: two lanes, one contract.

Clean records of one kind are read as columns by Arrow. Whatever Arrow or a rule is not sure about goes record
by record through `schemas.wire`, which accepts it or names the reason. The second lane is always right; the
first is only faster, and a property test holds the two equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.events import AgentStep, Event, GuardVerdict, Inference, Retrieval, Telemetry
from schemas.fields import MAX_DEPTH, MAX_PARTS, MAX_RECORD_BYTES
from schemas.wire import InvalidRecordError, Record, decoder, refuse_shape
from streams.events.column_reader import ColumnReader, Kind
from streams.events.records import LogRecord, Refused
from streams.identifiers.columns import cleaned
from streams.identifiers.guard import Guard, Seen

AT_ONCE: Final = 200
"""Records whose brackets are counted together: as many as a processor's cache holds."""

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Columns:
    """The accepted records of one kind: their columns, and the position of each in the batch, ascending."""

    kind: Kind
    table: pa.Table
    position: Positions


@dataclass(frozen=True, slots=True)
class Masked:
    """That a direct identifier stood in a field of the record at a position, and stands there no more."""

    position: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded batch: every position is in exactly one of the kinds or among the refused."""

    kinds: dict[Kind, Columns]
    refused: list[Refused]
    masked: list[Masked] = field(default_factory=list)


class Decoder:
    """Decodes the batches of one topic.

    Parameters
    ----------
    accepted
        The record type, or union of types, that the topic carries.
    columnar
        The kinds worth reading as columns; the others are rare and go one by one.
    guard
        What takes direct identifiers out; None leaves records as they are.
    """

    def __init__(self, accepted: Any, columnar: Sequence[Kind] = (), guard: Guard | None = None) -> None:
        self._one = decoder(accepted)
        self._guard: Final = guard
        self._lanes: Final = [(_prefix(kind), kind) for kind in columnar]
        self._readers: Final = {kind: ColumnReader(kind) for kind in columnar}

    def __call__(self, records: Sequence[LogRecord]) -> Decoded:
        """Decode a batch. Never raises for what the records hold."""
        singles, lanes = self._split(records)
        parts: dict[Kind, list[tuple[pa.Table, Positions]]] = {}
        masked: list[Masked] = []
        for kind, positions in lanes.items():
            table = self._readers[kind].read_clean([records[i] for i in positions])
            if table is None:
                singles.extend(positions)
                continue
            clean, where, rest = self._without_persons(kind, table, np.array(positions, np.int64), masked)
            singles.extend(rest)
            if len(where):
                parts[kind] = [(clean, where)]
        refused = self._read_singles(records, sorted(singles), parts, masked)
        return Decoded({kind: _merge(kind, found) for kind, found in parts.items()}, refused, masked)

    def _without_persons(
        self, kind: Kind, table: pa.Table, positions: Positions, masked: list[Masked]
    ) -> tuple[pa.Table, Positions, list[int]]:
        """Return columns that name nobody, where their rows are, and those that are to be looked at one by one."""
        if self._guard is None:
            return table, positions, []
        table, seen, rest = cleaned(self._guard, kind, table)
        masked += [Masked(int(positions[row]), what) for row, what in seen]
        if not len(rest):
            return table, positions, []
        kept = np.ones(len(table), bool)
        kept[rest] = False
        return table.filter(pa.array(kept)), positions[kept], positions[rest].tolist()

    def _split(self, records: Sequence[LogRecord]) -> tuple[list[int], dict[Kind, list[int]]]:
        values = [record.value or b"" for record in records]
        misshapen = misshapen_of(values)
        singles: list[int] = []
        lanes: dict[Kind, list[int]] = {}
        for position, value in enumerate(values):
            for prefix, kind in self._lanes:
                if value.startswith(prefix) and position not in misshapen:
                    lanes.setdefault(kind, []).append(position)
                    break
            else:
                singles.append(position)
        return singles, lanes

    def _read_singles(
        self,
        records: Sequence[LogRecord],
        positions: list[int],
        parts: dict[Kind, list[tuple[pa.Table, Positions]]],
        masked: list[Masked],
    ) -> list[Refused]:
        accepted: dict[Kind, tuple[list[Record], list[int]]] = {}
        refused: list[Refused] = []
        for position in positions:
            record = records[position]
            try:
                parsed = self._one(record.value or b"", record.timestamp * 1_000_000)
            except InvalidRecordError as error:
                refused.append(Refused(position, error.reason, str(error)))
            else:
                if self._guard is not None:
                    parsed, seen = self._guard.record(parsed)
                    masked += [Masked(position, what) for what in seen]
                rows, where = accepted.setdefault(type(parsed), ([], []))
                rows.append(parsed)
                where.append(position)
        for kind, (rows, where) in accepted.items():
            reader = self._readers.setdefault(kind, ColumnReader(kind))
            parts.setdefault(kind, []).append((reader.read_structs(rows), np.array(where, np.int64)))
        return refused


def misshapen_of(values: Sequence[bytes]) -> set[int]:
    """Return the positions of records that are larger, deeper or of more parts than a parser is to see.

    One pass over the bytes of all finds the few with as many brackets as it takes; only those are looked at.
    """
    found = set()
    for start in range(0, len(values), AT_ONCE):
        for position in _suspects(values[start : start + AT_ONCE]):
            try:
                refuse_shape(values[start + position], MAX_RECORD_BYTES, MAX_PARTS)
            except InvalidRecordError:
                found.add(start + position)
    return found


def _suspects(values: Sequence[bytes]) -> list[int]:
    joined = np.frombuffer(b"".join(values), np.uint8)
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    opening = np.flatnonzero((joined | np.uint8(0x20)) == np.uint8(ord("{")))  # [ and { differ by that bit alone
    openings = np.diff(np.searchsorted(opening, np.cumsum(lengths)), prepend=0)
    return np.flatnonzero((openings > MAX_DEPTH) | (lengths > MAX_PARTS)).tolist()


def events_decoder(guard: Guard | None = None) -> Decoder:
    """Return the decoder of ``inference.v1``; a guard takes direct identifiers out."""
    return Decoder(Event, (Inference, AgentStep, GuardVerdict, Retrieval, Telemetry), guard)


def _prefix(kind: Kind) -> bytes:
    return b'{"event_type":"%s",' % str(kind.__struct_config__.tag).encode()


def _merge(kind: Kind, parts: list[tuple[pa.Table, Positions]]) -> Columns:
    if len(parts) == 1:
        return Columns(kind, parts[0][0], parts[0][1])
    table = pa.concat_tables([table for table, _ in parts])
    position = np.concatenate([where for _, where in parts])
    order = np.argsort(position, kind="stable")
    return Columns(kind, table.take(order), position[order])
