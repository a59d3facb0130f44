"""Kafka knows by certificates who is who: each of our clients shows one; who has none, or a wrong one, is refused."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
import requests
from aiokafka.errors import KafkaConnectionError
from aiokafka.errors import KafkaError as AiokafkaError
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError, TopicAuthorizationFailedError

from schemas.topics import FINDINGS, INFERENCE, OTLP_SPANS
from streams.health.problems import PROBLEMS
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import PROBLEM, check_topics, client_arguments, tls_context
from streams.local.broker import die_with_parent, free_port
from streams.policy.policy import Policy
from streams.production.lying import file_gaps
from streams.production.named import gaps
from streams.settings import Settings, SettingsError
from tests.real.certified import CertifiedBroker
from tests.support.authority import DAY, Authority
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A broker that asks for certificates, its topics, and the rules of the workers and a service."""
    broker = CertifiedBroker(tmp_path_factory.mktemp("certified"))
    yield broker, broker.opened({"service": ["User:shop"]})
    broker.stop()


def produced(arguments, topic, most_ms=20_000):
    """Have kafka-python write a record."""
    producer = KafkaProducer(**arguments, enable_idempotence=False, max_block_ms=most_ms)
    try:
        producer.send(topic.name, value=b"{}").get(30)
    finally:
        producer.close()


async def published(arguments, topic):
    """Have aiokafka write a record."""
    publisher = Publisher(arguments)
    await publisher.start()
    try:
        await publisher.publish([Message(topic.name, b"{}", None)])
    finally:
        await publisher.stop()


@pytest.mark.kafka
def test_whose_certificate_it_is_may_do_what_is_theirs(certified):
    """A service writes events and no findings; the receiver writes spans, and normalise reads them."""
    broker, settings = certified
    shop, receiver, normalise = (
        broker.settings_of(settings, name) for name in ("shop", "watchkeeper-receiver", "watchkeeper-normalise")
    )
    produced(client_arguments(shop), INFERENCE)
    with pytest.raises(TopicAuthorizationFailedError):
        produced(client_arguments(shop), FINDINGS)
    asyncio.run(published(client_arguments(receiver), OTLP_SPANS))
    [state] = check_topics(normalise, [OTLP_SPANS]).values()
    assert len(asyncio.run(_read(normalise, state))) == 1


async def _read(settings, state):
    return [record async for record in LogReader(client_arguments(settings)).whole([state])]


@pytest.mark.kafka
def test_a_worker_runs_with_its_certificate_and_not_with_anothers(certified, tmp_path):
    """Faust's clients too: normalise becomes ready; with the certificate of a service it does not see its topics."""
    broker, settings = certified
    good = worker(broker.settings_of(settings, "watchkeeper-normalise"), tmp_path)
    wait_until(lambda: ready(good[1]) or good[0].poll() is not None)
    assert good[0].poll() is None, (tmp_path / "log").read_text()
    good[0].send_signal(signal.SIGTERM)
    assert good[0].wait(60) is not None
    assert "missing topics: dead-letters.v1" in stopped(
        worker(broker.settings_of(settings, "shop"), tmp_path)[0], tmp_path
    )


def worker(settings, folder):
    """Start a worker in a process of its own, and return it with its port."""
    port = free_port()
    named = ("kafka", "kafka_security", "kafka_ca_file", "kafka_cert_file", "kafka_key_file")
    given = settings.environment(named) | {"WATCHKEEPER_PORT": str(port), "WATCHKEEPER_DATA_DIR": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "worker", "normalise"], env=os.environ | given, stdout=log, stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509
        )  # fmt: skip
    return process, port


