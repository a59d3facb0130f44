"""One thing to be measured, in a process of its own: prints its processor time and memory as JSON.

    python -P tests/benchmarks/pace_subjects.py SUBJECT --work FOLDER

Run by `bench_pace` with the code of one commit or another on the path. So it uses only what both have: the stages as
workers drive them, with messages kept instead of sent, the judge, and the command.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import resource
import time
from dataclasses import make_dataclass
from pathlib import Path

import numpy as np

from schemas.topics import INFERENCE, WINDOWS
from schemas.windows import GroupSums, Sums, Window
from schemas.wire import decoder
from streams.detect.judge import Judge
from streams.detect.merge import TickMerger
from streams.kafka.checkpoints import pack
from streams.kafka.topics import TopicState
from streams.policy.policy import Policy
from streams.settings import load
from streams.worker.faust_app import LogBatch

EVENTS, SUMS = TopicState(INFERENCE.name, "events", 1), TopicState(WINDOWS.name, "windows", 4)
WATCH_BATCH, HISTORY_BATCH = 4_000, 20_000
Record = make_dataclass(
    "Record", ("value", "offset", "timestamp", ("key", bytes, None), ("headers", tuple, ())), slots=True
)


class Kept:
    """In the place of Kafka: keeps messages, and no checkpoint."""

    def __init__(self):
        self.messages, self.findings, self.saved = [], [], []

    async def start(self):
        """Connect to nothing."""

    async def stop(self):
        """Disconnect from nothing."""

    async def publish(self, messages):
        """Keep messages."""
        self.messages += messages

    async def publish_findings(self, topic, findings):
        """Keep findings."""
        self.findings += findings

    async def load(self, source, partition):
        """Return no checkpoint."""

    async def save(self, source, partition, checkpoint):
        """Pack a checkpoint as it would be sent."""
        self.saved.append(len(pack(checkpoint.arrays)))


class NoMarks:
    """In the place of marks: time passes by the log alone."""

    async def tend(self, partitions):
        """Mark nothing."""


def batches(path, topic, size, partition=0):
    """Yield the lines of a file as batches of a topic; a line begins with its time in milliseconds."""
    records = []
    with path.open("rb") as lines:
        for offset, line in enumerate(lines):
            written, _, value = line.partition(b" ")
            records.append(Record(value.rstrip(), offset, int(written)))
            if len(records) == size:
                yield LogBatch(topic, partition, tuple(records), lambda: None)
                records = []
    if records:
        yield LogBatch(topic, partition, tuple(records), lambda: None)


def watching(work, log):
    """Return a stage of watch, what keeps its messages, and a task that lets it read a log."""
    from streams.watch.worker import Watch

    kept = Kept()
    stage = Watch(load(checkpoint_seconds=3_600), kept, kept, SUMS, NoMarks())
    read = list(batches(work / log, EVENTS, WATCH_BATCH))

    async def run():
        await stage.position(EVENTS, 0)
        for batch in read:
            await stage.take(batch)

    return stage, kept, run


def watch(work, log):
    """Events through the stage of watch, from bytes to encoded windows; these are kept for detect."""
    _, kept, run = watching(work, log)
    used = measured(lambda: asyncio.run(run()))
    windows = [message for message in kept.messages if message.topic == SUMS.name]
    for target in range(SUMS.partitions):
        lines = [b"0 " + message.value for message in windows if message.partition == target]
        (work / f"{log}.windows.{target}").write_bytes(b"\n".join(lines))
    with (work / log).open("rb") as lines:
        return used | {"amount": sum(1 for _ in lines)}


def detect(work, log):
    """Windows through the judges of detect, from bytes to findings."""
    decode, amount = decoder(Window), 0
    read = [[batch.records for batch in batches(work / f"{log}.windows.{target}", SUMS, 1_000)] for target in range(4)]

    def run():
        compiled()
        for of_target in read:
            judge, merger = Judge(10, 1 / 4, 10_000, Policy()), TickMerger()
            for records in of_target:
                windows = (decode(record.value, 0) for record in records)
                steps = [([*merger.whole()], merger.end()) for window in windows if merger.add(window)]
                judged(judge, steps)

    amount = sum(len(records) for of_target in read for records in of_target)
    return measured(run) | {"amount": amount}


def judged(judge, steps):
    """Let a judge have the steps of a batch, as the worker of its commit does."""
    if hasattr(judge, "judge_steps"):
        return judge.judge_steps(steps)
    return [found for ticks, end in steps for found in [
        *(each for tick, sums in ticks for each in judge.judge(tick, sums)), *judge.advance(end)]]  # fmt: skip


def compiled():
    """Bring compiled detectors into use where there are any, as the worker does with so many windows or series."""
    with contextlib.suppress(ImportError):
        from detectors.compiled import kernels

        kernels.load()


def history(work, log):
    """Events through the stage of history: rows, inserts, and the store's rollups of them, in the embedded engine."""
    return stored(work, list(batches(work / log, EVENTS, HISTORY_BATCH)), 0)


def history_live(work, log):
    """The same for five seconds of a log that comes as it is written: a small batch each tenth of a second."""
    return stored(work, list(itertools.islice(batches(work / log, EVENTS, 100), 50)), 0.1)


