"""The log against the rows: each offset is one row or one dead letter, none is missing and none is there twice."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from streams.history.two_paths import EVENT_TABLES
from streams.verify.findings import Counts, Hole

BUCKET: Final = 65_536
_WRAP: Final = 2**64

Ask = Callable[[str, dict[str, Any]], list[dict[str, Any]]]
"""Asks the store; values travel as parameters."""

_RANGE: Final = "kafka_topic_id = {topic_id:String} AND kafka_partition = {partition:Int32}"
_ROWS: Final = " UNION ALL ".join(
    f"SELECT kafka_offset AS o FROM {table} {{final}} WHERE {_RANGE}{extra}"
    " AND kafka_offset >= {first:Int64} AND kafka_offset < {end:Int64}"
    for table, extra in (*EVENT_TABLES, ("telemetry", ""))
)
_LETTERS: Final = (
    "SELECT DISTINCT origin_offset AS o FROM dead_letters WHERE origin_topic_id = {topic_id:String}"
    " AND origin_partition = {partition:Int32} AND origin_offset >= {first:Int64} AND origin_offset < {end:Int64}"
)
_BUCKETS: Final = f"""
SELECT intDiv(o, {BUCKET}) AS bucket, sum(is_row) AS rows, sum(1 - is_row) AS letters,
    sum(toUInt64(o)) AS total, sum(toUInt64(o) * toUInt64(o)) AS squares
FROM (SELECT o, 1 AS is_row FROM ({_ROWS}) UNION ALL SELECT o, 0 AS is_row FROM ({_LETTERS}))
GROUP BY bucket
"""
"""Number, sum and sum of squares tell a bucket that holds each offset once from any other."""
_EACH: Final = f"""
SELECT o, sum(is_row) AS rows, count() AS n
FROM (SELECT o, 1 AS is_row FROM ({_ROWS}) UNION ALL SELECT o, 0 AS is_row FROM ({_LETTERS}))
GROUP BY o ORDER BY o
"""


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
    merged = "FINAL" if final else ""
    found = {
        int(row["bucket"]): row
        for row in ask(_BUCKETS.replace("{final}", merged), place | {"first": first, "end": end})
    }
    counts.rows = sum(int(row["rows"]) for row in found.values())
    counts.dead_letters = sum(int(row["letters"]) for row in found.values())
    missing: list[int] = []
    for bucket in range(first // BUCKET, -(-end // BUCKET)):
        low, high = max(bucket * BUCKET, first), min((bucket + 1) * BUCKET, end)
        if _whole(found.get(bucket), low, high):
            continue
        each = ask(_EACH.replace("{final}", merged), place | {"first": low, "end": high})
        yield from _doubled(counts, each)
        missing += sorted(set(range(low, high)) - {int(row["o"]) for row in each})
    if missing:
        waiting = {offset for partition, offset in letters() if partition == counts.partition}
        counts.dead_letters += len(waiting & set(missing))
        yield from _missing(counts, [offset for offset in missing if offset not in waiting])


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


def _missing(counts: Counts, offsets: list[int]) -> Iterator[Hole]:
    start = 0
    for place in range(1, len(offsets) + 1):
        if place == len(offsets) or offsets[place] != offsets[place - 1] + 1:
            first, last = offsets[start], offsets[place - 1]
            yield Hole("rows missing", counts.partition, counts.topic_id, "offset", first, last, last - first + 1, 0)
            start = place
