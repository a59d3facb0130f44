"""What windows carry beside the rates: histograms of quantities, names by sessions, and a few samples."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc

from schemas.quantities import BINS, QUANTITIES
from schemas.windows import GUARD_COUNTS, MAX_NAMES, MAX_SAMPLES, Sample
from streams.events.bins import bin_of
from streams.events.hashing import hash_texts
from streams.events.labels import SEPARATOR
from streams.watch.ticks import EventColumns, Int64s, Part

NamedCounts = dict[int, dict[str, int]]
"""By group, counts by name."""


def count_quantities(columns: EventColumns) -> dict[int, dict[str, dict[str, int]]]:
    """Return, by group, a histogram of each quantity: of a session in a tick only its latest event counts.

    The steps of one agent follow each other in seconds and are alike; counted one by one they pass for evidence.
    """
    counted: dict[int, dict[str, dict[str, int]]] = {}
    for index, quantity in enumerate(QUANTITIES):
        known = np.flatnonzero(~np.isnan(columns.measures[:, index]))
        if not len(known):
            continue
        values = columns.measures[known, index].astype(np.float64)
        group, session = columns.group[known], columns.session[known]
        order = np.lexsort((values, columns.time[known], session, group))
        values, group, session = values[order], group[order], session[order]
        latest = np.append((group[1:] != group[:-1]) | (session[1:] != session[:-1]), True)
        pairs, counts = np.unique(group[latest] * BINS + bin_of(values[latest], quantity.scale), return_counts=True)
        for pair, amount in zip(pairs.tolist(), counts.tolist(), strict=True):
            counted.setdefault(pair // BINS, {}).setdefault(quantity.name, {})[str(pair % BINS)] = amount
    return counted


def count_statuses(parts: Sequence[Part], renumbered: Sequence[Int64s]) -> NamedCounts:
    """Return, by group, guard results by status, in the order of the statuses' names however they were batched."""
    counted: NamedCounts = {}
    for part, numbers in zip(parts, renumbered, strict=True):
        group = numbers[part.batch.events.group[part.guards.row]]
        pairs, counts = np.unique(group * len(GUARD_COUNTS) + part.guards.name, return_counts=True)
        for pair, amount in zip(pairs.tolist(), counts.tolist(), strict=True):
            counter = counted.setdefault(pair // len(GUARD_COUNTS), {})
            name = GUARD_COUNTS[pair % len(GUARD_COUNTS)]
            counter[name] = counter.get(name, 0) + amount
    return {number: dict(sorted(found.items())) for number, found in counted.items()}


def count_mixes(parts: Sequence[Part], renumbered: Sequence[Int64s]) -> dict[int, dict[str, dict[str, int]]]:
    """Return, by group and mix, how many sessions showed each name: a chatty session counts once.

    Mixes come in the order of their names: readers number their series as they come, and that number may not
    depend on where one batch ended and the next began.
    """
    codes: dict[str, int] = {}
    rows = []
    for part, numbers in zip(parts, renumbered, strict=True):
        own = np.array([codes.setdefault(name, len(codes)) for name in part.batch.label_names], np.int64)
        if len(part.labels.row):
            events, row = part.batch.events, part.labels.row
            rows.append((numbers[events.group[row]], own[part.labels.name], events.session[row]))
    if not rows:
        return {}
    group, label, session = (np.concatenate(columns) for columns in zip(*rows, strict=True))
    order = np.lexsort((session, label, group))
    group, label, session = group[order], label[order], session[order]
    fresh = np.concatenate([[True], (np.diff(group) != 0) | (np.diff(label) != 0) | (session[1:] != session[:-1])])
    names = list(codes)
    counted: dict[int, dict[str, dict[str, int]]] = {}
    pairs, counts = np.unique(group[fresh] * len(names) + label[fresh], return_counts=True)
    for pair, amount in zip(pairs.tolist(), counts.tolist(), strict=True):
        mix, _, name = names[pair % len(names)].partition(SEPARATOR)
        counted.setdefault(pair // len(names), {}).setdefault(mix, {})[name] = amount
    return {number: {mix: _bounded(mixes[mix]) for mix in sorted(mixes)} for number, mixes in counted.items()}


def _bounded(counts: dict[str, int]) -> dict[str, int]:
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if len(ordered) <= MAX_NAMES:
        return ordered
    kept = dict(list(ordered.items())[:MAX_NAMES])
    kept["~other"] = kept.get("~other", 0) + sum(ordered.values()) - sum(kept.values())
    return kept


@dataclass(slots=True)
class Samples:
    """By group: the samples, and how many events they were chosen from."""

    chosen: dict[int, list[Sample]] = field(default_factory=dict)
    among: dict[int, int] = field(default_factory=dict)


def samples(parts: Sequence[Part], renumbered: Sequence[Int64s]) -> Samples:
    """Return a few of the events that came with a text vector, chosen by the hash of their id."""
    found: dict[int, list[tuple[int, Sample]]] = {}
    for part, numbers in zip(parts, renumbered, strict=True):
        shown = part.batch.shown
        if shown.vector.null_count == len(shown.vector):
            continue
        has = pc.is_valid(shown.vector).to_numpy(zero_copy_only=False)
        events = part.events.take(np.flatnonzero(has[part.events.row]))
        ids = shown.event_id.take(events.row)
        rows = zip(
            numbers[events.group].tolist(),
            hash_texts(ids).tolist(),
            ids.to_pylist(),
            shown.vector.take(events.row).to_pylist(),
            shown.user.take(events.row).to_pylist(),
            strict=True,
        )
        for group, key, event_id, vector, user in rows:
            found.setdefault(group, []).append((key, Sample(event_id=event_id, vector=vector, user=user)))
    result = Samples()
    for group, candidates in found.items():
        candidates.sort(key=lambda item: item[0])
        result.chosen[group] = [sample for _, sample in candidates[:MAX_SAMPLES]]
        result.among[group] = len(candidates)
    return result
