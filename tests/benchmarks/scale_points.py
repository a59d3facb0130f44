"""One point of the curve of cost, in a process of its own: prints processor time and memory as JSON.

python -m tests.benchmarks.scale_points detect 10000
"""

import argparse
import asyncio
import json
import random
import resource
import time

import msgspec
from msgspec.structs import replace

from schemas.events import Inference
from schemas.topics import INFERENCE, WINDOWS
from schemas.wire import encode
from streams.detect.judge import Judge
from streams.kafka.checkpoints import pack
from streams.kafka.topics import TopicState
from streams.policy.policy import Policy
from streams.settings import load
from streams.watch.worker import Watch
from streams.worker.faust_app import LogBatch
from tests.benchmarks.bench_pipeline import NOW, event
from tests.benchmarks.pace_subjects import Kept, NoMarks, Record, ticks_of

SERIES_A_GROUP = 10
"""What a service, version and tenant usually has: rates, quantities, mixes and volume."""
EVENTS = 40_000
SPACING_MS = 50
BATCH = 4_000


def detect(series):
    """Ticks in which every series has something, after some in which all were met."""
    judge, before = Judge(10, 1.0, 2 * series, Policy()), resident()
    for tick, sums in ticks_of(series, 3):
        judge.judge(tick, sums)
    held, count = resident() - before, judge.series
    ticks = list(ticks_of(series, 5, first=177_000_003))
    spent = seconds(lambda: [judge.judge(tick, sums) for tick, sums in ticks])
    state = []
    saved = seconds(lambda: state.append(pack(judge.state())))
    return {"series": count, "us a tick": spent / 5 * 1e6, "us a series and tick": spent / 5 / count * 1e6,
            "bytes a series": held / count, "checkpoint ms": saved * 1e3, "checkpoint bytes a series": len(state[0]) / count}  # fmt: skip


def watch(series):
    """Events of so many services that their series are as many, through one partition, from bytes to windows."""
    services = max(series // SERIES_A_GROUP, 1)
    log = [(number, renamed(number, services)) for number in range(EVENTS)]
    kept, spent = through_watch([log])
    return {"us an event": spent / EVENTS * 1e6, "bytes an event": sum(len(value) for _, value in log) / EVENTS, "windows": len(kept)}  # fmt: skip


def partitions(count):
    """The same events over so many partitions: watch counts each for itself, detect joins their windows."""
    logs = [[] for _ in range(count)]
    for number in range(EVENTS):
        logs[number // 20 % count].append((number, renamed(number, 20)))
    windows, spent = through_watch(logs)
    return {"us an event": spent / EVENTS * 1e6, "windows": len(windows)}


def findings(services):
    """Findings of so many services, a third of them recoveries, through the fold of incidents."""
    from streams.incidents.fold.reordering import ReorderingFold
    from tests.support.incidents.entries import back, page, taken

    rng, found = random.Random(1), []
    for number in range(20_000):
        service = f"s{rng.randrange(services)}"
        if found and rng.random() < 0.3:
            found.append(back(rng.choice(found[-200:]).finding_id, 2 * number, f"r{number}", service=service))
        else:
            found.append(page(f"f{number}", 2 * number + rng.randrange(-20, 20), service=service))
    entries, folding = taken(found), ReorderingFold(lambda _: "sev2")
    before = resident()
    spent = seconds(lambda: [folding.add(entries[at : at + 1_000]) for at in range(0, len(entries), 1_000)])
    return {"us a finding": spent / len(found) * 1e6, "bytes a finding": (resident() - before) / len(found)}


def renamed(number, services):
    """Return an event of the benchmark of pipelines, of one of so many services."""
    decoded = msgspec.json.decode(event(number), type=Inference)
    return encode(
        replace(decoded, service_name=f"s{number % services}", time_unix_nano=NOW + number * SPACING_MS * 1_000_000)
    )


def through_watch(logs):
    """Return the windows of logs, one a partition, and the processor time that they took."""
    topic, windows = (
        TopicState(INFERENCE.name, "events", len(logs)),
        TopicState(WINDOWS.name, "windows", WINDOWS.partitions),
    )
    kept = Kept()
    stage = Watch(load(checkpoint_seconds=3_600), kept, kept, windows, NoMarks())
    batches = [
        LogBatch(topic, partition, tuple(_record(log, at) for at in range(start, min(start + BATCH, len(log)))),
                 lambda: None)
        for partition, log in enumerate(logs) for start in range(0, len(log), BATCH)
    ]  # fmt: skip

    async def run():
        for partition in range(len(logs)):
            await stage.position(topic, partition)
        for batch in batches:
            await stage.take(batch)

    spent = seconds(lambda: asyncio.run(run()))
    return [each for each in kept.messages if each.topic == windows.name], spent


def _record(log, at):
    number, value = log[at]
    return Record(value, at, NOW // 1_000_000 + number * SPACING_MS)


def seconds(run):
    """Return the processor time of a call."""
    began = time.process_time()
    run()
    return time.process_time() - began


def resident():
    """Return the most bytes that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


POINTS = {each.__name__: each for each in (detect, watch, partitions, findings)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=POINTS)
    parser.add_argument("amount", type=int)
    chosen = parser.parse_args()
    print(json.dumps(POINTS[chosen.kind](chosen.amount)))
