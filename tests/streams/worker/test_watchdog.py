"""A worker that reads nothing ends, so that it is started again; one that is only spare stays."""

import os
import subprocess
import sys

import pytest
from kafka.admin import KafkaAdminClient

from schemas.topics import WINDOWS
from streams.kafka.topics import create_topics
from streams.local.broker import free_port
from tests.support.health import lag as _lag
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.faults

IMPATIENT = "from streams.worker import watchdog; watchdog.PATIENCE_SECONDS, watchdog.CHECK_SECONDS = 4, .2; "
UNFETCHED = "from streams.kafka.transport import Consumer; Consumer.highwater = lambda *_: None; "
UNASSIGNED = """
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as Assignment
from streams.kafka.assignor import TogetherAssignor
TogetherAssignor.assign = classmethod(
    lambda cls, cluster, members: {member: Assignment(cls.version, [], b"") for member in members})
"""
PATIENT = "watchdog.PATIENCE_SECONDS = 15"
LOOKING_OFTEN = "watchdog.TOPICS_SECONDS = 1; watchdog.PATIENCE_SECONDS = 60"
RUN = "from streams.__main__ import main; main()"


@pytest.fixture
def start(kafka_settings, tmp_path):
    """Return a function that starts a detect worker, with a fault, and gives its process, port and log."""
    running = []

    def start(fault="", instance="1"):
        port, log = free_port(), tmp_path / f"{instance}.log"
        given = {"KAFKA": kafka_settings.kafka, "TOPIC_PREFIX": kafka_settings.topic_prefix, "PORT": str(port),
                 "DATA_DIR": str(tmp_path), "INSTANCE": instance, "KAFKA_SESSION_SECONDS": "3"}  # fmt: skip
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", f"{IMPATIENT}{fault}\n{RUN}", "worker", "detect"], stdout=out, stderr=out,
                env={**os.environ, **{f"WATCHKEEPER_{name}": value for name, value in given.items()}},
            )  # fmt: skip
        running.append(process)
        return process, port, log

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (UNFETCHED, f"{{0}}{WINDOWS.name}/0, {{0}}{WINDOWS.name}/1 is not read"),
        (UNASSIGNED, f"no other worker has {{0}}{WINDOWS.name}/0"),
    ],
)
def test_a_worker_that_reads_nothing_ends_and_says_why(start, kafka_settings, fault, reason):
    """With partitions of which it fetches nothing, or with a group that assigns none, it does not live on."""
    process, _, log = start(fault)
    assert process.wait(PATIENCE_SECONDS) == os.EX_SOFTWARE
    assert reason.format(kafka_settings.topic_prefix) in log.read_text()


def test_a_topic_that_is_not_what_it_was_ends_the_worker(start, kafka_settings):
    """With partitions added, or made anew, the worker ends and says so, and its successor reads what is there."""
    process, _, log = start(LOOKING_OFTEN)
    wait_until(lambda: "OK" in log.read_text())
    admin = KafkaAdminClient(bootstrap_servers=[kafka_settings.kafka])
    name = kafka_settings.topic(WINDOWS.name)
    admin.create_partitions({name: 2 * WINDOWS.partitions})
    assert process.wait(PATIENCE_SECONDS) == os.EX_SOFTWARE
    assert f"{name} changed since the start" in log.read_text()
    process, port, log = start(LOOKING_OFTEN, instance="2")
    wait_until(lambda: _lag("127.0.0.1", port) == 0)
    admin.delete_topics([name])
    create_topics(kafka_settings)
    admin.close()
    assert process.wait(PATIENCE_SECONDS) == os.EX_SOFTWARE
    assert f"{name} changed since the start" in log.read_text()


def test_a_spare_worker_stays(start):
    """Of one worker more than there are partitions one has nothing to read, and all are there after a while."""
    workers = [start(PATIENT, str(number)) for number in range(WINDOWS.partitions + 1)]

    def lags():
        return sorted(str(_lag("127.0.0.1", port)) for _, port, _ in workers)

    wait_until(lambda: lags() == ["0"] * WINDOWS.partitions + ["None"])
    with pytest.raises(subprocess.TimeoutExpired):
        workers[0][0].wait(20)
    assert [process.poll() for process, _, _ in workers] == [None] * len(workers)
    assert lags() == ["0"] * WINDOWS.partitions + ["None"]
