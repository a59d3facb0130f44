"""Rows against windows: each closed tick holds the same events, trials and flags on both paths."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from schemas.sql import query
from streams.history.two_paths import EVENT_TABLES
from streams.verify.findings import Counts, Hole
from streams.verify.offsets import Ask
from streams.verify.times import HOUR, chunks, shown

_HERE: Final = "streams.verify"

Sums = tuple[int, int, int]
"""Events, trials and flags."""


def check_ticks(ask: Ask, counts: Counts, first: int, end: int, tick_seconds: int) -> Iterator[Hole]:
    """Yield the holes of closed ticks that start in a span of seconds, and count what is there."""
    place = {"topic_id": counts.topic_id, "partition": counts.partition, "tick": tick_seconds}
    for low, high in chunks(first, end):
        span = place | {"first": low, "end": high}
        rows = _by_place(ask(query(_HERE, "tick_rows", tables=EVENT_TABLES, by="hour"), span))
        windows = _by_place(ask(query(_HERE, "tick_windows", by="hour"), span))
        cells = _by_place(ask(query(_HERE, "tick_cells", by="hour"), span))
        _add(counts, rows, windows)
        for hour in sorted(set(rows) | set(windows) | set(cells)):
            part = place | {"first": max(hour, low), "end": min(hour + HOUR, high)}
            if rows.get(hour) != windows.get(hour):
                yield from _narrow(ask, counts, part)
            if cells.get(hour, (0, 0, 0))[1:] != windows.get(hour, (0, 0, 0))[1:]:
                yield from _cells(ask, counts, part)


def _by_place(rows: list[dict[str, Any]]) -> dict[int, Sums]:
    return {int(row["place"]): (int(row["events"]), int(row["trials"]), int(row["flagged"])) for row in rows}


def _add(counts: Counts, rows: dict[int, Sums], windows: dict[int, Sums]) -> None:
    for events, trials, flagged in rows.values():
        counts.events += events
        counts.trials += trials
        counts.flagged += flagged
    for events, trials, flagged in windows.values():
        counts.window_events += events
        counts.window_trials += trials
        counts.window_flagged += flagged


def _narrow(ask: Ask, counts: Counts, span: dict[str, Any]) -> Iterator[Hole]:
    """Yield the holes of one hour, tick by tick."""
    rows = ask(query(_HERE, "tick_rows", tables=EVENT_TABLES, by="service"), span)
    windows = ask(query(_HERE, "tick_windows", by="service"), span)
    both: dict[int, tuple[Sums, Sums]] = {
        tick: (_total(rows, tick), _total(windows, tick))
        for tick in sorted({int(row["tick"]) for row in (*rows, *windows)})
    }
    differ = [(tick, _what(*sides)) for tick, sides in both.items() if sides[0] != sides[1]]
    for run in _runs(differ):
        ticks = range(run[0][0], run[-1][0] + 1)
        held = [_summed(both, ticks, side) for side in (0, 1)]
        what = run[0][1]
        detail = f"from {shown(ticks[0] * span['tick'])}, {_services(rows, windows, ticks)}"
        unit = 0 if held[0][0] != held[1][0] else 1 if held[0][1] != held[1][1] else 2
        expected, found = (held[1], held[0]) if what.startswith("rows") else (held[0], held[1])
        name = ("events", "trials", "flagged")[unit]
        yield Hole(what, counts.partition, counts.topic_id, "tick", ticks[0], ticks[-1], expected[unit], found[unit],
                   f"{name} {detail}")  # fmt: skip


def _total(rows: list[dict[str, Any]], tick: int) -> Sums:
    own = [row for row in rows if int(row["tick"]) == tick]
    events, trials, flagged = (sum(int(row[name]) for row in own) for name in ("events", "trials", "flagged"))
    return events, trials, flagged


def _summed(both: dict[int, tuple[Sums, Sums]], ticks: range, side: int) -> list[int]:
    return [sum(both[tick][side][part] for tick in ticks if tick in both) for part in range(3)]


def _what(rows: Sums, windows: Sums) -> str:
    if not windows[0]:
        return "window lost"
    if rows[0] < windows[0]:
        return "rows fewer than windows"
    return "window partial"


def _runs(differ: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Yield runs of ticks that follow each other and have the same fault.

    >>> [[tick for tick, _ in run] for run in _runs([(1, "a"), (2, "a"), (3, "b"), (5, "b")])]
    [[1, 2], [3], [5]]
    """
    run = differ[:1]
    for before, item in pairwise(differ):
        if item[0] != before[0] + 1 or item[1] != before[1]:
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _services(rows: list[dict[str, Any]], windows: list[dict[str, Any]], ticks: range) -> str:
    """Return which services differ in ticks, the most first."""
    differ: dict[str, int] = defaultdict(int)
    for side, sign in ((rows, 1), (windows, -1)):
        for row in side:
            if int(row["tick"]) in ticks:
                differ[row["service_name"]] += sign * (int(row["events"]) + int(row["trials"]) + int(row["flagged"]))
    named = [name for name in sorted(differ, key=lambda name: (-abs(differ[name]), name)) if differ[name]]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return "of " + ", ".join(named[:3]) + more


def _cells(ask: Ask, counts: Counts, span: dict[str, Any]) -> Iterator[Hole]:
    """Yield the ticks of one hour in which the table `windows` does not hold what the windows themselves do."""
    windows = _by_place(ask(query(_HERE, "tick_windows", by="tick"), span))
    cells = _by_place(ask(query(_HERE, "tick_cells", by="tick"), span))
    differ = [
        (tick, "rates differ from their windows")
        for tick in sorted(set(windows) | set(cells))
        if windows.get(tick, (0, 0, 0))[1:] != cells.get(tick, (0, 0, 0))[1:]
    ]
    for run in _runs(differ):
        ticks = range(run[0][0], run[-1][0] + 1)
        expected, found = (sum(side.get(tick, (0, 0, 0))[1] for tick in ticks) for side in (windows, cells))
        yield Hole(run[0][1], counts.partition, counts.topic_id, "tick", ticks[0], ticks[-1], expected, found,
                   "trials in the table `windows`")  # fmt: skip
