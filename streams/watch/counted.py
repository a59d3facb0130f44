"""How single events are counted, and why: the product's own decoding, flags and counting, told event by event."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow.compute as pc

from schemas.events import Inference
from schemas.fields import NANO
from schemas.metrics import RATES
from schemas.windows import GUARD_COUNTS
from schemas.wire import Reason
from streams.events.column_reader import Kind
from streams.events.decode import Columns, Decoded, events_decoder
from streams.events.flags import BIT, Flags, event_flags
from streams.events.hashing import hash_texts
from streams.events.labels import guard_statuses
from streams.policy.policy import Policy
from streams.watch.batches import EVENT, VERDICT, EventColumns, Int64s
from streams.watch.blocks import Chosen, block_of
from streams.watch.counting import countable, session_of
from streams.watch.known import KnownVersions
from streams.watch.single.severe import severe_results
from streams.watch.units import with_units
from streams.watch.verdicts import REMEMBERED_SECONDS, WAIT_SECONDS

_RATES: Final = {rate.name: rate for rate in RATES}
_USUAL: Final = Policy()
NO_EVENT: Final = "it meets no event in time: it counts in the service as a whole, in no version, and as an orphan"
TICK_SECONDS: Final = 10
"""Events within so much of each other are told as if they were counted together."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one event comes to.

    Parameters
    ----------
    refused
        Why the contract refuses it, or None; `detail` says what and where. All else is empty then.
    kind
        The word behind ``ai.safety.`` in its type, for example ``inference``.
    trials, flagged
        Names of the rates that it is a trial of, and of those that it is flagged for.
    version, session
        What it counts under.
    guards
        Guard results by status, and ``uncovered`` for an output on which no guard gave a verdict.
    categories
        Codes of the findings that count.
    pages
        Pages that it alone would raise.
    why
        A sentence for each rate, and for what counts in none.
    """

    refused: Reason | None = None
    detail: str = ""
    kind: str = ""
    trials: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()
    version: str = ""
    session: str = ""
    guards: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    pages: int = 0
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """An event as if it came from Kafka."""

    value: bytes
    timestamp: int
    headers: tuple[tuple[str, bytes], ...] = field(default=())


def counted(
    events: Sequence[Mapping[str, Any] | bytes], written_ms: int | None = None, policy: Policy = _USUAL
) -> list[Counted]:
    """Return what each event comes to, as if all had come in this order and nothing before them.

    Parameters
    ----------
    events
        Canonical events, as bytes or as plain values.
    written_ms
        When they were written to Kafka, in milliseconds of Unix time; None takes each at its own time, so that
        none is from the future.
    policy
        What a severe event is.
    """
    lines = [_line(event, written_ms) for event in events]
    decoded = events_decoder()(lines)
    found = [Counted() for _ in lines]
    for refused in decoded.refused:
        found[refused.position] = Counted(refused=refused.reason, detail=refused.detail)
    flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
    under, alone = _places(decoded, flags, np.array([line.timestamp for line in lines], np.int64))
    for kind, columns in decoded.kinds.items():
        for position, result in zip(columns.position.tolist(), _of_kind(columns, flags[kind], policy), strict=True):
            version, session = under[position]
            why = (*result.why, *((NO_EVENT,) if position in alone else ()))
            found[position] = replace(result, version=version, session=session, why=why)
    return found


def _places(
    decoded: Decoded, flags: Mapping[Kind, Flags], written_ms: Int64s
) -> tuple[dict[int, tuple[str, str]], set[int]]:
    """Return version and session that the event at each position counts under, and verdicts that meet no event."""
    batch = countable(decoded, flags, written_ms)
    if not len(batch.events.time):
        return {}, set()
    tick = batch.events.time // (TICK_SECONDS * NANO)
    order = np.argsort(tick, kind="stable")
    whole = block_of([Chosen(batch, np.arange(len(tick)), tick)], {})
    block = KnownVersions(TICK_SECONDS).resolved(with_units(whole))
    events, groups = block.batch.events, block.batch.groups
    position = np.sort(np.concatenate([columns.position for columns in decoded.kinds.values()]))[order].tolist()
    names = _session_names(decoded)
    judged = _judged(events)
    places = {
        position[row]: (groups[int(events.group[of])][2], names.get(int(events.session[of]), ""))
        for row, of in enumerate(judged.tolist())
    }
    lone = np.flatnonzero((events.role == VERDICT) & (judged == np.arange(len(judged))))
    return places, {position[row] for row in lone.tolist()}


def _judged(events: EventColumns) -> Int64s:
    """Return for each row the one that it counts under: a verdict's event where they meet in time, else itself."""
    rows = {
        key: row for row in np.flatnonzero(events.role == EVENT).tolist() for key in events.keys[row].tolist() if key
    }
    under = np.arange(len(events.time))
    for row in np.flatnonzero(events.role == VERDICT).tolist():
        of = next((rows[key] for key in events.keys[row].tolist() if key in rows), row)
        later = int(events.time[row]) - int(events.time[of])
        if -WAIT_SECONDS * NANO <= later <= REMEMBERED_SECONDS * NANO:
            under[row] = of
    return under


