"""How the memory of the embedded engine grows with what it is asked: weeks of questions in minutes.

python -m tests.benchmarks.soak.engine [--questions 8000] [--without-bounds]

No broker and no other worker: the writer of the history worker, then the reader of the SQL endpoint, in this process. As many
parts as a store of weeks has stay what they are, and nobody asks for the same times or names twice.
"""

import argparse
import re
import tempfile
import time
from typing import Any, Final

import numpy as np
import psutil

from schemas.sql import query
from schemas.wire import encode
from streams.history.writer import HistoryWriter
from streams.settings import load
from streams.sql.engine import BOUNDS
from streams.sql.reader import Reader
from streams.sql.request import Asked
from streams.store.client import connect, rows
from streams.store.schema.migrate import migrate
from tests.benchmarks.soak.load import SERVICES, event
from tests.benchmarks.soak.stored import megabytes, store

PARTS: Final = 40
"""Of each table of events."""
EVENTS: Final = 50
"""In a part."""
LOOKS: Final = 8
TABLES: Final = ("inferences", "agent_steps", "guard_verdicts")

OFTEN: Final = " UNION ALL ".join(
    f"SELECT event_id, time FROM {table} WHERE session_id = {{id:String}} AND time >= toDateTime({{hour:UInt32}})"
    for table in TABLES
)
"""What somebody asks who follows a session."""
SELDOM: Final = (
    query("streams.intake", "services"),
    *(
        f"SELECT kpi, service_name, value FROM {view}(since={{since:DateTime('UTC')}}, until={{until:DateTime('UTC')}}, "
        "step={step:UInt32}, versions=0, objective={objective:Float64}, known_at={until:DateTime('UTC')})"
        for view in ("kpi_calls", "kpi_losses")
    ),
)
"""What a page asks, each once in so many questions:"""
EVERY: Final = 100


class Memory:
    """What this process takes, and what the engine says of itself; printed as rows of a table."""

    COLUMNS: Final = ("questions", "seconds", "own, MB", "allocated, MB", "conditions, MB", "compiled, MB", "marks, MB",
                      "parts", "threads")  # fmt: skip

    def __init__(self, client: Any) -> None:
        self._client, self._began = client, time.monotonic()
        print(f"| {' | '.join(self.COLUMNS)} |\n|{' ---: |' * len(self.COLUMNS)}")

    def look(self, questions: int) -> None:
        """Look once."""
        said = "\n".join(text for [text] in rows(self._client, "SELECT * FROM system.jemalloc_stats"))
        found = re.search(r"^Allocated: (\d+)", said, re.MULTILINE)
        figures = {name: int(value) for name, value in rows(self._client, "SELECT metric, value FROM system.metrics")}
        sizes = [megabytes(), int(found[1]) / 2**20 if found else float("nan")]
        sizes += [figures[f"{name}CacheBytes"] / 2**20 for name in ("QueryCondition", "CompiledExpression", "Mark")]
        parts = figures["PartsActive"] + figures["PartsOutdated"]
        told = [f"{questions}", f"{time.monotonic() - self._began:.0f}", *(f"{size:.1f}" for size in sizes)]
        print(f"| {' | '.join([*told, str(parts), str(psutil.Process().num_threads())])} |", flush=True)


def write(writer: HistoryWriter, rng: np.random.Generator, first: int) -> None:
    """Store the events of a part."""
    store(writer, [encode(event(rng, number)) for number in range(first, first + EVENTS)], first)


def ask(reader: Reader, number: int) -> None:
    """Ask something of a period that nobody has asked for before."""
    now, at = time.time() + number, number % EVERY
    since, until = (time.strftime("%F %T", time.gmtime(moment)) for moment in (now - 86_400, now))
    values = {"id": f"s{number}", "service": f"service-{number % SERVICES}", "hour": str(int(now - 3_600)),
              "since": since, "until": until, "step": "90000", "objective": "0.99"}  # fmt: skip
    reader.run(Asked(SELDOM[at] if at < len(SELDOM) else OFTEN, "JSONEachRow", parameters=values))


def main() -> None:
    """Write, ask and look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=8_000)
    parser.add_argument("--without-bounds", action="store_true", help="as ClickHouse would have it")
    arguments = parser.parse_args()
    if arguments.without_bounds:
        BOUNDS.clear()
    with tempfile.TemporaryDirectory() as folder, connect(load(clickhouse=f"chdb://{folder}")) as client:
        migrate(client)
        reader, writer, rng = (
            Reader(load(clickhouse=f"chdb://{folder}")),
            HistoryWriter(client),
            np.random.default_rng(1),
        )
        memory = Memory(client)
        for table in TABLES:
            client.command(f"SYSTEM STOP MERGES {table}")
        for number in range(PARTS):
            write(writer, rng, number * EVENTS)
        for number in range(arguments.questions + 1):
            if number % (arguments.questions // LOOKS) == 0:
                memory.look(number)
            ask(reader, number)
        reader.close()


if __name__ == "__main__":
    main()
