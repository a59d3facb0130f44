"""In which tick the windows count each event, told from the log alone: what holds the rows against the windows.

The same rule as `streams.watch.ticks`, applied on the other path. History and watch read the same log, so the two must
come to the same; where they do not, one of them has lost something.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from schemas.sql import query
from streams.history.columns import INSTANT
from streams.history.rows import Origin, Rows
from streams.store.client import rows as rows_of_query

Int64s = npt.NDArray[np.int64]

_TABLES = ("inferences", "agent_steps", "retrievals", "guard_verdicts", "telemetry")


def with_counted_time(
    parts: Sequence[Rows], origin: Origin, written_ms: Int64s, newest: int | None, lateness_nano: int
) -> tuple[list[Rows], int | None]:
    """Return rows of events with the time they count at, and the highest time met in the partition so far.

    Parameters
    ----------
    parts
        All rows of one batch of events.
    origin
        Where the batch comes from.
    written_ms
        When each of its records was written to Kafka.
    newest
        What this function returned for the batch before; None before the first event of a partition.
    lateness_nano
        How much later than the newest an event may come and count in its own tick.
    """
    places = [np.searchsorted(origin.offsets, part.offset) for part in parts]
    time = np.zeros(len(origin.offsets), np.int64)
    known = np.zeros(len(origin.offsets), bool)  # what was refused moves nothing
    for part, place in zip(parts, places, strict=True):
        time[place], known[place] = part.time, True
    if not known.any():
        return list(parts), newest
    own = np.minimum(time, written_ms * 1_000_000)[known]
    start = np.iinfo(np.int64).min // 2 if newest is None else newest
    highest = np.maximum.accumulate(np.concatenate([[start], own]))
    counted = np.zeros(len(time), np.int64)
    counted[known] = np.maximum(own, highest[:-1] - lateness_nano)
    found = [_beside(part, counted[place]) for part, place in zip(parts, places, strict=True)]
    return found, int(highest[-1])


def _beside(part: Rows, counted: Int64s) -> Rows:
    column = pa.array(counted).cast(INSTANT)
    return replace(part, columns=part.columns.append_column("counted_time", column), counted=counted)


def newest_before(client: Client, origin: Origin) -> int | None:
    """Return the highest time of what is stored of a partition before a batch."""
    first = int(origin.offsets[0])
    if not first:
        return None
    parameters = {"partitions": [origin.partition], "topic_id": origin.topic_id, "first": first}
    [(newest,)] = rows_of_query(client, query("streams.history", "newest", tables=_TABLES), parameters)
    return int(newest) or None
