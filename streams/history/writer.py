"""Exact history: each record once in the tables and in the rollups, whatever was killed in between.

Every row knows the offset it came from. When a partition is new to this process, the offsets that are stored
already are read, and exactly those rows are left out; that also completes an insert that was cut in the middle.
Then the minutes that the batches touched are computed anew from the rows, also where all of them were left out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3.exceptions import HTTPError

from schemas.fields import NANO
from schemas.tables import Table
from streams.history.columns import stacked
from streams.history.rollups import IN_ROLLUPS, recompute, touched_rollups
from streams.history.rows import Origin, Rows
from streams.history.touched import by_topic
from streams.store.client import WRITE, StoreUnavailableError

DISTINCT: Final = {"optimize_on_insert": 0}
"""Rows of an insert differ by their offsets: to merge them on the way finds nothing, and costs half of the insert."""

T = TypeVar("T")
Batches = Sequence[tuple[Origin, Sequence[Rows]]]
"""Where batches came from, and their rows."""

Fence = set[tuple[int, int]]
"""Offsets and indices that a table holds already."""


@dataclass(slots=True)
class Stored:
    """What is known of one partition: the fence of each table, read once, from the first offset on."""

    first_offset: int
    fences: dict[str, Fence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """What one batch came to."""

    rows: int
    left_out: int


class HistoryWriter:
    """Writes batches; each of one partition, in the order of its offsets.

    Parameters
    ----------
    several_writers
        Whether others may write to the same store: true for a server, false for the engine in this process.
    """

    def __init__(self, client: Client, *, several_writers: bool = False) -> None:
        self._client: Final = client
        self._several_writers: Final = several_writers
        self._stored: dict[tuple[str, int], Stored] = {}

    def forget(self) -> None:
        """Read the fences anew: after an assignment, and after an insert whose fate is not known."""
        self._stored.clear()

    def write(self, origin: Origin, rows: Iterable[Rows]) -> Written:
        """Store the rows of one batch; as `write_all`."""
        return self.write_all([(origin, list(rows))])

    def write_all(self, batches: Batches) -> Written:
        """Store the rows of batches, and bring the rollups up to them; raises as `store`."""
        written = self.store(batches)
        self.roll_up(batches)
        return written

    def store(self, batches: Batches) -> Written:
        """Store the rows of batches.

        Raises
        ------
        StoreUnavailableError
            Where the store does not answer; the same batches can be stored again.
        """
        with self._forgetting():
            return self._store([(origin, rows) for origin, rows in batches if len(origin.offsets)])

    def roll_up(self, batches: Batches) -> None:
        """Bring the rollups up to batches that are stored, also where they were stored before; raises as `store`.

        Another writer may store more meanwhile. What is seen of it already is counted, and counted whole when its own
        turn comes, under a higher version.
        """
        with self._forgetting():
            self._roll_up([(origin, rows) for origin, rows in batches if len(origin.offsets)])

    def ask(self, question: Callable[[Client], T]) -> T:
        """Return what a question to the store answers; raises as `store`."""
        with self._forgetting():
            return question(self._client)

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """Forget what is stored where the store fails: nobody knows what became of the insert."""
        try:
            yield
        except (OperationalError, HTTPError, OSError) as error:
            self.forget()
            raise StoreUnavailableError(str(error)) from error
        except ClickHouseError:
            self.forget()
            raise

    def _store(self, batches: Batches) -> Written:
        fresh: dict[str, list[Rows]] = {}
        given = 0
        for origin, rows in batches:
            stored = self._stored.setdefault((origin.topic_id, origin.partition), Stored(int(origin.offsets[0])))
            for part in rows:
                fresh.setdefault(part.table.name, []).append(part.take(self._fresh(stored, origin, part)))
                given += len(part.offset)
        written = 0
        for name, parts in fresh.items():
            if count := sum(len(part.offset) for part in parts):
                insert(self._client, name, stacked([part.columns for part in parts if len(part.offset)]))
                written += count
        return Written(written, given - written)

    def _roll_up(self, batches: Batches) -> None:
        counted = [(origin, [part for part in rows if part.table.name in IN_ROLLUPS]) for origin, rows in batches]
        for topic_id, touched in by_topic(origin for origin, rows in counted if rows).items():
            of_topic = [
                (origin.partition, part) for origin, rows in counted for part in rows if origin.topic_id == topic_id
            ]
            for partition, part in of_topic:
                touched.touch_minutes(partition, part.time)
                touched.touch_hours(partition, part.time // NANO)
            rollups = touched_rollups([part for _, part in of_topic])
            recompute(self._client, touched, rollups, several_writers=self._several_writers)

    def _fresh(self, stored: Stored, origin: Origin, rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        fence = stored.fences.get(rows.table.name)
        if fence is None:
            fence = read_fence(self._client, rows.table, origin, stored.first_offset)
            stored.fences[rows.table.name] = fence
        if not fence:
            return np.ones(len(rows.offset), bool)
        keys = zip(rows.offset.tolist(), rows.index.tolist(), strict=True)
        return np.fromiter((key not in fence for key in keys), bool, len(rows.offset))


def read_fence(client: Client, table: Table, origin: Origin, first_offset: int) -> Fence:
    """Return which (offset, index) of a partition a table holds, from an offset on."""
    result = client.query(
        f"SELECT kafka_offset, kafka_index FROM {table.name}"
        " WHERE kafka_partition = {partition:Int32} AND kafka_topic_id = {topic_id:String}"
        " AND kafka_offset >= {first:Int64}",
        parameters={"partition": origin.partition, "topic_id": origin.topic_id, "first": first_offset},
    )
    return {(int(offset), int(index)) for offset, index in result.result_rows}


def insert(client: Client, name: str, columns: pa.Table) -> None:
    """Insert an Arrow table into a table; columns it does not have get their defaults."""
    client.insert_arrow(name, columns, settings=WRITE | DISTINCT)
