"""The coalescing transport against Faust's own commit logic, and on a real broker."""

import subprocess
import sys
import time
from collections import defaultdict, deque

import faust
import pytest
from faust.transport.drivers import aiokafka
from faust.types import TP
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from schemas.findings import Finding
from schemas.topics import FINDINGS, INFERENCE
from schemas.wire import decoder
from streams.kafka.transport import CoalescedRecord, Consumer, Transport
from streams.local.broker import free_port
from tests.faults.log import log
from tests.support.waiting import PATIENCE_SECONDS, wait_until

ONE = TP("t", 0)


class Record:
    """What aiokafka hands over."""

    def __init__(self, offset):
        self.topic, self.partition, self.offset, self.timestamp, self.timestamp_type = "t", 0, offset, 1, 1
        self.value = b"x"


@pytest.fixture
def consumer():
    """A consumer of ours that is not connected."""
    app = faust.App("test", broker="coalesce://127.0.0.1:1", topic_disable_leader=True)
    app.topics.acks_enabled_for = lambda _: True
    transport = Transport(["coalesce://127.0.0.1:1"], app)
    made = Consumer.__new__(Consumer)
    made.app, made.transport = app, transport
    made._delivered = defaultdict(deque)
    made._acked, made._acked_index = defaultdict(list), defaultdict(set)
    made._committed_offset = defaultdict(lambda: None)
    return made


def deliver(consumer, *offsets):
    """Deliver batches that end at these offsets."""
    for offset in offsets:
        consumer.taken(ONE, offset)


def ack(consumer, *offsets):
    """Acknowledge them."""
    for offset in offsets:
        consumer._acked_index[ONE].add(offset)
        consumer._acked[ONE].append(offset)


def test_a_batch_takes_the_offset_of_its_last_record():
    """One Faust event stands for all its records, and carries the last one's offset."""
    record = CoalescedRecord([Record(3), Record(4), Record(9)])
    assert record.offset == 9
    assert [each.offset for each in record.value] == [3, 4, 9]


@pytest.mark.enable_socket
async def test_a_fetch_of_more_than_a_batch_comes_in_several(consumer, monkeypatch):
    """So a backlog is acknowledged bit by bit, in order and whole, and a slow worker is seen to move."""

    async def fetched(*_):
        return {ONE: [Record(offset) for offset in range(10)]}

    monkeypatch.setattr(aiokafka.Consumer, "_getmany", fetched)
    consumer.app.batch_records = 4
    consumer.assignment = lambda: {ONE}
    found = (await consumer._getmany({ONE}, 1.0))[ONE]
    assert [[record.offset for record in each.value] for each in found] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_first_batch_of_one_record_does_not_stop_commits(consumer):
    """Batches ending at 0, 50 and 120 commit 1, 51 and 121; by Faust's own rule nothing after 1 ever would."""
    for offset, commit in ((0, 1), (50, 51), (120, 121)):
        deliver(consumer, offset)
        ack(consumer, offset)
        assert consumer._new_offset(ONE) == commit


def test_nothing_is_committed_past_work_that_is_not_done(consumer):
    """A batch that is not acknowledged holds back all behind it, also at the very head of a new group."""
    deliver(consumer, 99, 199, 299)
    ack(consumer, 199, 299)
    assert consumer._new_offset(ONE) is None
    ack(consumer, 99)
    assert consumer._new_offset(ONE) == 300
    assert consumer._new_offset(ONE) is None


def test_gaps_of_compaction_need_no_acknowledgement(consumer):
    """Offsets missing between batches and within them do not matter."""
    deliver(consumer, 10, 1_000_000)
    ack(consumer, 10, 1_000_000)
    assert consumer._new_offset(ONE) == 1_000_001


def test_what_was_committed_before_it_came_again_holds_nothing_back(consumer):
    """A commit that ends after partitions were assigned anew covers what comes again, which is never acknowledged."""
    deliver(consumer, 306, 307)
    consumer._committed_offset[ONE] = 307  # noted late, over the 306 that was read at the assignment
    ack(consumer, 307)
    assert consumer._new_offset(ONE) == 308


def recorder(settings, out, fail_at, *seed):
    """Start a worker whose stage writes down what it sees, and fails before an offset when told to."""
    arguments = [settings.kafka, settings.topic_prefix, str(free_port()), str(out), str(fail_at), *map(str, seed)]
    return subprocess.Popen([sys.executable, "-m", "tests.support.recorder", *arguments])


def seen(out):
    """Return the partitions and offsets written down, in order."""
    return [tuple(map(int, line.split())) for line in out.read_text().splitlines()] if out.exists() else []