def stored(work, read, pause):
    """Measure the stage of history over some batches, with a pause before each."""
    from streams.history.worker import History
    from streams.store.client import connect
    from streams.store.keeper import StoreWatch
    from streams.worker.plausible import Plausible

    try:
        from streams.store.schema.migrate import migrate
    except ModuleNotFoundError:  # where it was
        from streams.store.migrate import migrate

    StoreWatch.look = lambda _: None  # it asks Kafka, which is left out
    settings = load(clickhouse=f"chdb://{work / f'store{time.monotonic_ns()}'}", data_dir=work)
    with connect(settings) as client:
        migrate(client)
        stage = History(settings, Kept(), lambda: connect(settings), Plausible(10, EVENTS, SUMS, lambda: EVENTS))

        async def run():
            await stage.start()
            for batch in read:
                await asyncio.sleep(pause)
                await stage.take(batch)
            await stage.stop()

        return measured(lambda: asyncio.run(run())) | {"amount": sum(len(batch.records) for batch in read)}


def incidents(work, log):
    """Findings through the fold: thirty thousand of fifty services, a third of them recoveries."""
    from streams.incidents.fold.reordering import ReorderingFold
    from tests.support.incidents.entries import back, page, taken

    rng, found = random.Random(1), []
    for number in range(30_000):
        service = f"s{rng.randrange(50)}"
        if found and rng.random() < 0.3:
            found.append(back(rng.choice(found[-200:]).finding_id, 2 * number, f"r{number}", service=service))
        else:
            found.append(page(f"f{number}", 2 * number + rng.randrange(-20, 20), service=service))
    entries = taken(found)

    def run():
        folding = ReorderingFold(lambda _: "sev2")
        for start in range(0, len(entries), 1_000):
            folding.add(entries[start : start + 1_000])

    return measured(run) | {"amount": len(found)}


def ticks_of(series, ticks, services=100, first=177_000_000):
    """Yield ticks whose groups come to about so many series, ten each, and as many more of their services."""
    rates = [f"{name}" for name in ("unsafe_attempted", "unsafe_served", "injection_flag", "leak", "refusal", "error")]
    for tick in range(first, first + ticks):
        yield tick, [
            GroupSums(
                tenant_id="t", service_name=f"s{number % services}", model_version=f"m{number:05}", events=20, calls=20,
                rates={name: Sums(20, number % 3 == 0, 20, number % 3 == 0) for name in rates},
                quantities={name: {str(40 + tick % 7): 12, "50": 8} for name in ("latency", "input_tokens")},
                mixes={"model": {"a": 15, "b": 5}, "finish": {"stop": 20}},
            )
            for number in range(series // 10)
        ]  # fmt: skip


def tick_of_5000(work, log):
    """Ten ticks of five thousand series, after as many in which these were met."""
    return ticked(100)


def tick_of_500_services(work, log):
    """Ten ticks of five hundred services, each with all its series, after as many in which these were met."""
    return ticked(500)


def ticked(services):
    """Measure ten ticks of some services."""
    compiled()
    judge, ticks = Judge(10, 1.0, 20_000, Policy()), list(ticks_of(5_000, 20, services))
    for tick, sums in ticks[:10]:
        judge.judge(tick, sums)
    return measured(lambda: [judge.judge(tick, sums) for tick, sums in ticks[10:]]) | {"amount": 10}


def checkpoint_of_10000(work, log):
    """A checkpoint of ten thousand series: taken, packed; its size beside it."""
    judge = Judge(10, 1.0, 20_000, Policy())
    for tick, sums in ticks_of(10_000, 5):
        judge.judge(tick, sums)
    sizes = []
    return measured(lambda: sizes.append(len(pack(judge.state())))) | {"amount": judge.series, "bytes": sizes[0]}


def watch_checkpoint(work, log):
    """A checkpoint of watch after the log, as its stage takes it when it stops; its size beside it."""
    stage, kept, run = watching(work, log)
    asyncio.run(run())
    return measured(lambda: asyncio.run(stage.stop())) | {"amount": 1, "bytes": sum(kept.saved)}


def backtest(work, log):
    """The command over a file of events."""
    from typer.testing import CliRunner

    from streams.commands.main import app

    def run():
        answer = CliRunner().invoke(app, ["backtest", str(work / f"{log}.jsonl"), "--json"])
        assert answer.exit_code == 0, answer.output

    with (work / f"{log}.jsonl").open() as lines:
        return measured(run) | {"amount": sum(1 for _ in lines)}


def measured(run):
    """Return the processor time of a call, that of its threads included, and the most memory of the process so far."""
    before = time.process_time()
    run()
    return {
        "seconds": time.process_time() - before,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


SUBJECTS = {
    each.__name__: each
    for each in (watch, detect, history, history_live, incidents, tick_of_5000, tick_of_500_services,
                 checkpoint_of_10000, watch_checkpoint, backtest)
}  # fmt: skip


if __name__ == "__main__":
    np.seterr(all="ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--log", default="week")
    chosen = parser.parse_args()
    found = SUBJECTS[chosen.subject](chosen.work, chosen.log)
    (chosen.work / "result.json").write_text(json.dumps(found))
