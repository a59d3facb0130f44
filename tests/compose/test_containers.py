"""What the containers run, run here: the broker's settings, the set-up, and the workers under a read-only root."""

import signal
import subprocess
import sys

import pytest

from schemas.topics import TOPICS
from streams.kafka.topics import check_topics, create_topics
from streams.local import broker
from streams.local.broker import Broker, free_port
from streams.settings import load
from streams.store.schema.migrate import migrations
from streams.worker.healthcheck import well
from tests.compose.containers import Container, can_mount
from tests.compose.parts import SERVICES, WORKERS
from tests.support.waiting import PATIENCE_SECONDS, wait_until

CAN_MOUNT = can_mount()
read_only = pytest.mark.skipif(not CAN_MOUNT, reason="this machine gives a process no mounts of its own")


@pytest.mark.kafka
def test_the_broker_starts_with_the_settings_of_the_compose_file(tmp_path, monkeypatch):
    """The same Kafka takes every setting of the container, moved to loopback, and gets all topics."""
    given = {name: value for name, value in SERVICES["kafka"]["environment"].items() if name != "KAFKA_HEAP_OPTS"}
    settings = {name.removeprefix("KAFKA_").lower().replace("_", "."): str(value) for name, value in given.items()}
    settings |= {
        "listeners": "PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": "PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": "1@127.0.0.1:{controller}",
        "log.dirs": "{data}",
    }
    assert {line.split("=")[0] for line in broker.PROPERTIES.split()} - set(settings) == {
        "offsets.topic.num.partitions", "group.min.session.timeout.ms", "broker.session.timeout.ms",
        "broker.heartbeat.interval.ms",
    }, "beside what only makes tests fast, the local broker and the container have the same settings"  # fmt: skip
    monkeypatch.setattr(broker, "PROPERTIES", "".join(f"{name}={value}\n" for name, value in settings.items()))
    own = Broker(tmp_path)
    own.start()
    try:
        assert len(create_topics(load(kafka=own.address))) == len(TOPICS)
        check_topics(load(kafka=own.address), TOPICS)
    finally:
        own.stop()


@pytest.fixture
def container(kafka_settings, tmp_path):
    """Return a function that makes the container of a service, with the broker and an embedded store for addresses."""

    def make(name, **changed):
        folder = tmp_path / f"container-{name}"
        addresses = {
            "KAFKA": kafka_settings.kafka,
            "TOPIC_PREFIX": kafka_settings.topic_prefix,
            "CLICKHOUSE": f"chdb://{folder}/data/clickhouse",
        }
        return Container(name, folder, **(addresses | changed))

    return make


@read_only
def test_the_root_of_a_container_is_really_read_only(container):
    """Home and root refuse a file and the two granted folders take one, so that the other tests mean something."""
    made = container("watch")
    for place in (".", made.home, made.home.parent, "/"):
        status, said = made.run("-c", f"open('{place}/x', 'w')")
        assert status == 1
        assert "Read-only file system" in said
    for place in (made.data, made.tmp):
        assert made.run("-c", f"open('{place}/x', 'w')") == (0, "")


@read_only
def test_the_one_shot_services_do_their_work_and_end(container):
    """Topics are created once, and the tables migrated, by the very commands of the compose file."""
    topics = container("topics", TOPIC_PREFIX="one-shot.")
    status, said = topics.run()
    assert (status, said.count("created one-shot.")) == (0, len(TOPICS))
    assert topics.run() == (0, "nothing to do\n")
    status, said = container("tables").run()
    assert (status, said.split()[1::2]) == (0, list(migrations()))


@read_only
def test_the_workers_are_well_under_a_read_only_root(container):
    """All workers become ready with what the compose file grants; the health check sees it, and their end."""
    ports = {name: free_port() for name in WORKERS}
    made = {
        name: container(name, PORT=port, API_PORT=free_port(), SQL_PORT=free_port()) for name, port in ports.items()
    }
    running = {name: each.start() for name, each in made.items()}
    try:
        for name, port in ports.items():
            check = SERVICES[name]["healthcheck"]["test"][1:-1]
            wait_until(lambda port=port: well(port))
            assert check[0] == "python"
            assert subprocess.run([sys.executable, *check[1:], str(port)], check=False).returncode == 0
    finally:
        for process in running.values():
            process.send_signal(signal.SIGTERM)
    assert {name: process.wait(PATIENCE_SECONDS) for name, process in running.items()} == dict.fromkeys(WORKERS, 0)
    assert not any(well(port) for port in ports.values())
    for each in made.values():
        assert "Traceback" not in each.log.read_text()