def committed(settings):
    """Return what the group has committed."""
    admin = KafkaAdminClient(bootstrap_servers=[settings.kafka])
    group = f"{settings.topic_prefix}watchkeeper-recorder"
    offsets = admin.list_group_offsets({group: None})[group]
    admin.close()
    return {tp.partition: meta.offset for tp, meta in offsets.items()}


def test_order_exceptions_and_restart_on_a_real_broker(kafka_settings, tmp_path):
    """A failed batch ends the worker and is not committed; a successor gets everything from there on, in order."""
    producer = KafkaProducer(bootstrap_servers=kafka_settings.kafka)
    name = kafka_settings.topic(INFERENCE.name)
    for number in range(200):
        producer.send(name, value=b"x", partition=number % 4)
    producer.flush()
    whole = recorder(kafka_settings, tmp_path / "first", fail_at=60)
    wait_until(lambda: len(set(seen(tmp_path / "first"))) == 200)
    for number in range(200):
        producer.send(name, value=b"x", partition=number % 4)
    producer.close()
    assert whole.wait(PATIENCE_SECONDS) != 0  # the batch that reaches offset 60 fails, and the process with it
    failed = committed(kafka_settings)
    assert all(offset <= 60 for offset in failed.values())
    successor = recorder(kafka_settings, tmp_path / "second", fail_at=-1)
    expected = {(partition, offset) for partition in range(4) for offset in range(100)}
    wait_until(lambda: set(seen(tmp_path / "first")) | set(seen(tmp_path / "second")) == expected)
    wait_until(lambda: committed(kafka_settings) == dict.fromkeys(range(4), 100))
    successor.terminate()
    assert successor.wait(PATIENCE_SECONDS) == 0
    for partition in range(4):
        order = [offset for where, offset in seen(tmp_path / "second") if where == partition]
        assert order == sorted(order)
        assert order[0] <= failed.get(partition, 0)


def test_what_the_client_loses_or_gives_again_is_read_once_and_in_order(kafka_settings, tmp_path):
    """With a client that loses and repeats batches at random, a stage still gets each record once and in order."""
    producer = KafkaProducer(bootstrap_servers=kafka_settings.kafka)
    worker = recorder(kafka_settings, tmp_path / "seen", -1, 5)
    for number in range(400):
        producer.send(kafka_settings.topic(INFERENCE.name), value=b"x", partition=number % 4)
        time.sleep(0.01)
    producer.close()
    wait_until(lambda: len(seen(tmp_path / "seen")) >= 400)
    wait_until(lambda: committed(kafka_settings) == dict.fromkeys(range(4), 100))  # though seven commits of ten failed
    worker.terminate()
    assert worker.wait(PATIENCE_SECONDS) == 0
    for partition in range(4):
        assert [offset for where, offset in seen(tmp_path / "seen") if where == partition] == list(range(100))


def test_records_deleted_before_they_were_read_are_told(kafka_settings, tmp_path):
    """Where Kafka has deleted what a worker had not read, it goes on behind it, and a page says what is gone."""
    name = kafka_settings.topic(INFERENCE.name)
    producer = KafkaProducer(bootstrap_servers=kafka_settings.kafka)

    def send(number):
        for _ in range(number):
            producer.send(name, value=b"x", partition=0)
        producer.flush()

    send(50)
    first = recorder(kafka_settings, tmp_path / "seen", -1)
    wait_until(lambda: len(seen(tmp_path / "seen")) == 50)
    wait_until(lambda: committed(kafka_settings).get(0) == 50)
    first.terminate()
    assert first.wait(PATIENCE_SECONDS) == 0
    send(50)
    producer.close()
    admin = KafkaAdminClient(bootstrap_servers=[kafka_settings.kafka])
    admin.delete_records({TopicPartition(name, 0): 80})
    admin.close()
    second = recorder(kafka_settings, tmp_path / "seen", -1)
    wait_until(lambda: seen(tmp_path / "seen")[-1:] == [(0, 99)])
    second.terminate()
    assert second.wait(PATIENCE_SECONDS) == 0
    assert [offset for _, offset in seen(tmp_path / "seen")] == [*range(50), *range(80, 100)]
    decode = decoder(Finding)
    found = [decode(record.value, 0) for record in log(kafka_settings, FINDINGS)[0]]
    assert [(each.severity, each.metric, each.sample_size) for each in found] == [("page", "records_lost", 30)]
    assert f"{name}/0 (50 to 79)" in found[0].evidence
