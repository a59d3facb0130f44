"""A record that kills the worker is found, set aside and told of; nothing else is lost."""

import contextlib
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka import KafkaProducer

from schemas.findings import Finding
from schemas.topics import FINDINGS, INFERENCE
from streams.kafka.letters import read_letters
from streams.kafka.topics import TopicState
from streams.local.broker import free_port
from streams.settings import load
from streams.worker import sentinel
from streams.worker.faust_app import LogBatch
from streams.worker.sentinel import Sentinel
from tests.faults.log import decoded

TOPIC = TopicState("t", "id", 1)


@dataclass
class Record:
    """A record that may be poison."""

    offset: int
    value: bytes = b""
    timestamp: int = 1_770_000_000_000
    headers: tuple = ()


@contextlib.contextmanager
def process(folder, told):
    """Give the sentinel of a process that starts, and let the process die without a word."""
    subject = Sentinel("w", load(data_dir=folder))

    async def tell(batch, at, _):
        told.append(batch.records[at].offset)

    subject._tell = tell
    yield subject


def run(coroutine):
    """Run a coroutine without a loop of asyncio's: nothing here waits."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as done:
        return done.value


async def live(subject, offsets, poison, taken, size):
    """Take all batches from the last acknowledged record on, as a worker would; True at the end of the log."""
    acked = []
    start = taken["acked"] + 1
    todo = [offset for offset in offsets if offset >= start]
    for at in range(0, len(todo), size):
        records = tuple(Record(offset) for offset in todo[at : at + size])
        batch = LogBatch(TOPIC, 0, records, lambda last=records[-1].offset: acked.append(last))
        async for piece in subject.pieces(batch):
            work = subject.at_work(piece)
            work.__enter__()
            if poison & {record.offset for record in piece.records}:
                return False  # the process is gone: nobody leaves the context
            taken["offsets"] |= {record.offset for record in piece.records}
            piece.ack()
            work.__exit__(None, None, None)
        taken["acked"] = acked[-1]
    return True


@settings(max_examples=25)
@given(
    length=st.integers(1, 4_000),
    poison=st.sets(st.integers(0, 3_999), max_size=3),
    sizes=st.lists(st.sampled_from([100, 300, 1_000, 4_000]), min_size=40, max_size=40),
)
def test_every_poison_is_found_however_the_batches_fall(tmp_path_factory, length, poison, sizes):
    """With batches cut anew after each death, exactly the records that kill are set aside, after a few deaths each."""
    folder = tmp_path_factory.mktemp("sentinel")
    offsets, told, taken = range(10, 10 + length), [], {"offsets": set(), "acked": -1}
    poison = {offset + 10 for offset in poison if offset < length}
    for deaths, size in enumerate(sizes, start=1):  # noqa: B007  used behind the loop
        with process(folder, told) as subject:
            if run(live(subject, offsets, poison, taken, size)):
                break
    else:
        pytest.fail("the worker never got through")
    assert set(told) == poison
    assert taken["offsets"] == set(offsets) - poison
    assert taken["acked"] == offsets[-1]
    assert deaths <= (sentinel.DEATHS_OF_ALL + 4) * len(poison) + 1


def test_deaths_from_outside_set_nothing_aside(tmp_path):
    """A worker that is killed while it works again and again, but not by a record, loses no record."""
    told, taken = [], {"offsets": set(), "acked": -1}
    for death in range(30):
        with process(tmp_path, told) as subject:
            anywhere = {(death * 7919) % 1_000}
            run(live(subject, range(1_000), anywhere, taken, 250))
    with process(tmp_path, told) as subject:
        assert run(live(subject, range(1_000), set(), taken, 250))
    assert not told
    assert taken["offsets"] == set(range(1_000))


class Died(Exception):  # noqa: N818
    """The process is gone: nobody leaves a context."""


class Together:
    """Takes batches whose work ends together with that of others, as history does, and dies of poison."""

    def __init__(self, subject, poison, taken):
        self.subject, self.poison, self.taken, self.waiting = subject, poison, taken, []

    def finish(self, group):
        """End the work of a group in two steps, stored and then rolled up; each kind of poison kills in one."""
        offsets = {(piece.partition, record.offset) for piece in group for record in piece.records}
        for step in range(2):
            works = [self.subject.at_work(piece, whole=step == 1) for piece in group]
            for work in works:
                work.__enter__()
            if any(offset % 2 == step for _, offset in self.poison & offsets):
                raise Died
            for work in works:
                work.__exit__(None, None, None)
        self.taken.update(offsets)
        group.clear()

    async def take(self, batch):
        """Take a batch in its pieces."""
        async for piece in self.subject.pieces(batch):
            begun = self.subject.at_work(piece, whole=piece.at_once)
            begun.__enter__()
            if piece.at_once:
                self.finish(self.waiting)
                self.finish([piece])
            else:
                self.waiting.append(piece)
            begun.__exit__(None, None, None)
        if len(self.waiting) >= 4:
            self.finish(self.waiting)


async def gather(subject, logs, poison, taken, size):
    """Take what is not taken yet of two partitions in turn; True at the end of the logs."""
    work = Together(subject, poison, taken)
    todo = [[each for each in log if each not in taken] for log in logs]
    try:
        for at in range(0, max(map(len, todo)), size):
            for log in todo:
                if records := tuple(Record(offset) for _, offset in log[at : at + size]):
                    await work.take(LogBatch(TOPIC, log[0][0], records, lambda: None))
        work.finish(work.waiting)
    except Died:
        return False
    return True


@settings(max_examples=15)
@given(
    length=st.integers(1, 2_000),
    poison=st.sets(st.tuples(st.integers(0, 1), st.integers(0, 1_999)), max_size=2),
    sizes=st.lists(st.sampled_from([100, 300, 1_000]), min_size=60, max_size=60),
)
def test_a_poison_is_found_among_what_is_done_together(tmp_path_factory, length, poison, sizes):
    """Where the work of several batches ends together, the ones that died of it are taken by themselves, and found."""
    folder = tmp_path_factory.mktemp("sentinel")
    logs, told, taken = [[(number, offset) for offset in range(length)] for number in (0, 1)], [], set()
    poison = {(number, offset) for number, offset in poison if offset < length}
    for size in sizes:
        with process(folder, told) as subject:
            if run(gather(subject, logs, poison, taken, size)):
                break
    else:
        pytest.fail("the worker never got through")
    assert sorted(told) == sorted(offset for _, offset in poison)
    assert taken == {each for log in logs for each in log} - poison


def test_an_outage_is_nobodys_fault(tmp_path):
    """A stage that ends for an error of network or disk leaves no mark, one that ends for another error does."""
    batch = LogBatch(TOPIC, 0, (Record(5),), lambda: None)
    for error, blamed in ((ConnectionError("away"), False), (ValueError("what is this"), True)):
        subject = Sentinel("w", load(data_dir=tmp_path))
        with contextlib.suppress(ConnectionError, ValueError), subject.at_work(batch):
            raise error
        assert bool(Sentinel("w", load(data_dir=tmp_path))._memory.suspicions) == blamed


def test_a_broken_memory_is_a_new_one(tmp_path):
    """Files that hold nonsense do not keep a worker from its work."""
    Sentinel("w", load(data_dir=tmp_path))._save()
    folder = tmp_path / "sentinel-w-1"
    for name in ("memory", "in-work"):
        (folder / name).write_bytes(b"\xff{]" * 50)
    assert Sentinel("w", load(data_dir=tmp_path))._memory.suspicions == []


@pytest.mark.faults
def test_a_real_worker_gets_past_its_poison(kafka_settings, tmp_path):
    """Two records that kill the process are dead letters and pages after a few deaths; every other is taken."""
    topic, out = kafka_settings.topic(INFERENCE.name), tmp_path / "out"
    producer = KafkaProducer(bootstrap_servers=kafka_settings.kafka)
    values = [b"fine %d" % number for number in range(400)]
    values[123] = b'{"service_name":"rogue","x":"poison"}'
    for value in values:
        producer.send(topic, value=value, partition=0)
    producer.close()
    arguments = [kafka_settings.kafka, kafka_settings.topic_prefix, str(free_port()), str(out)]
    for _ in range(12):
        worker = subprocess.Popen([sys.executable, "-m", "tests.hostile.poisoned", *arguments])
        try:
            while worker.poll() is None and len(_taken(out)) < len(values) - 1:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(0.2)
        finally:
            worker.kill()
            worker.wait()
        if len(_taken(out)) == len(values) - 1:
            break
    assert _taken(out) == set(range(len(values))) - {123}
    [letter] = read_letters(kafka_settings)
    assert (letter.origin, letter.headers["reason"], letter.value) == ((topic, 0, 123), "kills_worker", values[123])
    [finding] = decoded(kafka_settings, FINDINGS, Finding)
    assert (finding.kind, finding.severity) == ("telemetry", "page")
    assert "of rogue kills the mortal worker" in finding.evidence


def _taken(out):
    lines = out.read_text().splitlines() if out.exists() else []
    return {int(line.split()[1]) for line in lines}
