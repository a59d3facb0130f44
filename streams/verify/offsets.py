"""The log against the rows: each offset is one row or one dead letter, none is missing and none is there twice."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from schemas.sql import query
from streams.history.two_paths import EVENT_TABLES
from streams.verify.findings import Counts, Hole
from streams.worker.dead_letters import NUMBERED

BUCKET: Final = 65_536
_WRAP: Final = 2**64

Ask = Callable[[str, dict[str, Any]], list[dict[str, Any]]]
"""Asks the store; values travel as parameters."""
_HERE: Final = "streams.verify"


def check_offsets(
    ask: Ask, counts: Counts, first: int, end: int, letters: Callable[[], set[tuple[int, int]]], *, final: bool
) -> Iterator[Hole]:
    """Yield the holes of a range of offsets of a partition, and count what is there.

    Parameters
    ----------
    letters
        Returns the dead letters that Kafka holds; called where something is missing, as they may not be stored yet.
    final
        Whether a row that is stored twice is no fault: several writers of a server, whose reads merge them.
    """
    place = {"topic_id": counts.topic_id, "partition": counts.partition}
    asked = {"final": "FINAL" if final else "", "tables": (*EVENT_TABLES, ("telemetry", ""))}
    found = {
        int(row["bucket"]): row
        for row in ask(query(_HERE, "buckets", bucket=BUCKET, **asked), place | {"first": first, "end": end})
    }
    counts.rows = sum(int(row["rows"]) for row in found.values())
    counts.dead_letters = sum(int(row["letters"]) for row in found.values())
    missing: list[int] = []
    for bucket in range(first // BUCKET, -(-end // BUCKET)):
        low, high = max(bucket * BUCKET, first), min((bucket + 1) * BUCKET, end)
        if _whole(found.get(bucket), low, high):
            continue
        each = ask(query(_HERE, "each_offset", **asked), place | {"first": low, "end": high})
        yield from _doubled(counts, each)
        missing += sorted(set(range(low, high)) - {int(row["o"]) for row in each})
    if missing:
        waiting = {offset for partition, offset in letters() if partition == counts.partition}
        counts.dead_letters += len(waiting & set(missing))
        missing = [offset for offset in missing if offset not in waiting]
    if missing:
        numbered = ask(query(_HERE, "numbered"), place | {"first": missing[0], "pattern": NUMBERED})
        left = _not_told(missing, [tuple(map(int, row["numbered"])) for row in numbered])
        counts.dead_letters += len(missing) - len(left)
        yield from _missing(counts, left)


def _whole(row: dict[str, Any] | None, low: int, high: int) -> bool:
    if row is None:
        return low >= high
    number = int(row["rows"]) + int(row["letters"])
    return (number, int(row["total"]), int(row["squares"])) == (
        high - low,
        (_sum(high) - _sum(low)) % _WRAP,
        (_squares(high) - _squares(low)) % _WRAP,
    )


def _sum(end: int) -> int:
    return end * (end - 1) // 2


def _squares(end: int) -> int:
    """Return the sum of the squares below a number.

    >>> _squares(4)
    14
    """
    return (end - 1) * end * (2 * end - 1) // 6


def _doubled(counts: Counts, each: list[dict[str, Any]]) -> Iterator[Hole]:
    for row in each:
        if int(row["rows"]) > 1:
            offset = int(row["o"])
            yield Hole("row doubled", counts.partition, counts.topic_id, "offset", offset, offset, 1, int(row["rows"]))


def _not_told(missing: list[int], numbered: list[tuple[int, ...]]) -> list[int]:
    """Return the offsets that no letter of a number stands for.

    Such a letter says how many records it stands for and between which offsets, itself among them at the last. Where
    more are missing between them than are told, all of these are holes.

    >>> _not_told([3, 4, 6, 9], [(4, 3, 7)]), _not_told([3, 4, 5, 6], [(4, 3, 7)])
    ([9], [3, 4, 5, 6])
    """
    told: set[int] = set()
    for first, last, number in _together(numbered):
        between = [offset for offset in missing if first <= offset <= last]
        told |= set(between) if len(between) <= number else set()
    return [offset for offset in missing if offset not in told]


def _together(numbered: list[tuple[int, ...]]) -> list[tuple[int, int, int]]:
    """Return ranges that overlap as one, with what is told of them together without the letters themselves.

    >>> _together([(4, 3, 7), (3, 5, 9), (2, 20, 21)])
    [(3, 9, 5), (20, 21, 1)]
    """
    found: list[tuple[int, int, int]] = []
    for number, first, last in sorted(numbered, key=lambda each: each[1]):
        if found and first <= found[-1][1]:
            before = found.pop()
            found.append((before[0], max(before[1], last), before[2] + number - 1))
        else:
            found.append((first, last, number - 1))
    return found


def _missing(counts: Counts, offsets: list[int]) -> Iterator[Hole]:
    start = 0
    for place in range(1, len(offsets) + 1):
        if place == len(offsets) or offsets[place] != offsets[place - 1] + 1:
            first, last = offsets[start], offsets[place - 1]
            yield Hole("rows missing", counts.partition, counts.topic_id, "offset", first, last, last - first + 1, 0)
            start = place
