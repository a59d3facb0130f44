"""History and watch on a real broker against an idiomatic Faust agent, decode-only loops and a bound.

    make bench        # or: python -m tests.benchmarks.bench_pipeline --events 200000

All read the same 4-partition topic of about 700-byte events on the same machine, one after the other. What
counts are the ratios; absolute figures belong to the machine.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from kafka import KafkaProducer

from schemas.emitter import event_identity
from schemas.events import Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.topics import INFERENCE
from schemas.wire import encode
from streams.kafka.topics import create_topics
from streams.local.broker import Broker, free_port
from streams.settings import load
from tests.support.health import lag as _lag

PEERS = ("quixstreams==3.28.0", "bytewax==0.21.1", "confluent-kafka==2.12.2", "msgspec==0.22.0")
NOW = 1_770_000_000_000_000_000


def event(number: int) -> bytes:
    """Return an event of about 700 bytes."""
    flagged = number % 50 == 0
    finding = GuardFinding(category="content.ncr", severity=3, score=0.91)
    return encode(
        Inference(
            event_id=event_identity(Inference, f"{number:032x}", "s"), source="bench/service", service_name=f"s{number % 20}",
            time_unix_nano=NOW + number * 200_000, tenant_id=f"tenant-{number % 5}", model_version="openai/gpt-4@0314",
            trace_id=f"{number:032x}", span_id=f"{number:016x}", session_id=f"{number // 3:016x}", operation_name="chat",
            request_model="gpt-4", outcome="completed", finish_reason_norm="stop", usage_input_tokens=100 + number % 300,
            usage_output_tokens=200, duration_ms=900.5 + number % 1000, reached_user=True,
            guards=[
                GuardResult(guard_name="harm", layer="output", status="ok", verdict="flag" if flagged else "allow",
                            action="none", findings=[finding] if flagged else None),
                GuardResult(guard_name="pii", layer="output", status="ok", verdict="allow", action="none"),
            ],
        )
    )  # fmt: skip


IDIOMATIC = """
import json, sys, time, faust
app = faust.App("idiomatic", broker="kafka://" + sys.argv[1], web_port=int(sys.argv[3]), topic_disable_leader=True,
                topic_allow_declare=False, datadir=sys.argv[4], value_serializer="raw", table_standby_replicas=0)
topic = app.topic(sys.argv[2], value_type=bytes)
sums, seen = {}, 0
STORE = sys.argv[6] == "store"
if STORE:
    import clickhouse_connect
    client = clickhouse_connect.get_client(dsn="chdb://" + sys.argv[4] + "/ch")
    client.command("CREATE TABLE e (event_id String, service String, ms Float64, unsafe UInt8) ENGINE=MergeTree ORDER BY event_id")
