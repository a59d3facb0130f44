"""What windows carry beside the rates: histograms of quantities, names by sessions, and a few samples."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.metrics import RATES
from schemas.quantities import BINS, QUANTITIES
from schemas.windows import GUARD_COUNTS, MAX_NAMES, MAX_SAMPLES, Sample
from streams.events.bins import bin_of
from streams.events.flags import BIT
from streams.events.hashing import hash_texts
from streams.events.labels import SEPARATOR, STEP
from streams.watch.batches import Batch, EventColumns, Int64s
from streams.watch.blocks import Cells

NamedCounts = dict[int, dict[str, int]]
"""By cell, counts by name."""

_ATTACKS: Final = np.uint32(sum(BIT[rate.name] for rate in RATES if rate.family in ("unsafe", "injection", "leak")))
"""The flags that say that a guard found an attack or a hazard."""
_BIN_NAMES: Final = [str(number) for number in range(BINS)]
_STATUSES: Final = sorted(GUARD_COUNTS)
_RANK: Final = np.array([_STATUSES.index(name) for name in GUARD_COUNTS], np.int64)


def count_quantities(columns: EventColumns, cells: Cells) -> dict[int, dict[str, dict[str, int]]]:
    """Return, by cell, a histogram of each quantity: of a session in a tick only its latest event counts.

    The steps of one agent follow each other in seconds and are alike; counted one by one they pass for evidence.
    """
    counted: dict[int, dict[str, dict[str, int]]] = {}
    for index, quantity in enumerate(QUANTITIES):
        known = np.flatnonzero(~np.isnan(columns.measures[:, index]))
        if not len(known):
            continue
        values = columns.measures[known, index].astype(np.float64)
        cell, session = cells.of[known], columns.session[known]
        order = np.lexsort((values, columns.time[known], session, cell))
        values, cell, session = values[order], cell[order], session[order]
        latest = np.append((cell[1:] != cell[:-1]) | (session[1:] != session[:-1]), True)
        for number, at, amount in _counts(cell[latest], bin_of(values[latest], quantity.scale), BINS):
            counted.setdefault(number, {}).setdefault(quantity.name, {})[_BIN_NAMES[at]] = amount
    return counted


def count_statuses(batch: Batch, cells: Cells) -> NamedCounts:
    """Return, by cell, guard results by status, in the order of the statuses' names however they were batched."""
    counted: NamedCounts = {}
    for number, status, amount in _counts(cells.of[batch.guards.row], _RANK[batch.guards.name], len(_STATUSES)):
        counted.setdefault(number, {})[_STATUSES[status]] = amount
    return counted


def count_mixes(batch: Batch, cells: Cells) -> dict[int, dict[str, dict[str, int]]]:
    """Return, by cell and mix, how many sessions showed each name: a chatty session counts once.

    Mixes come in the order of their names: readers number their series as they come, and that number may not
    depend on where one batch ended and the next began.
    """
    if not len(batch.labels.row):
        return {}
    names = sorted(batch.label_names)
    parts = [name.partition(SEPARATOR) for name in names]
    ranks = {name: rank for rank, name in enumerate(names)}
    label = np.array([ranks[name] for name in batch.label_names], np.int64)[batch.labels.name]
    cell, session = cells.of[batch.labels.row], batch.events.session[batch.labels.row]
    order = np.lexsort((session, label, cell))
    cell, label, session = cell[order], label[order], session[order]
    fresh = np.concatenate([[True], (np.diff(cell) != 0) | (np.diff(label) != 0) | (session[1:] != session[:-1])])
    counted: dict[int, dict[str, dict[str, int]]] = {}
    for number, rank, amount in _counts(cell[fresh], label[fresh], len(names)):
        mix, _, name = parts[rank]
        counted.setdefault(number, {}).setdefault(mix, {})[name] = amount
    return {
        number: {mix: bounded(found) if len(found) > 1 else found for mix, found in mixes.items() if mix != STEP}
        for number, mixes in counted.items()
    }


def _counts(cell: Int64s, code: Int64s, codes: int) -> Iterator[tuple[int, int, int]]:
    """Yield how often each code is met in each cell, in the order of both."""
    pairs, counts = np.unique(cell * codes + code, return_counts=True)
    return zip((pairs // codes).tolist(), (pairs % codes).tolist(), counts.tolist(), strict=True)


def bounded(counts: dict[str, int]) -> dict[str, int]:
    """Return the names of a mix that are told, the most frequent first; the others are one, under ``~other``."""
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if len(ordered) <= MAX_NAMES:
        return ordered
    kept = dict(list(ordered.items())[:MAX_NAMES])
    kept["~other"] = kept.get("~other", 0) + sum(ordered.values()) - sum(kept.values())
    return kept


@dataclass(slots=True)
class Samples:
    """By cell: the samples, and how many events they were chosen from."""

    chosen: dict[int, list[Sample]] = field(default_factory=dict)
    among: dict[int, int] = field(default_factory=dict)


def samples(batch: Batch, cells: Cells) -> Samples:
    """Return a few of the events that came with a text vector, chosen by the hash of their id."""
    result, shown = Samples(), batch.shown
    if shown.vector.null_count == len(shown.vector):
        return result
    rows = np.flatnonzero(pc.is_valid(shown.vector).to_numpy(zero_copy_only=False))
    cell, keys = cells.of[rows], hash_texts(shown.event_id.take(pa.array(rows)))
    order = np.lexsort((rows, keys, cell))
    numbers, starts, counts = np.unique(cell[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(starts, counts)
    chosen = order[place < MAX_SAMPLES]
    texts = [column.take(pa.array(rows[chosen])).to_pylist() for column in (shown.event_id, shown.vector, shown.user)]
    flagged = (batch.events.flagged[rows[chosen]] & _ATTACKS != 0).tolist()
    for number, bad, event_id, vector, user in zip(cell[chosen].tolist(), flagged, *texts, strict=True):
        sample = Sample(event_id=event_id, vector=vector, user=user, flagged=bad)
        result.chosen.setdefault(number, []).append(sample)
    result.among = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    return result
