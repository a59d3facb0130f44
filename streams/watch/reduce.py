"""A closed tick of one partition to sums by group: sessions once, groups bounded, bursts left out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.identity import joined
from schemas.metrics import RATES, TRACE_RATES
from schemas.windows import MAX_GROUPS, OTHER, Group, GroupSums, Sums
from streams.events.hashing import hash_texts, mixed
from streams.watch.cascades import cascade_sums
from streams.watch.histograms import NamedCounts, count_mixes, count_quantities, count_statuses, samples
from streams.watch.sessions import FlaggedSessions, Memory
from streams.watch.ticks import EventColumns, Part, UInt16s, UInt64s


def reduce_tick(parts: Sequence[Part], tick: int, memory: Memory) -> list[GroupSums]:
    """Return the sums of a tick, groups in the order of their names.

    Parameters
    ----------
    parts
        All events that count in the tick.
    tick
        Its number. Ticks must come in order, because `memory` remembers across them.
    memory
        The sessions flagged lately, and the traces whose latest step was unsafe; learns those of this tick.
    """
    groups, renumbered, columns = _united(parts)
    rates = _rate_sums(groups, columns, tick, memory.flagged)
    cascades = cascade_sums(columns, len(groups), tick, memory.unsafe_traces)
    count = len(groups)
    calls = np.bincount(columns.group[columns.call > 0], minlength=count)
    events = np.bincount(columns.group, minlength=count)
    late = np.bincount(columns.group, columns.late, minlength=count)
    quantities, mixes = count_quantities(columns), count_mixes(parts, renumbered)
    guards: NamedCounts = count_statuses(parts, renumbered)
    shown = samples(parts, renumbered)
    return [
        GroupSums(
            tenant_id=group[0],
            service_name=group[1],
            model_version=group[2],
            variant=group[3],
            events=int(events[index]),
            calls=int(calls[index]),
            late=int(late[index]),
            rates=rates[index] | ({TRACE_RATES[0].name: cascades[index]} if index in cascades else {}),
            quantities=quantities.get(index, {}),
            mixes=mixes.get(index, {}),
            guards=guards.get(index, {}),
            samples=shown.chosen.get(index, []),
            sampled_from=shown.among.get(index, 0),
        )
        for index, group in enumerate(groups)
    ]


def with_refused(groups: list[GroupSums], refused: dict[str, int]) -> list[GroupSums]:
    """Return the groups of a tick with those of its refused records, by the services they were of."""
    more = [
        GroupSums(tenant_id="", service_name=owner, model_version="", events=0, refused=number)
        for owner, number in refused.items()
    ]
    return [*groups, *more]


def _united(parts: Sequence[Part]) -> tuple[list[Group], list[npt.NDArray[np.int64]], EventColumns]:
    """Bring the groups of all parts to one numbering, and the least of too many under one name.

    The second of the results gives, for each part, the new number of each group of its batch.
    """
    events: Counter[Group] = Counter()
    for part in parts:
        for code, number in enumerate(np.bincount(part.events.group).tolist()):
            if number:
                events[part.batch.groups[code]] += number
    kept = sorted(events, key=lambda group: (-events[group], group))[:MAX_GROUPS]
    names = sorted({*kept, OTHER} if len(events) > len(kept) else kept)
    numbers = {group: index for index, group in enumerate(names)}
    other = numbers.get(OTHER, -1)
    renumbered = [np.array([numbers.get(group, other) for group in part.batch.groups], np.int64) for part in parts]
    columns = [
        replace(part.events, group=numbers_of[part.events.group])
        for part, numbers_of in zip(parts, renumbered, strict=True)
    ]
    return names, renumbered, EventColumns.concatenate(columns)


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


def _bits(sets: UInt16s) -> npt.NDArray[np.bool_]:
    bits = np.unpackbits(sets.astype("<u2").view(np.uint8).reshape(-1, 2), axis=1, bitorder="little", count=len(RATES))
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
    return hash_texts(pa.array([joined(*group) for group in groups], pa.string()))
