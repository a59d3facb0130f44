"""Event to finding and event to row, at a steady rate, through real workers on a real broker.

python -m tests.benchmarks.bench_latency --rate 5000 --seconds 20
"""

import argparse
import itertools
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
from streams.store.ask import ask_rows as rows

SEVERE = [
    GuardResult(
        guard_name="dlp", layer="tool_call", status="ok", verdict="flag", action="none", mode="monitor",
        findings=[GuardFinding(category="sec.exfiltration.tool", severity=4)],
    )
]  # fmt: skip
CALM = [GuardResult(guard_name="dlp", layer="output", status="ok", verdict="allow", action="none")]


def produce(kafka: str, rate: int, seconds: float, sent: dict[str, float]) -> None:
    """Send events at a steady rate, one in a thousand of them severe."""
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
            time_unix_nano=time.time_ns(), guards=SEVERE if number % 1000 == 0 else CALM, request_model="gpt-4o",
            trace_id=f"{number:032x}", duration_ms=900.0, usage_input_tokens=200, usage_output_tokens=100,
        )  # fmt: skip
        if number % 1000 == 0:
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
        for row in rows(settings, "SELECT event_id FROM guard_verdicts WHERE findings_category[1] != ''"):
            seen.setdefault(row["event_id"], time.monotonic())
        time.sleep(0.05)


def main(rate: int, seconds: float) -> None:
    """Run and print the quantiles."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(data_dir=Path(folder), clickhouse=f"chdb://{folder}/ch", sql_port=free_port())
        installation = Installation(settings, broker_port=free_port())
        installation.start()
        sent, found, seen, end = {}, {}, {}, threading.Event()
        kafka = installation.settings.kafka
        watchers = [
            threading.Thread(target=watch_findings, args=(kafka, found, end)),
            threading.Thread(target=watch_rows, args=(installation.settings, seen, end)),
        ]
        for watcher in watchers:
            watcher.start()
        produce(kafka, rate, seconds, sent)
        time.sleep(10)
        end.set()
        for watcher in watchers:
            watcher.join()
        installation.stop()
        for name, arrived in (("event to finding", found), ("event to queryable row", seen)):
            delays = np.array([arrived[key] - sent[key] for key in sent if key in arrived])
            print(
                f"{name}: {len(delays)} of {len(sent)}, median {np.median(delays):.2f} s, "
                f"p99 {np.quantile(delays, 0.99):.2f} s, longest {delays.max():.2f} s"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args()
    main(chosen.rate, chosen.seconds)
