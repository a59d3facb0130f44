"""The curve of cost: series, partitions and workers, as processor time and bytes, drawn as pictures.

make bench-scale      # or: python -m tests.benchmarks.bench_scale --pictures docs/pictures

Each point is a process of its own. Processor time is what is told, because it does not depend on how many cores
there are: a worker that needs half a second of it for a second of traffic leaves half a core. Workers are real ones
over a real broker.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from kafka import KafkaProducer

from schemas.topics import INFERENCE
from streams.kafka.topics import create_topics
from streams.local.broker import Broker, free_port
from streams.settings import load
from tests.benchmarks.bench_incidents import processor_seconds
from tests.benchmarks.bench_pipeline import received, rss_mb
from tests.benchmarks.scale_points import renamed

SERIES = (100, 1_000, 10_000, 100_000)
PARTITIONS = (1, 4, 16)
WORKERS = (1, 2, 4)
EVENTS = 40_000
SETTLES_SECONDS = 3
"""What was received last is written by then."""


def point(kind, amount):
    """Return the figures of one point."""
    command = [sys.executable, "-m", "tests.benchmarks.scale_points", kind, str(amount)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def workers(kind):
    """Return processor time and memory of one, two and four workers of a kind, each time over as many events."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder) / "kafka", fast=True)
        broker.start()
        try:
            return {count: _together(kind, count, broker.address, Path(folder)) for count in WORKERS}
        finally:
            broker.stop()


def _together(kind, count, address, folder):
    """Let workers read a topic of their own: another prefix is another installation on the same broker."""
    settings = load(kafka=address, topic_prefix=f"w{count}.")
    create_topics(settings)
    fill(settings)
    ports = [free_port() for _ in range(count)]
    processes = [_started(kind, port, settings, folder / f"{count}-{port}") for port in ports]
    try:
        while sum(map(received, ports)) < EVENTS:
            assert all(process.poll() is None for process in processes), f"a worker ended; see {folder}"
            time.sleep(0.2)
        time.sleep(SETTLES_SECONDS)
        spent = sum(processor_seconds(process.pid) for process in processes)
        return {
            "us an event": spent / EVENTS * 1e6,
            "mb a worker": sum(rss_mb(process.pid) for process in processes) / count,
        }
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _started(kind, port, settings, folder):
    folder.mkdir()
    given = {"KAFKA": settings.kafka, "TOPIC_PREFIX": settings.topic_prefix, "DATA_DIR": folder, "INSTANCE": port,
             "CLICKHOUSE": f"chdb://{folder}/store", "PORT": port, "API_PORT": free_port(), "SQL_PORT": free_port()}  # fmt: skip
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "streams", "worker", kind], stdout=log, stderr=log,
            env=os.environ | {f"WATCHKEEPER_{name}": str(value) for name, value in given.items()},
        )  # fmt: skip


@cache
def events():
    """Return the events, made once."""
    return [renamed(number, 20) for number in range(EVENTS)]


def fill(settings):
    """Send the events."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka, linger_ms=50, batch_size=262_144)
    for number, value in enumerate(events()):
        producer.send(settings.topic(INFERENCE.name), value=value, key=f"{number // 3:x}".encode())
    producer.flush()
    producer.close()


def measured():
    """Return every figure of every point."""
    return {
        "detect": {amount: point("detect", amount) for amount in SERIES},
        "watch": {amount: point("watch", amount) for amount in SERIES},
        "partitions": {count: point("partitions", count) for count in PARTITIONS},
        "findings": {amount: point("findings", amount) for amount in SERIES[:3]},
        "watch workers": workers("watch"),
        "history workers": workers("history"),
    }


def table(found):
    """Return the figures as tables of Markdown."""
    lines = []
    for kind, points in found.items():
        names = list(next(iter(points.values())))
        lines += [f"| {kind} | {' | '.join(names)} |", f"| ---: |{' ---: |' * len(names)}"]
        lines += [
            f"| {amount:,} | {' | '.join(f'{row[name]:,.3g}' for name in names)} |" for amount, row in points.items()
        ]
        lines.append("")
    return "\n".join(lines)


def draw(found, folder):
    """Draw the curves that bend: what a tick costs by its series, what an event costs by series and by partitions."""
    import matplotlib.pyplot as plt

    curves = {"scale-tick": ("detect", "us a series and tick", "series"), "scale-event": ("watch", "us an event", "series"),
              "scale-partitions": ("partitions", "us an event", "partitions")}  # fmt: skip
    for name, (kind, figure, label) in curves.items():
        axes = plt.figure(figsize=(5, 3)).subplots()
        axes.plot(list(found[kind]), [row[figure] for row in found[kind].values()], marker="o", color="#1f6feb")
        axes.set(xscale="log", ylim=(0, None), xlabel=label, ylabel=figure.replace("us", "µs"), title=kind)
        axes.grid(alpha=0.3)
        axes.figure.savefig(folder / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="the folder in which they are drawn")
    chosen = parser.parse_args()
    figures = measured()
    print(table(figures))
    if chosen.pictures:
        draw(figures, chosen.pictures)
