"""Rows against rollups: each minute says what its rows say, each hour what its minutes say."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.metrics import RATES
from schemas.sql import query
from streams.history.two_paths import EVENT_TABLES
from streams.verify.findings import Counts, Hole
from streams.verify.offsets import Ask
from streams.verify.times import HOUR, chunks

_HERE: Final = "streams.verify"
_RATES: Final = tuple(rate.name for rate in RATES)
_BY_HOUR: Final = {
    "rows": query(_HERE, "hours_of_rows", tables=EVENT_TABLES),
    "minutes": query(_HERE, "hours_of_minutes", rates=_RATES),
    "hours": query(_HERE, "hours", rates=_RATES),
}


def check_minutes(ask: Ask, counts: Counts, first: int, end: int, committed: int) -> Iterator[Hole]:
    """Yield the minutes and hours that differ from what they were computed from.

    Parameters
    ----------
    committed
        Offset before which everything is stored and summed.
    """
    place = {"topic_id": counts.topic_id, "partition": counts.partition, "committed": committed}
    for low, high in chunks(first // HOUR * HOUR, end):
        span = place | {"first": low, "end": high}
        sums = {name: _by_place(ask(text, span)) for name, text in _BY_HOUR.items()}
        counts.minute_events += sum(found[0] for found in sums["minutes"].values())
        for hour in sorted({hour for found in sums.values() for hour in found}):
            if sums["rows"].get(hour) != sums["minutes"].get(hour):
                yield from _narrow(ask, counts, place | {"first": hour, "end": min(hour + HOUR, high)})
            elif sums["hours"].get(hour) != sums["minutes"].get(hour) and high - hour >= HOUR:
                yield from _hour(ask, counts, place | {"first": hour, "end": hour + HOUR})


def _by_place(rows: list[dict[str, Any]]) -> dict[int, tuple[int, int, int]]:
    return {int(row["place"]): _sums(row) for row in rows}


def _sums(row: dict[str, Any]) -> tuple[int, int, int]:
    return int(row["events"]), int(row["trials"]), int(row["flagged"])


def _narrow(ask: Ask, counts: Counts, span: dict[str, Any]) -> Iterator[Hole]:
    stored, rolled = (
        ask(text, span)
        for text in (
            query(_HERE, "minutes_of_rows", tables=EVENT_TABLES),
            query(_HERE, "minutes", rates=_RATES),
        )
    )
    rows = {(int(row["place"]), row["service_name"]): _sums(row) for row in stored}
    minutes = {(int(row["place"]), row["service_name"]): _sums(row) for row in rolled}
    for key in sorted(set(rows) | set(minutes)):
        expected, found = rows.get(key, (0, 0, 0)), minutes.get(key, (0, 0, 0))
        if expected != found:
            yield _hole(counts, "rollup differs from its rows", "minute", key[0], expected, found, f"of {key[1]}")


def _hour(ask: Ask, counts: Counts, span: dict[str, Any]) -> Iterator[Hole]:
    """Yield an hour that differs from its minutes, asked once more as both may have been written in between."""
    minutes, hours = (_by_place(ask(_BY_HOUR[name], span)) for name in ("minutes", "hours"))
    for hour in sorted(set(minutes) | set(hours)):
        expected, found = minutes.get(hour, (0, 0, 0)), hours.get(hour, (0, 0, 0))
        if expected != found:
            yield _hole(counts, "hour differs from its minutes", "hour", hour, expected, found, "in service_hours")


def _hole(
    counts: Counts, what: str, unit: str, place: int, expected: tuple[int, ...], found: tuple[int, ...], detail: str
) -> Hole:
    part = next(index for index in range(3) if expected[index] != found[index])
    name = ("events", "trials", "flagged")[part]
    return Hole(what, counts.partition, counts.topic_id, unit, place, place, expected[part], found[part],
                f"{name} {detail}")  # fmt: skip
