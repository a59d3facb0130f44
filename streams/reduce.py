"""A closed tick of one partition to sums by group: sessions once, groups bounded, bursts left out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.metrics import RATES
from schemas.windows import GroupSums, Sums
from streams.hashing import hash_texts
from streams.sessions import FlaggedSessions, mixed
from streams.ticks import EventColumns, Group, Int64s, Part, UInt64s

MAX_GROUPS: Final = 2_000
"""Groups that one tick of one partition may name; the smallest of any more are summed as `OTHER`."""

OTHER: Final[Group] = ("~other", "~other", "~other")

GUARD_COUNTS: Final = ("ok", "error", "timeout", "skipped", "partial", "uncovered")
"""Guard results by status, and outputs for which no guard gave a verdict at all."""

_MANY_BINS: Final = 1_000
"""More bins than a duration can have."""


def reduce_tick(parts: Sequence[Part], tick: int, sessions: FlaggedSessions) -> list[GroupSums]:
    """Return the sums of a tick, groups in the order of their names.

    Parameters
    ----------
    parts
        All events that count in the tick.
    tick
        Its number. Ticks must come in order, because `sessions` remembers across them.
    sessions
        The sessions flagged lately; learns those of this tick.
    """
    groups, columns, guards, categories = _united(parts)
    rates = _rate_sums(groups, columns, tick, sessions)
    count = len(groups)
    calls = columns.call.astype(bool)
    per_group = {
        "events": np.bincount(columns.group, minlength=count),
        "calls": np.bincount(columns.group[calls], minlength=count),
        "late": np.bincount(columns.group, columns.late, minlength=count),
        "input_tokens": np.bincount(columns.group, columns.input_tokens, minlength=count),
        "output_tokens": np.bincount(columns.group, columns.output_tokens, minlength=count),
    }
    bins = _latency_bins(columns)
    return [
        GroupSums(
            tenant_id=group[0],
            service_name=group[1],
            model_version=group[2],
            rates=rates[index],
            latency_bins=bins.get(index, {}),
            guards=guards.get(index, {}),
            categories=categories.get(index, {}),
            **{name: int(values[index]) for name, values in per_group.items()},
        )
        for index, group in enumerate(groups)
    ]


NamedCounts = dict[int, dict[str, int]]


def _united(parts: Sequence[Part]) -> tuple[list[Group], EventColumns, NamedCounts, NamedCounts]:
    """Bring the groups of all parts to one numbering, and the least of too many under one name."""
    events: Counter[Group] = Counter()
    for part in parts:
        for code, number in enumerate(np.bincount(part.events.group).tolist()):
            if number:
                events[part.batch.groups[code]] += number
    kept = sorted(events, key=lambda group: (-events[group], group))[:MAX_GROUPS]
    names = sorted({*kept, OTHER} if len(events) > len(kept) else kept)
    numbers = {group: index for index, group in enumerate(names)}
    other = numbers.get(OTHER, -1)
    columns, guards, categories = [], NamedCounts(), NamedCounts()
    for part in parts:
        renumber = np.array([numbers.get(group, other) for group in part.batch.groups], np.int64)
        columns.append(replace(part.events, group=renumber[part.events.group]))
        _count_names(guards, renumber[part.guard_group], part.guard_name, GUARD_COUNTS)
        _count_names(categories, renumber[part.category_group], part.category_name, part.batch.category_names)
    return names, EventColumns.concatenate(columns), guards, categories


def _count_names(into: NamedCounts, group: Int64s, name: Int64s, names: Sequence[str]) -> None:
    pairs, counts = np.unique(group * max(len(names), 1) + name, return_counts=True)
    for pair, number in zip(pairs.tolist(), counts.tolist(), strict=True):
        counter = into.setdefault(pair // len(names), {})
        key = names[pair % len(names)]
        counter[key] = counter.get(key, 0) + number


def _rate_sums(
    groups: list[Group], columns: EventColumns, tick: int, sessions: FlaggedSessions
) -> list[dict[str, Sums]]:
    """Count by rate (columns of every matrix here) and group (rows of the results)."""
    order = np.lexsort((columns.session, columns.group))
    group, session = columns.group[order], columns.session[order]
    trials, flagged = _bits(columns.trials[order]), _bits(columns.flagged[order])
    group_starts = _starts(group[1:] != group[:-1])
    unit_starts = _starts((group[1:] != group[:-1]) | (session[1:] != session[:-1]))
    keys = session[unit_starts] ^ _stable_keys(groups)[group[unit_starts]]
    unit_trials = np.logical_or.reduceat(trials, unit_starts)
    unit_hits = np.logical_or.reduceat(flagged, unit_starts) & unit_trials
    repeated = _remember(unit_hits, keys, tick, sessions)
    unit_groups = np.searchsorted(unit_starts, group_starts)
    counts = np.stack(
        [
            np.add.reduceat(unit_trials & ~repeated, unit_groups, dtype=np.int64),
            np.add.reduceat(unit_hits & ~repeated, unit_groups, dtype=np.int64),
            np.add.reduceat(trials, group_starts, dtype=np.int64),
            np.add.reduceat(flagged & trials, group_starts, dtype=np.int64),
        ],
        axis=-1,
    ).tolist()
    return [{rate.name: Sums(*sums) for rate, sums in zip(RATES, row, strict=True) if sums[2]} for row in counts]


def _starts(differs: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.concatenate([[True], differs]))


def _bits(sets: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    bits = np.unpackbits(sets[:, None], axis=1, bitorder="little", count=len(RATES))
    return bits.astype(bool)


def _remember(
    hits: npt.NDArray[np.bool_], keys: UInt64s, tick: int, sessions: FlaggedSessions
) -> npt.NDArray[np.bool_]:
    """Return which hits were flagged lately already, and remember the others."""
    unit, rate = np.nonzero(hits)
    flagged = mixed(keys[unit], rate.astype(np.uint64))
    again = sessions.repeated(flagged, tick)
    sessions.remember(np.unique(flagged[~again]), tick)
    repeated = np.zeros_like(hits)
    repeated[unit[again], rate[again]] = True
    return repeated


def _stable_keys(groups: list[Group]) -> UInt64s:
    return hash_texts(pa.array(["\x1f".join(group) for group in groups], pa.string()))


def _latency_bins(columns: EventColumns) -> NamedCounts:
    """Count calls by ``floor(8 log2(ms))``; below one millisecond is bin 0."""
    timed = (columns.call > 0) & ~np.isnan(columns.latency_ms)
    bins = np.floor(8 * np.log2(np.maximum(columns.latency_ms[timed], 1))).astype(np.int64)
    counted = NamedCounts()
    pairs, counts = np.unique(columns.group[timed] * _MANY_BINS + bins, return_counts=True)
    for pair, amount in zip(pairs.tolist(), counts.tolist(), strict=True):
        counted.setdefault(pair // _MANY_BINS, {})[str(pair % _MANY_BINS)] = amount
    return counted
