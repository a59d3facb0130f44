"""Closed ticks of one partition to sums by group: sessions once, groups bounded, bursts left out.

All ticks that close together are counted in one pass. Only what is remembered across ticks goes in their order, and
that is little: sessions that are flagged, and traces with an unsafe step.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.identity import joined
from schemas.metrics import RATES, TRACE_RATES
from schemas.windows import GroupSums, PromptSums, Sums
from streams.events.hashing import hash_texts, mixed
from streams.watch.batches import VERDICT, UInt32s, UInt64s
from streams.watch.blocks import Block, Cells, cells_of
from streams.watch.cascades import cascade_sums
from streams.watch.histograms import count_mixes, count_quantities, count_statuses, samples
from streams.watch.memory import Memory
from streams.watch.prompts import OfPrompt, beside, split
from streams.watch.sessions import FlaggedSessions

TickGroups = tuple[int, list[GroupSums]]

Summed = TypeVar("Summed")
"""What is said of a cell."""


def reduce_block(block: Block, memory: Memory) -> list[TickGroups]:
    """Return the sums of each tick of a block, ascending, its groups in the order of their names.

    What agents did, and the refused records of a tick, follow as groups of their own, by their services.

    Parameters
    ----------
    block
        All events that count in its ticks. Blocks must come in order, because `memory` remembers across them.
    memory
        The sessions flagged lately, the traces whose latest step was unsafe, the verdicts that wait for their
        events, and the traces that agents are in; learns those of these ticks.
    """
    block = memory.verdicts.met(block)
    whole, apart = split(block)
    found = dict(_by_tick(whole, partial(_cell_sums, memory=memory)))
    if apart is not None:
        beside(found, _by_tick(apart, partial(_prompt_sums, flagged=memory.flagged_of_prompts)))
    for tick, groups in memory.behaviour.groups(block):
        found[tick] += groups
    for tick, refused in block.refused.items():
        found.setdefault(tick, []).extend(
            GroupSums(tenant_id="", service_name=owner, model_version="", events=0, refused=number)
            for owner, number in refused.items()
        )
    return sorted(found.items())


def _by_tick(block: Block, sums_of: Callable[[Block, Cells], Iterator[Summed]]) -> Iterator[tuple[int, list[Summed]]]:
    if not len(block):
        return
    cells = cells_of(block)
    ticks = block.ticks[cells.tick].tolist()
    for tick, group in groupby(zip(ticks, sums_of(block, cells), strict=True), key=lambda item: item[0]):
        yield tick, [sums for _, sums in group]


def _prompt_sums(block: Block, cells: Cells, flagged: FlaggedSessions) -> Iterator[OfPrompt]:
    """Yield of each cell what a comparison of variants asks of it."""
    events = np.bincount(cells.of, minlength=len(cells)).tolist()
    rates = _rate_sums(block, cells, flagged)
    quantities, mixes = count_quantities(block.batch.events, cells), count_mixes(block.batch, cells)
    for cell, name in enumerate(cells.name.tolist()):
        latency, category = quantities.get(cell, {}).get("latency"), mixes.get(cell, {}).get("category")
        yield OfPrompt(cells.names[name], events[cell], PromptSums(
            rates=rates[cell],
            quantities={"latency": latency} if latency else {},
            mixes={"category": category} if category else {},
        ))  # fmt: skip


def _cell_sums(block: Block, cells: Cells, memory: Memory) -> Iterator[GroupSums]:
    events, count = block.batch.events, len(cells)
    rates = _rate_sums(block, cells, memory.flagged)
    cascades = cascade_sums(block, cells, memory.unsafe_traces)
    number = np.bincount(cells.of, minlength=count).tolist()
    calls = np.bincount(cells.of[events.call > 0], minlength=count).tolist()
    late = np.bincount(cells.of[events.late > 0], minlength=count).tolist()
    orphans = np.bincount(cells.met[block.met.orphan], minlength=count).tolist()
    quantities, mixes = count_quantities(events, cells), count_mixes(block.batch, cells)
    guards, shown = count_statuses(block.batch, cells), samples(block.batch, cells)
    for cell, name in enumerate(cells.name.tolist()):
        tenant, service, version, variant = cells.names[name]
        yield GroupSums(
            tenant_id=tenant,
            service_name=service,
            model_version=version,
            variant=variant,
            events=number[cell],
            calls=calls[cell],
            late=late[cell],
            orphans=orphans[cell],
            rates=rates[cell] | ({TRACE_RATES[0].name: cascades[cell]} if cell in cascades else {}),
            quantities=quantities.get(cell, {}),
            mixes=mixes.get(cell, {}),
            guards=guards.get(cell, {}),
            samples=shown.chosen.get(cell, []),
            sampled_from=shown.among.get(cell, 0),
        )


def _rate_sums(block: Block, cells: Cells, sessions: FlaggedSessions) -> list[dict[str, Sums]]:
    """Count by rate (columns of every matrix here, but for rates that no event has) and cell (rows of the results)."""
    columns, met = block.batch.events, block.met
    cells_of, sessions_of = np.append(cells.of, cells.met), np.append(columns.session, met.session)
    order = np.lexsort((sessions_of, cells_of))
    cell, session = cells_of[order], sessions_of[order]
    late = (order >= len(columns.time))[:, None]  # what verdicts found: no events
    alone = np.append(columns.role == VERDICT, np.zeros(len(met.tick), bool))[order][:, None]
    sets = [np.append(columns.trials, met.trials)[order], np.append(columns.flagged, met.flagged)[order]]
    named = np.flatnonzero(_bits(np.bitwise_or.reduce(np.bitwise_or(*sets), keepdims=True))[0])
    trials, flagged = (_bits(each)[:, named] for each in sets)
    cell_starts = _starts(cell[1:] != cell[:-1])
    unit_starts = _starts((cell[1:] != cell[:-1]) | (session[1:] != session[:-1]))
    unit_cell = cell[unit_starts]
    unit_trials = np.logical_or.reduceat(trials & ~alone, unit_starts)
    unit_hits = np.logical_or.reduceat(flagged & ~alone, unit_starts)
    unit_hits &= unit_trials | np.logical_or.reduceat(flagged & late, unit_starts)
    keys = session[unit_starts] ^ _stable_keys(cells)[unit_cell]
    repeated = _remember(unit_hits, named, keys, block.ticks[cells.tick[unit_cell]], sessions)
    sessions.end(int(block.ticks[-1]))
    unit_cells = np.searchsorted(unit_starts, cell_starts)
    counts = np.concatenate(
        [
            np.add.reduceat(unit_trials & ~repeated, unit_cells, dtype=np.int64),
            np.add.reduceat(unit_hits & ~repeated, unit_cells, dtype=np.int64),
            np.add.reduceat(trials & ~late, cell_starts, dtype=np.int64),
            np.add.reduceat(flagged & (trials | alone) & ~late, cell_starts, dtype=np.int64),
        ],
        axis=1,
    )
    return _sums(counts, [RATES[rate].name for rate in named.tolist()])


def _sums(counts: npt.NDArray[np.int64], names: Sequence[str]) -> list[dict[str, Sums]]:
    """Return the sums of each row; most cells are of one event, so few rows differ."""
    made: dict[bytes, dict[str, Sums]] = {}
    result = []
    for row in counts:
        key = row.tobytes()
        if key not in made:
            of_rates = row.reshape(4, len(names)).T.tolist()
            made[key] = {name: Sums(*sums) for name, sums in zip(names, of_rates, strict=True) if any(sums)}
        result.append(made[key])
    return result


def _starts(differs: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.concatenate([[True], differs]))


def _bits(sets: UInt32s) -> npt.NDArray[np.bool_]:
    bits = np.unpackbits(sets.astype("<u4").view(np.uint8).reshape(-1, 4), axis=1, bitorder="little", count=len(RATES))
    return bits.astype(bool)


def _remember(
    hits: npt.NDArray[np.bool_],
    named: npt.NDArray[np.int64],
    keys: UInt64s,
    ticks: npt.NDArray[np.int64],
    sessions: FlaggedSessions,
) -> npt.NDArray[np.bool_]:
    """Return which hits were flagged lately already, and remember the others, tick by tick."""
    unit, rate = np.nonzero(hits)
    flagged, when = mixed(keys[unit], named[rate].astype(np.uint64)), ticks[unit]
    order = np.lexsort((flagged, when))
    again = np.zeros(len(order), bool)
    in_order = zip(order.tolist(), flagged[order].tolist(), when[order].tolist(), strict=True)
    for tick, of_tick in groupby(in_order, key=lambda item: item[2]):
        for at, key, _ in of_tick:
            if sessions.flagged_before(key, tick):
                again[at] = True
            else:
                sessions.remember(key, tick)
        sessions.end(tick)
    repeated = np.zeros_like(hits)
    repeated[unit[again], rate[again]] = True
    return repeated


def _stable_keys(cells: Cells) -> UInt64s:
    """Return a key of the group of each cell, the same in every process."""
    keys: UInt64s = hash_texts(pa.array([joined(*name) for name in cells.names], pa.string()))[cells.name]
    return keys