def _session_names(decoded: Decoded) -> dict[int, str]:
    """Return the names of sessions and traces by their hashes."""
    named: dict[int, str] = {}
    for columns in decoded.kinds.values():
        for texts in (pc.coalesce(columns.table.column("trace_id"), columns.table.column("event_id")).combine_chunks(),
                      session_of(columns.table)):  # fmt: skip
            named.update(zip(hash_texts(texts).tolist(), texts.to_pylist(), strict=True))
    return named


def _line(event: Mapping[str, Any] | bytes, written_ms: int | None) -> _Line:
    value = event if isinstance(event, bytes) else msgspec.json.encode(event)
    return _Line(value, _own_ms(value) if written_ms is None else written_ms)


def _own_ms(value: bytes) -> int:
    """Return the time that an event claims, in milliseconds, or that of no event."""
    try:
        time = msgspec.json.decode(value, type=dict[str, Any]).get("time_unix_nano")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
    return -(-int(time) // 1_000_000) if isinstance(time, int | float) else 0


def _of_kind(columns: Columns, flags: Flags, policy: Policy) -> Iterator[Counted]:
    statuses, pages = guard_statuses(columns, flags), _pages(columns, flags, policy)
    kind = str(columns.kind.__struct_config__.tag).removeprefix("ai.safety.").rpartition(".")[0]
    for row in range(len(columns.table)):
        guards = tuple(GUARD_COUNTS[code] for code in statuses.name[statuses.row == row].tolist())
        trials, flagged = _names(flags.trials[row]), _names(flags.flagged[row])
        yield Counted(
            kind=kind,
            trials=trials,
            flagged=flagged,
            guards=guards,
            categories=_categories(flags, row),
            pages=pages[row],
            why=tuple(_why(columns, flags, row, guards)),
        )


def _names(bits: np.uint32) -> tuple[str, ...]:
    return tuple(name for name, bit in BIT.items() if int(bits) & bit)


def _categories(flags: Flags, row: int) -> tuple[str, ...]:
    guards = flags.guards
    own = guards.finding_counts & (guards.row[guards.finding_row] == row)
    return tuple(dict.fromkeys(guards.finding_category.to_numpy(zero_copy_only=False)[own].tolist()))


def _pages(columns: Columns, flags: Flags, policy: Policy) -> list[int]:
    """Return how many severe findings each event gives: one a category."""
    guards = flags.guards
    severe, _, _ = severe_results(columns, guards, policy)
    rows = guards.row[guards.finding_row[severe]].tolist()
    found = Counter(row for row, _ in set(zip(rows, guards.finding_category.take(severe).to_pylist(), strict=True)))
    return [found[row] for row in range(len(columns.table))]


def _why(columns: Columns, flags: Flags, row: int, guards: Sequence[str]) -> Iterator[str]:
    """Yield a sentence a rate: what made the event a trial of it, and what flagged it."""
    for name, bit in BIT.items():
        rate = _RATES[name]
        if flags.flagged[row] & bit:
            yield f"{name}: flagged, because {rate.flagged}"
        elif flags.trials[row] & bit:
            yield f"{name}: a trial ({rate.trials}), and not flagged"
    if flags.probe[row]:
        yield "it belongs to a probe of ours and counts in no rate of users"
    if columns.kind is Inference and "uncovered" in guards:
        yield "coverage: no guard gave a verdict on this output"