def ready(port):
    """Tell whether a worker is ready."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/ready", timeout=10).ok
    except requests.RequestException:
        return False


def stopped(process, folder):
    """Return what a worker has said that has to end by itself."""
    assert process.wait(120) != 0
    return (folder / "log").read_text()


@pytest.mark.kafka
@pytest.mark.parametrize("wrong", ["none", "stranger", "expired"])
def test_who_has_no_good_certificate_is_refused(certified, tmp_path, wrong):
    """None, one of another authority, and one that is over: neither client comes in."""
    broker, settings = certified
    mine = broker.settings_of(settings, "shop", ends=-DAY / 2) if wrong == "expired" else broker.settings_of(
        settings, "shop", Authority(tmp_path)
    )  # fmt: skip
    if wrong == "none":
        mine = mine.model_copy(update={"kafka_cert_file": None, "kafka_key_file": None})
    with pytest.raises(KafkaError):
        KafkaAdminClient(**client_arguments(mine), bootstrap_timeout_ms=3_000)
    with pytest.raises(KafkaConnectionError):
        asyncio.run(published(client_arguments(mine), INFERENCE))


def put(mine, other, *names):
    """Put files of another in the place of mine, each in one step."""
    for name in names:
        target, new = getattr(mine, name), getattr(mine, name).with_suffix(".new")
        new.write_bytes(getattr(other, name).read_bytes())
        new.rename(target)


@pytest.mark.kafka
@pytest.mark.parametrize(
    "write",
    [lambda *given: asyncio.run(published(*given)), lambda *given: produced(*given, most_ms=8_000)],
    ids=["aiokafka", "kafka-python"],
)
def test_a_changed_certificate_counts_from_the_next_connection_on(certified, tmp_path, write):
    """Without a restart the same client is somebody else; half of a change is not used, and an authority counts too."""
    broker, settings = certified
    shop, receiver = (broker.settings_of(settings, name) for name in ("shop", "watchkeeper-receiver"))
    names = ("kafka_cert_file", "kafka_key_file", "kafka_ca_file")
    mine = shop.model_copy(update={name: tmp_path / name for name in names})
    put(mine, shop, *names)
    arguments = client_arguments(mine)
    write(arguments, INFERENCE)
    put(mine, receiver, "kafka_cert_file")
    write(arguments, INFERENCE)
    assert "the one before it is shown" in PROBLEMS.current()[PROBLEM]
    put(mine, receiver, "kafka_key_file")
    write(arguments, OTLP_SPANS)
    assert PROBLEM not in PROBLEMS.current()
    Authority(tmp_path / "stranger").file.rename(mine.kafka_ca_file)
    with pytest.raises((KafkaError, AiokafkaError)):
        write(arguments, OTLP_SPANS)


def test_files_that_cannot_be_used_are_named(tmp_path):
    """A key without a certificate is a mistake; so is a file that is none, which is named."""
    with pytest.raises(ValueError, match="WATCHKEEPER_KAFKA_CERT_FILE"):
        Settings(kafka_key_file=tmp_path / "key.pem")
    broken = tmp_path / "cert.pem"
    broken.write_text("no certificate")
    for file in (broken, tmp_path / "gone.pem"):
        with pytest.raises(SettingsError, match=file.name):
            tls_context(Settings(kafka_security="SSL", kafka_cert_file=file))


def test_the_doctor_takes_a_certificate_for_a_user(tmp_path):
    """With one, Kafka knows who writes; without it TLS alone leaves that open, and a key that others read is named."""
    certificate, key = Authority(tmp_path).signed("watch")
    named = {"kafka": "kafka:9093", "kafka_security": "SSL", "kafka_cert_file": certificate, "kafka_key_file": key}

    def open_to(**more):
        return [each.check for each in gaps(Settings(**named | more), Policy())]

    assert "kafka sasl" not in open_to()
    assert "kafka sasl" in open_to(kafka_cert_file=None, kafka_key_file=None)
    assert list(file_gaps(Settings(**named, data_dir=tmp_path / "data"))) == []
    key.chmod(0o644)
    assert [each.check for each in file_gaps(Settings(**named, data_dir=tmp_path / "data"))] == ["open files"]
