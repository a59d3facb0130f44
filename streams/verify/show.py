"""A comparison as text."""

from collections.abc import Iterator
from typing import Final

from streams.verify.findings import Counts, Report

MOST: Final = 50


def lines(report: Report) -> Iterator[str]:
    """Yield the lines of a report: what was compared, what could not be, each hole, and the verdict."""
    for counts in report.counts:
        yield _counts(counts)
    yield from report.notes
    for hole in report.holes[:MOST]:
        yield f"HOLE {hole.text()}"
    if len(report.holes) > MOST:
        yield f"and {len(report.holes) - MOST} more; `--json` has them all"
    if not report.counts:
        yield "nothing to compare: neither the log nor the store holds an event of this period"
    elif report.equal:
        yield "equal"
    else:
        yield f"not equal: {len(report.holes)} holes"


def _counts(counts: Counts) -> str:
    log = "log not known" if counts.log is None else f"{counts.log} in the log"
    letters = f" + {counts.dead_letters} dead letters" if counts.dead_letters else ""
    waiting = [
        f"{number} {what}"
        for number, what in (
            (counts.not_yet_stored, "not yet stored"),
            (counts.not_yet_counted, "not yet counted"),
        )
        if number
    ]
    return (
        f"partition {counts.partition}: {log} = {counts.rows} rows{letters}; closed ticks: {counts.events} events, "
        f"{counts.trials} trials, {counts.flagged} flagged in rows, {counts.window_events}, {counts.window_trials}, "
        f"{counts.window_flagged} in windows; {counts.minute_events} events in minutes"
        + (f"; {', '.join(waiting)}" if waiting else "")
    )
