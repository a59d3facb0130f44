"""Ticks that close together, as one block: what is done for each event or group is done for all of them at once.

The groups of each tick are the cells of the block.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.windows import MAX_GROUPS, OTHER, Group
from streams.events.labels import Named
from streams.watch.batches import Batch, EventColumns, Int64s, Shown, UInt32s, UInt64s, no_events
from streams.watch.single.acts import Acts

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Met:
    """What verdicts that travelled alone found, under the events that they judged: no events, only trials and flags.

    `tick` is an index in the ticks of a block, `group` one in the groups of its batch. An `orphan` found no event, and
    stands under its own group.
    """

    tick: Int64s
    group: Int64s
    session: UInt64s
    trials: UInt32s
    flagged: UInt32s
    orphan: npt.NDArray[np.bool_]

    @staticmethod
    def of(rows: "Sequence[tuple[int, int, int, int, int, bool]]" = ()) -> "Met":
        """Return rows of tick, group, session, trials, flags and whether it is an orphan as columns."""
        kinds = (np.int64, np.int64, np.uint64, np.uint32, np.uint32, np.bool_)
        columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
        return Met(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))


NOBODY: Final = Met.of()


@dataclass(frozen=True, slots=True)
class Block:
    """The ticks that closed together: their events by tick, and in log order within each.

    Parameters
    ----------
    ticks
        The ticks that have events, ascending.
    starts
        The first row of each of them in the events, and behind the last the number of rows.
    batch
        The events; `EventColumns.row` is their place in the block.
    refused
        By tick, the refused records by whose they were.
    met
        What verdicts that travelled alone found (`streams.watch.verdicts`).
    """

    ticks: Int64s
    starts: Int64s
    batch: Batch
    refused: Mapping[int, dict[str, int]] = field(default_factory=dict)
    met: Met = NOBODY

    def __len__(self) -> int:
        return len(self.ticks)

    def index(self) -> Int64s:
        """Return the index in `ticks` of the tick of each event."""
        return np.repeat(np.arange(len(self.ticks)), np.diff(self.starts))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some rows of a batch, and the tick that each counts in."""

    batch: Batch
    rows: Int64s
    tick: Int64s

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Chosen":
        """Return those of the rows that are chosen."""
        return Chosen(self.batch, self.rows[chosen], self.tick[chosen])


def block_of(parts: Sequence[Chosen], refused: Mapping[int, dict[str, int]]) -> Block:
    """Return the chosen events of batches as one block, by tick and in the order of the batches within each."""
    kept = [part for part in parts if len(part.rows)]
    if not kept:
        return Block(np.empty(0, np.int64), np.zeros(1, np.int64), no_events(), refused)
    tick = np.concatenate([part.tick for part in kept])
    order = np.argsort(tick, kind="stable")
    ticks, starts = np.unique(tick[order], return_index=True)
    return Block(ticks, np.append(starts, len(order)), _united(kept, order), refused)


class _Codes:
    """One numbering for the names of several batches."""

    def __init__(self) -> None:
        self.groups: dict[Group, int] = {}
        self.sources: dict[str, int] = {}
        self.labels: dict[str, int] = {}
        self.models: dict[str, int] = {}


def _united(parts: Sequence[Chosen], order: Int64s) -> Batch:
    """Return the chosen rows of all parts in one order and one numbering."""
    codes, place = _Codes(), np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    events, guards, labels, acts, start = [], [], [], [], 0
    for part in parts:
        at = np.full(len(part.batch.events.time), -1)
        at[part.rows] = place[start : start + len(part.rows)]
        start += len(part.rows)
        events.append(_renumbered(part, codes))
        guards.append(_moved(part.batch.guards, at))
        acts.append(part.batch.acts.moved(at))
        own = _moved(part.batch.labels, at)
        labels.append(Named(own.row, _numbers(codes.labels, part.batch.label_names)[own.name]))
    columns = replace(EventColumns.concatenate(events).take(order), row=np.arange(len(order)))
    groups, names, sources = list(codes.groups), list(codes.labels), list(codes.sources)
    shown, models = _shown(parts, order), list(codes.models)
    return Batch(columns, groups, _joined(guards), _joined(labels), names, shown, sources, models, Acts.joined(acts))


def _renumbered(part: Chosen, codes: _Codes) -> EventColumns:
    events = part.batch.events.take(part.rows)
    groups = _numbers(codes.groups, part.batch.groups)
    sources = _numbers(codes.sources, part.batch.sources)
    models = np.append(_numbers(codes.models, part.batch.models), -1)  # -1 stays -1
    source = sources[events.source] if len(sources) else events.source
    return replace(events, group=groups[events.group], source=source, asked=models[events.asked])


def _numbers(numbers: dict[Name, int], names: Sequence[Name]) -> Int64s:
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def _moved(named: Named, at: Int64s) -> Named:
    """Return the named things of the events that have a place, by it."""
    row = at[named.row]
    kept = row >= 0
    return Named(row[kept], named.name[kept])


def _joined(parts: Sequence[Named]) -> Named:
    return Named(np.concatenate([part.row for part in parts]), np.concatenate([part.name for part in parts]))


def _shown(parts: Sequence[Chosen], order: Int64s) -> Shown:
    starts = np.cumsum([0, *(len(part.batch.shown.event_id) for part in parts)])
    rows = np.concatenate([part.rows + start for part, start in zip(parts, starts.tolist(), strict=False)])[order]
    return Shown(*(_taken([getattr(part.batch.shown, name) for part in parts], rows) for name in Shown.__slots__))


def _taken(columns: Sequence[pa.Array], rows: Int64s) -> pa.Array:
    if all(column.null_count == len(column) for column in columns):
        return pa.nulls(len(rows), pa.string())
    return pa.chunked_array(columns).take(pa.array(rows)).combine_chunks()


@dataclass(frozen=True, slots=True)
class Cells:
    """What is counted together.

    Parameters
    ----------
    of
        The cell of each event.
    tick
        The tick of each cell, by its index in the block.
    name
        The group of each cell, by its index in `names`.
    names
        The groups of the block in the order of their names.
    met
        The cell of each of what verdicts found.
    """

    of: Int64s
    tick: Int64s
    name: Int64s
    names: Sequence[Group]
    met: Int64s

    def __len__(self) -> int:
        return len(self.tick)


def cells_of(block: Block) -> Cells:
    """Return the cells of a block; in a tick with too many groups the least of them are one, under `OTHER`."""
    groups, group = block.batch.groups, block.batch.events.group
    names = sorted({*groups, OTHER})
    numbers = {name: number for number, name in enumerate(names)}
    rank = np.array([numbers[name] for name in groups], np.int64)
    count, met = len(group), block.met
    keys = block.index() * len(names) + rank[group]
    if len(met.tick):
        keys = np.concatenate([keys, met.tick * len(names) + rank[met.group]])
    distinct, of, events = np.unique(keys, return_inverse=True, return_counts=True)
    tick = distinct // len(names)
    crowded = np.flatnonzero(np.bincount(tick, minlength=len(block)) > MAX_GROUPS)
    if len(crowded):
        for number in crowded.tolist():
            own = np.flatnonzero(tick == number)
            least = own[np.lexsort((own, -events[own]))[MAX_GROUPS:]]
            distinct[least] = number * len(names) + numbers[OTHER]
        distinct, of = np.unique(distinct[of], return_inverse=True)
    return Cells(of[:count], distinct // len(names), distinct % len(names), names, of[count:])
