"""Windows as one would count them by hand: event by event and tick by tick, without an array."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.metrics import RATES
from schemas.quantities import BINS, QUANTITIES
from schemas.windows import GUARD_COUNTS, MAX_SAMPLES, GroupSums, Sample, Sums
from streams.events.bins import bin_of
from streams.events.hashing import hash_texts
from streams.events.labels import SEPARATOR, Named
from streams.events.versions import FIXED
from streams.watch.batches import KEYS, MEASURES, Batch, EventColumns, Shown
from streams.watch.cascades import UNSAFE

SECOND = 1_000_000_000
BASE = 1_770_000_000
TICK, LATENESS, MEMORY = 10, 20, 4
GROUPS = [("t", "a", "1", ""), ("t", "b", "1", ""), ("u", "b", "2", "canary")]
MIXES = ("tool", "model")
SCORE = [quantity.name for quantity in QUANTITIES].index("guard_score")


class Event(NamedTuple):
    """An event as counting sees it; `labels` are (mix, name), `statuses` those of guards."""

    second: int
    group: int
    session: int
    trace: int
    trials: int
    flagged: int
    call: bool
    latency: float | None
    score: float | None
    labels: tuple[tuple[int, int], ...]
    statuses: tuple[int, ...]
    vector: bool
    number: int


def batch(events) -> Batch:
    """Return events as the counting gives them; groups and names are numbered as they come."""
    count, names = len(events), {}
    groups = list(dict.fromkeys(GROUPS[event.group] for event in events))
    labels = [
        (row, names.setdefault(f"{MIXES[mix]}{SEPARATOR}n{name}", len(names)))
        for row, event in enumerate(events)
        for mix, name in event.labels
    ]
    statuses = [(row, status) for row, event in enumerate(events) for status in event.statuses]
    measures = np.full((count, len(MEASURES)), np.nan, np.float32)
    measures[:, 0] = [np.nan if event.latency is None else event.latency for event in events]
    measures[:, SCORE] = [np.nan if event.score is None else event.score for event in events]
    ids = pa.array([f"e{event.number}" for event in events])
    vectors = pa.array([f"v{event.number}" if event.vector else None for event in events], pa.string())
    zeros = np.zeros(count, np.int64)
    columns = EventColumns(
        time=np.array([(BASE + event.second) * SECOND for event in events]), row=np.arange(count),
        group=np.array([groups.index(GROUPS[event.group]) for event in events]),
        session=np.array([event.session for event in events], np.uint64),
        trace=np.array([event.trace for event in events], np.uint64),
        trials=np.array([event.trials for event in events], np.uint32),
        flagged=np.array([event.flagged for event in events], np.uint32),
        call=np.array([event.call for event in events], np.uint8), measures=measures, late=zeros.astype(np.uint8),
        counted=np.ones(count, np.uint8), risk=zeros.astype(np.float32), source=zeros,
        asked=zeros - 1, sure=np.full(count, FIXED, np.uint8), keys=np.zeros((count, KEYS), np.uint64),
        role=zeros.astype(np.uint8),
    )  # fmt: skip
    return Batch(columns, groups, _named(statuses), _named(labels), list(names), Shown(ids, ids, vectors), ["s"])


def _named(pairs) -> Named:
    rows = np.array(pairs, np.int64).reshape(-1, 2)
    return Named(rows[:, 0], rows[:, 1])


def windows(events) -> dict[int, list[GroupSums]]:
    """Return the windows of a log, by tick, its end marked."""
    by_tick, newest = defaultdict(list), None
    for event in events:
        time = BASE + event.second
        own = time // TICK
        tick = own if newest is None else max(own, (newest - LATENESS) // TICK)
        newest = time if newest is None else max(newest, time)
        by_tick[tick].append((event, tick > own))
    memory, unsafe_at = {}, {}
    return {tick: _tick(tick, by_tick[tick], memory, unsafe_at) for tick in sorted(by_tick)}


def _tick(tick, seen, memory, unsafe_at):
    groups = defaultdict(list)
    for event, late in seen:
        groups[GROUPS[event.group]].append((event, late))
    cascades = _cascades(tick, [event for event, _ in seen], unsafe_at)
    flagged = {}
    found = [_group(tick, name, groups[name], memory, flagged, cascades) for name in sorted(groups)]
    memory |= flagged
    return found


def _group(tick, name, seen, memory, flagged, cascades):
    events = [event for event, _ in seen]
    rates = {
        rate.name: sums
        for bit, rate in enumerate(RATES)
        if (sums := _rate(tick, name, bit, events, memory, flagged)).events
    }
    if name in cascades:
        rates["cascade"] = Sums(len(cascades[name]), sum(cascades[name]), len(cascades[name]), sum(cascades[name]))
    shown = sorted((event for event in events if event.vector), key=lambda event: _hash(f"e{event.number}"))
    return GroupSums(
        tenant_id=name[0], service_name=name[1], model_version=name[2], variant=name[3],
        events=len(events), calls=sum(event.call for event in events), late=sum(late for _, late in seen),
        rates=rates, quantities=_quantities(events), mixes=_mixes(events),
        guards=_statuses(events), sampled_from=len(shown),
        samples=[Sample(event_id=f"e{event.number}", vector=f"v{event.number}", user=f"e{event.number}",
                        flagged=any(event.flagged >> bit & 1 for bit, rate in enumerate(RATES)
                                    if rate.family in ("unsafe", "injection", "leak")))
                 for event in shown[:MAX_SAMPLES]],
    )  # fmt: skip


def _rate(tick, name, bit, events, memory, flagged):
    """Count sessions once, and not at all once they were flagged lately."""
    tried = [event for event in events if event.trials >> bit & 1]
    bad = [event for event in tried if event.flagged >> bit & 1]
    sessions = {event.session for event in tried}
    hits = sessions & {event.session for event in events if event.flagged >> bit & 1}
    again = {session for session in hits if memory.get((name, bit, session), -MEMORY) > tick - MEMORY}
    flagged |= {(name, bit, session): tick for session in hits - again}
    return Sums(len(sessions - again), len(hits - again), len(tried), len(bad))


def _cascades(tick, events, unsafe_at):
    """Return by group, of each step after an unsafe one, whether it was unsafe itself."""
    found = defaultdict(list)
    for trace in {event.trace for event in events}:
        steps = sorted(
            (event.second, bool(event.flagged & UNSAFE), GROUPS[event.group])
            for event in events
            if event.trace == trace
        )
        before = unsafe_at.pop(trace, -MEMORY) > tick - MEMORY
        for _, unsafe, name in steps:
            if before:
                found[name].append(unsafe)
            before = unsafe
        if before:
            unsafe_at[trace] = tick
    return found


def _quantities(events):
    found = {}
    for quantity, field in ((QUANTITIES[0], "latency"), (QUANTITIES[SCORE], "score")):
        latest = {}
        for event in sorted(events, key=lambda event: (event.second, getattr(event, field) or 0.0)):
            if getattr(event, field) is not None:
                latest[event.session] = float(np.float32(getattr(event, field)))
        bins = bin_of(np.array(list(latest.values())), quantity.scale).tolist()
        if bins:
            found[quantity.name] = {str(at): bins.count(at) for at in range(BINS) if at in bins}
    return found


def _mixes(events):
    found = {}
    for mix in sorted({MIXES[mix] for event in events for mix, _ in event.labels}):
        sessions = {(event.session, name) for event in events for at, name in event.labels if MIXES[at] == mix}
        counts = defaultdict(int)
        for _, name in sorted(sessions):
            counts[f"n{name}"] += 1
        found[mix] = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return found


def _statuses(events):
    statuses = sorted(GUARD_COUNTS[status] for event in events for status in event.statuses)
    return {status: statuses.count(status) for status in statuses}


def _hash(text):
    return int(hash_texts(pa.array([text]))[0])
