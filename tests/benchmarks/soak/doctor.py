"""What the doctor takes of the process that asks it, and of the store.

python -m tests.benchmarks.soak.doctor [--times 1]

The recorded week, as if it had been sent within the last hour, lies so often in an embedded store; a process of its own holds it and
answers SQL, as a history worker does. This process asks as that of the console does.
"""

import argparse
import gzip
import json
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

from streams.demo import recorded
from streams.history.writer import HistoryWriter
from streams.intake.doctor import complaints, look_at_store
from streams.local.broker import free_port
from streams.settings import Settings, load
from streams.sql.server import Endpoint
from streams.store.client import connect
from streams.store.schema.migrate import migrate
from tests.benchmarks.soak.stored import megabytes, store

WEEK = Path(recorded.__file__).parent / "week.jsonl.gz"
HOUR_NANO = 3_600 * 10**9
BATCH = 20_000


def week(times: int) -> list[dict[str, Any]]:
    """Return the week's events within the hour up to now, so often."""
    with gzip.open(WEEK) as lines:
        events = [json.loads(line) for line in lines]
    moments = [event["time_unix_nano"] for event in events]
    first, last, now = min(moments), max(moments), time.time_ns()
    made = []
    for number in range(times):
        for event in events:
            at = (
                now
                - HOUR_NANO
                + 60 * 10**9
                + (event["time_unix_nano"] - first) * (HOUR_NANO - 90 * 10**9) // (last - first)
            )
            apart = {
                name: f"{event[name]}{number}" for name in ("event_id", "session_id", "trace_id") if event.get(name)
            }
            made.append(event | apart | {"time_unix_nano": at})
    return made


def hold(settings: Settings, times: int, ready: Any, over: Any) -> None:
    """Fill a store and answer SQL until it is over."""
    with connect(settings) as client:
        migrate(client)
        writer, events = HistoryWriter(client), week(times)
        for first in range(0, len(events), BATCH):
            store(writer, [json.dumps(event).encode() for event in events[first : first + BATCH]], first)
        del events
        endpoint = Endpoint(settings)
        endpoint.start()
        ready.put(1)
        over.get()
        endpoint.stop()


def main() -> None:
    """Fill, ask and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--looks", type=int, default=5)
    arguments = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    ready, over = spawn.Queue(), spawn.Queue()
    with tempfile.TemporaryDirectory() as folder:
        settings = load(clickhouse=f"chdb://{folder}/store", data_dir=Path(folder), sql_port=free_port())
        holder = spawn.Process(target=hold, args=(settings, arguments.times, ready, over))
        holder.start()
        ready.get()
        before, held = megabytes(), megabytes(holder.pid or 0)
        for number in range(arguments.looks):
            began = time.perf_counter()
            said = complaints(look_at_store(settings))
            taken = time.perf_counter() - began
            print(f"look {number + 1}: {taken:.2f} s, this process {before:.0f} -> {megabytes():.0f} MB, most ever "
                  f"{megabytes(what='VmHWM'):.0f} MB; store {held:.0f} -> {megabytes(holder.pid or 0):.0f} MB; "
                  f"{len(said)} complaints", flush=True)  # fmt: skip
        print(*said, sep="\n")
        over.put(1)
        holder.join()


if __name__ == "__main__":
    main()
