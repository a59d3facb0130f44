"""Event to finding and event to row, at a steady rate, through real workers on a real broker.

python -m tests.benchmarks.bench_latency --rate 5000 --seconds 20
"""

import argparse
import contextlib
import itertools
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from kafka import KafkaConsumer, KafkaProducer

from schemas.events import Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.topics import FINDINGS, INFERENCE
from schemas.wire import encode
from streams.local.broker import free_port
from streams.local.up import Installation
from streams.settings import load
from streams.store.ask import ask_running
from streams.store.client import StoreUnavailableError

SEVERE = [
    GuardResult(
        guard_name="dlp", layer="tool_call", status="ok", verdict="flag", action="none", mode="monitor",
        findings=[GuardFinding(category="sec.exfiltration.tool", severity=4)],
    )
]  # fmt: skip
SEVERE_EVERY = 100
QUERY = "SELECT event_id FROM guard_verdicts WHERE findings_category[1] != ''"
CALM = [GuardResult(guard_name="dlp", layer="output", status="ok", verdict="allow", action="none")]


def produce(kafka: str, rate: int, seconds: float, sent: dict[str, float]) -> None:
    """Send events at a steady rate, one in a hundred of them severe."""
    producer = KafkaProducer(bootstrap_servers=kafka, linger_ms=5, batch_size=65_536)
    began = time.monotonic()
    for number in itertools.count():
        due = began + number / rate
        if due - began > seconds:
            break
        if number % 50 == 0 and (wait := due - time.monotonic()) > 0:
            time.sleep(wait)
        event = Inference(
            event_id=f"e{number}", source="bench", service_name=f"s{number % 9}", session_id=str(number),
            time_unix_nano=time.time_ns(), guards=SEVERE if number % SEVERE_EVERY == 0 else CALM, request_model="gpt-4o",
            trace_id=f"{number:032x}", duration_ms=900.0, usage_input_tokens=200, usage_output_tokens=100,
        )  # fmt: skip
        if number % SEVERE_EVERY == 0:
            sent[event.event_id] = time.monotonic()
        producer.send(INFERENCE.name, value=encode(event), key=str(number).encode())
    producer.flush()
    took = time.monotonic() - began
    print(f"sent {number} events in {took:.1f} s, {number / took:,.0f} a second")


def watch_findings(kafka: str, found: dict[str, float], end: threading.Event) -> None:
    """Note when each finding arrives."""
    consumer = KafkaConsumer(FINDINGS.name, bootstrap_servers=kafka, auto_offset_reset="earliest")
    while not end.is_set():
        for records in consumer.poll(timeout_ms=50).values():
            for record in records:
                text = record.value.decode()
                identity = text.split('"event_ids":["', 1)[-1].split('"', 1)[0]
                found.setdefault(identity, time.monotonic())
    consumer.close()


def watch_rows(settings, seen: dict[str, float], end: threading.Event) -> None:
    """Note when each severe event can be queried."""
    while not end.is_set():
        with contextlib.suppress(StoreUnavailableError, ValueError, OSError):  # while history is started again
            for row in ask_running(settings, QUERY, {}):
                seen.setdefault(row["event_id"], time.monotonic())
        time.sleep(0.05)


def kill_in_the_middle(installation: Installation, seconds: float, end: threading.Event) -> None:
    """Kill watch and history after half of the time; the supervisor starts them again."""
    end.wait(seconds / 2)
    for child in installation.supervisor.children:
        if child.name in ("watch", "history"):
            answer = child.ask()
            assert answer is not None
            os.kill(answer.pid, signal.SIGKILL)


def supervise(installation: Installation, end: threading.Event) -> None:
    """Keep the installation running."""
    while not end.is_set():
        installation.check()
        time.sleep(0.1)


def measure(rate: int, seconds: float, *, kill: bool = False) -> dict[str, np.ndarray]:
    """Return in seconds how long each severe event took to its finding, and to a row that can be queried.

    Parameters
    ----------
    rate
        Events a second, one in a hundred of them severe.
    kill
        Whether watch and history are killed in the middle: the longest wait is then that of a recovery.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = load(data_dir=Path(folder), clickhouse=f"chdb://{folder}/ch", sql_port=free_port())
        installation = Installation(settings, broker_port=free_port())
        installation.start()
        sent, found, seen, end = {}, {}, {}, threading.Event()
        kafka = installation.settings.kafka
        threads = [
            threading.Thread(target=watch_findings, args=(kafka, found, end)),
            threading.Thread(target=watch_rows, args=(installation.settings, seen, end)),
            threading.Thread(target=supervise, args=(installation, end)),
        ]
        threads += [threading.Thread(target=kill_in_the_middle, args=(installation, seconds, end))] if kill else []
        for thread in threads:
            thread.start()
        produce(kafka, rate, seconds, sent)
        while sent.keys() - found.keys() or sent.keys() - seen.keys():
            time.sleep(0.1)  # what never came would be lost, and this would never end
        end.set()
        for thread in threads:
            thread.join()
        installation.stop()
    return {
        name: np.array([arrived[key] - sent[key] for key in sent])
        for name, arrived in (("event to finding", found), ("event to queryable row", seen))
    }


def quantiles(delays: np.ndarray) -> str:
    """Return in words what delays come to."""
    return f"median {np.median(delays):.2f} s, p99 {np.quantile(delays, 0.99):.2f} s, longest {delays.max():.2f} s"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kill", action="store_true", help="watch and history in the middle")
    chosen = parser.parse_args()
    for name, delays in measure(chosen.rate, chosen.seconds, kill=chosen.kill).items():
        print(f"{name}: {len(delays)} severe events, {quantiles(delays)}")