rows = []
@app.agent(topic)
async def count(stream):
    global seen
    async for value in stream:
        event = json.loads(value)
        unsafe = any(g.get("verdict") == "flag" for g in event.get("guards", []))
        key = (event["service_name"], event["time_unix_nano"] // 10_000_000_000)
        cell = sums.setdefault(key, [0, 0]); cell[0] += 1; cell[1] += unsafe
        if STORE:
            rows.append([event["event_id"], event["service_name"], event["duration_ms"], unsafe])
            if len(rows) >= 5000:
                client.insert("e", rows, column_names=["event_id", "service", "ms", "unsafe"]); rows.clear()
        seen += 1
        if seen == 1: print("first", time.monotonic(), time.process_time(), flush=True)
        if seen == int(sys.argv[5]): print("last", time.monotonic(), time.process_time(), flush=True)
faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()
"""

BOUND = """
import sys, time
from aiokafka import AIOKafkaConsumer
import asyncio, msgspec
from schemas.events import Event
async def main():
    decode = msgspec.json.Decoder(Event).decode
    consumer = AIOKafkaConsumer(sys.argv[2], bootstrap_servers=sys.argv[1], auto_offset_reset="earliest", max_partition_fetch_bytes=4194304)
    await consumer.start(); seen = 0
    while seen < int(sys.argv[5]):
        for records in (await consumer.getmany(timeout_ms=1000, max_records=10000)).values():
            for record in records: decode(record.value)
            if not seen: print("first", time.monotonic(), time.process_time(), flush=True)
            seen += len(records)
    print("last", time.monotonic(), time.process_time(), flush=True)
    await consumer.stop()
asyncio.run(main())
"""


class Pace(NamedTuple):
    """Events a second by the clock, and microseconds of a reader's processor time an event."""

    rate: float
    processor: float


class Bench:
    """One broker, one topic, and every contender on it in turn."""

    def __init__(self, folder: Path, events: int) -> None:
        self.folder, self.events = folder, events
        self.broker = Broker(folder / "kafka", fast=True)
        self.results: dict[str, Pace] = {}
        self.memory: dict[str, float] = {}

    def run(self, rounds: int, only: list[str]) -> None:
        """Fill the topic, and time every contender, or those whose name holds one of some words."""
        self.broker.start(print)
        settings = load(kafka=self.broker.address)
        create_topics(settings)
        size = self._fill()
        print(
            f"{self.events} events of {size} bytes, {INFERENCE.partitions} partitions, {os.cpu_count()} cores, {rounds} rounds"
        )
        few = max(self.events // 8, 10_000)
        contenders = {
            "history worker": lambda: self._worker("history"),
            "watch worker": lambda: self._worker("watch"),
            "idiomatic Faust, same sums": lambda: self._script(IDIOMATIC, few, "count"),
            "idiomatic Faust, same sums and rows": lambda: self._script(IDIOMATIC, few, "store"),
            "aiokafka + msgspec, decode only": lambda: self._script(BOUND, self.events, ""),
            "Quix Streams, decode only": lambda: self._peer("quix"),
            "Bytewax, decode only": lambda: self._peer("bytewax"),
            "confluent-kafka + msgspec, decode only (bound)": lambda: self._peer("confluent"),
        }
        chosen = {name: run for name, run in contenders.items() if not only or any(word in name for word in only)}
        if any(word in name for name in chosen for word in ("Quix", "Bytewax", "confluent")):
            self._peer_environment()
        for name, contender in chosen.items():
            found = [contender() for _ in range(rounds)]
            self.results[name] = Pace(*(statistics.median(each) for each in zip(*found, strict=True)))
        self.broker.stop()

    def _fill(self) -> int:
        producer = KafkaProducer(bootstrap_servers=self.broker.address, linger_ms=50, batch_size=262_144)
        size = 0
        for number in range(self.events):
            value = event(number)
            size += len(value)
            producer.send(INFERENCE.name, value=value, key=f"{number // 3:x}".encode())
        producer.flush()
        producer.close()
        return size // self.events

    def _worker(self, name: str) -> Pace:
        """Return the pace from the first acknowledged batch to the last event."""
        port, folder = free_port(), Path(tempfile.mkdtemp(dir=self.folder))
        prefix_environment = {
            **os.environ, "WATCHKEEPER_KAFKA": self.broker.address, "WATCHKEEPER_CLICKHOUSE": f"chdb://{folder}/ch",
            "WATCHKEEPER_DATA_DIR": str(folder), "WATCHKEEPER_PORT": str(port), "WATCHKEEPER_SQL_PORT": str(free_port()),
        }  # fmt: skip
        self._forget_group(name)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "streams", "worker", name], env=prefix_environment, stdout=log, stderr=log
            )
        first = None
        try:
            while True:
                seen = received(port)
                now = time.monotonic()
                if first is None and seen > 0:
                    first = (now, seen, processor_seconds(process.pid))
                if first and seen >= self.events and (name == "watch" or _lag("127.0.0.1", port) == 0):
                    self.memory[name] = rss_mb(process.pid)
                    return paced(seen - first[1], now - first[0], processor_seconds(process.pid) - first[2])
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()

    def _forget_group(self, name: str) -> None:
        from kafka import KafkaAdminClient

        admin = KafkaAdminClient(bootstrap_servers=[self.broker.address])
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if f"watchkeeper-{name}" not in {group["group_id"] for group in admin.list_groups()}:
                break
            try:
                admin.delete_groups([f"watchkeeper-{name}"])
            except Exception:
                time.sleep(1)
        admin.close()

    def _script(self, code: str, events: int, extra: str) -> Pace:
        folder = tempfile.mkdtemp(dir=self.folder)
        arguments = [self.broker.address, INFERENCE.name, str(free_port()), folder, str(events), extra]
        code = code.replace('"idiomatic"', f'"idiomatic-{Path(folder).name}"')
        return self._timed([sys.executable, "-c", code, *arguments], events)

    def _timed(self, command: list[str], events: int) -> Pace:
        """Return the pace between the two marks that a reader prints."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        marks = {}
        for line in process.stdout or ():
            if line.startswith(("first", "last")):
                word, *moments = line.split()
                marks[word] = [float(moment) for moment in moments]
            if "last" in marks:
                break
        process.kill()
        process.wait()
        if "last" not in marks:
            return Pace(float("nan"), float("nan"))
        return paced(events, *(last - first for last, first in zip(marks["last"], marks["first"], strict=True)))

    def _peer_environment(self) -> None:
        """Install the other projects where they can't meet our own packages."""
        print("installing the peers in an environment of their own")
        subprocess.run([sys.executable, "-m", "venv", str(self.folder / "peers")], check=True)
        subprocess.run([str(self.folder / "peers/bin/pip"), "install", "--quiet", *PEERS], check=True)

    def _peer(self, name: str) -> Pace:
        script = str(Path(__file__).with_name("peers.py"))
        arguments = [script, name, self.broker.address, INFERENCE.name, str(self.events)]
        return self._timed([str(self.folder / "peers/bin/python"), *arguments], self.events)

    def table(self) -> str:
        """Return the figures as a table."""
        none = Pace(float("nan"), float("nan"))
        plain = self.results.get("idiomatic Faust, same sums", none)
        stored = self.results.get("idiomatic Faust, same sums and rows", none)
        lines = [
            "| reader | events/s | against idiomatic Faust | processor us an event | against idiomatic Faust |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        for name, pace in self.results.items():
            base = stored if "history" in name or "rows" in name else plain
            lines.append(
                f"| {name} | {pace.rate:,.0f} | {pace.rate / base.rate:.1f} x | {pace.processor:.1f} | "
                f"{base.processor / pace.processor:.1f} x |"
            )
        lines += ["", *(f"{name} worker: {mb:.0f} MB resident" for name, mb in self.memory.items())]
        return "\n".join(lines)


def paced(events: int, seconds: float, processor: float) -> Pace:
    """Return the pace of some events by the clock and by processor time."""
    return Pace(events / seconds, processor / events * 1e6)


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process so far, that of its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def received(port: int) -> int:
    """Return how many records a worker has taken so far."""
    import requests

    try:
        text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=2).text
    except requests.RequestException:
        return 0
    return int(
        sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("watchkeeper_records_total"))
    )


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="words in the names of readers; all if none is given")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        bench = Bench(Path(where), chosen.events)
        bench.run(chosen.rounds, chosen.only)
        print(bench.table())
        if chosen.json:
            chosen.json.write_text(
                json.dumps({name: pace._asdict() for name, pace in bench.results.items()} | {"memory_mb": bench.memory})
            )
