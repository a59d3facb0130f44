"""Kafka's passwords are changed while clients and workers go on: each new connection has that of its file."""

import asyncio
import signal
import threading
import time

import msgspec
import pytest
from aiokafka.errors import KafkaError as AiokafkaError
from kafka import KafkaProducer
from kafka.admin import ScramMechanism
from kafka.errors import KafkaError

from schemas.events import Event
from schemas.topics import INFERENCE, LITELLM
from schemas.wire import decoder
from streams.dialects.registry import dialect_named
from streams.health.problems import PROBLEMS
from streams.kafka.groups import Groups
from streams.kafka.password import password
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import client_arguments
from streams.local.broker import free_port
from streams.settings import load
from tests.docs import secure
from tests.faults.fleet import Worker
from tests.faults.log import ends, log
from tests.real.guarded import PASSWORD, GuardedBroker
from tests.real.relay import Relays
from tests.streams.normalise.test_others import recorded
from tests.support.secrets import put
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka
REAUTH_SECONDS = 2
REAUTH = f"\nlistener.name.secure.scram-sha-256.connections.max.reauth.ms={REAUTH_SECONDS * 1000}\n"
EVENT = Message(INFERENCE.name, b"{}")
FILE = "watchkeeper_kafka_password"


class CutBroker(GuardedBroker):
    """As the other, behind a relay; with SCRAM-SHA-256 it asks again every two seconds who has opened a connection."""

    def __init__(self, data_dir):
        super().__init__(data_dir)
        port, self.relays = free_port(), Relays()
        self.relays.add("all", port, self._secure_port)
        self.secure = f"127.0.0.1:{port}"

    def _configure(self):
        config = super()._configure()
        own = f"PLAINTEXT://{self.address},SECURE://"
        assert own in config.read_text()
        text = config.read_text().replace(f"{own}127.0.0.1:{self._secure_port}", f"{own}{self.secure}")
        config.write_text(text + REAUTH)
        return config


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A broker that wants passwords, its topics, and the rules of the workers and a service."""
    broker = CutBroker(tmp_path_factory.mktemp("guarded"))
    broker.opened({"service": ["User:assistant"]})
    broker.set_password("assistant", PASSWORD, ScramMechanism.SCRAM_SHA_256)
    yield broker
    broker.stop()
    broker.relays.stop()


async def by_aiokafka(arguments, _most_ms=0):
    """Write an event."""
    publisher = Publisher(arguments)
    await publisher.start()
    try:
        await publisher.publish([EVENT])
    finally:
        await publisher.stop()


async def by_kafka_python(arguments, most_ms=60_000):
    """Write an event."""
    producer = KafkaProducer(**arguments, bootstrap_timeout_ms=most_ms, enable_idempotence=False)
    try:
        producer.send(INFERENCE.name, EVENT.value).get(60)
    finally:
        producer.close()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("write", [by_aiokafka, by_kafka_python])
async def test_a_changed_password_counts_from_the_next_connection_on(guarded, tmp_path, monkeypatch, mechanism, write):
    """A wrong one is refused, as the right one comes in; a file that holds none leaves the one before in use."""
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path))
    right = secure.PASSWORD if mechanism == "PLAIN" else PASSWORD
    put(tmp_path, right, FILE)
    mine = guarded.settings_of(load(), "assistant").model_copy(update={"kafka_sasl_mechanism": mechanism})
    arguments = client_arguments(mine)
    await write(arguments)
    put(tmp_path, "wrong", FILE)
    with pytest.raises((AiokafkaError, KafkaError)):
        await write(arguments, 1_000)
    put(tmp_path, right, FILE)
    await write(arguments)
    assert PROBLEMS.current() == {}
    for broken in (b"", b"\xff\xfe"):
        (tmp_path / FILE).write_bytes(broken)
        await write(arguments)
        assert "the one before it is" in PROBLEMS.current()["kafka password"]
    put(tmp_path, right, FILE)
    await write(arguments)
    assert PROBLEMS.current() == {}


async def test_a_broker_that_asks_again_is_told_the_password_of_then(guarded, tmp_path, monkeypatch):
    """Clients that stay go on: kafka-python answers on its connection, aiokafka opens another one."""
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path))
    put(tmp_path, PASSWORD, FILE)
    mine = guarded.settings_of(load(), "assistant").model_copy(update={"kafka_sasl_mechanism": "SCRAM-SHA-256"})
    publisher, producer = Publisher(client_arguments(mine)), KafkaProducer(**client_arguments(mine))
    await publisher.start()

    async def write():
        await publisher.publish([EVENT])
        await asyncio.to_thread(producer.send(INFERENCE.name, EVENT.value).get, 60)

    await write()
    put(tmp_path, "another", FILE)
    guarded.set_password("assistant", "another", ScramMechanism.SCRAM_SHA_256)
    over = time.monotonic() + 2 * REAUTH_SECONDS
    while time.monotonic() < over:
        await write()
        await asyncio.sleep(0.1)
    await publisher.stop()
    producer.close()
    guarded.set_password("assistant", PASSWORD, ScramMechanism.SCRAM_SHA_256)


def test_a_password_is_not_shown(tmp_path, monkeypatch):
    """Not where a client writes what it was given; of the environment it is a plain text, and no file is looked at."""
    put(tmp_path, "in the file", FILE)
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path))
    held = password(load())
    assert (held.encode(), repr({"password": held})) == (b"in the file", "{'password': '**********'}")
    monkeypatch.setenv("WATCHKEEPER_KAFKA_PASSWORD", "of the environment")
    assert type(password(load())) is str
    assert password(load()) == "of the environment"


class Sender:
    """Somebody who sends telemetry all the time, by one publisher; `events` are the ids of what it comes to."""

    def __init__(self, settings):
        self._settings, self._ended = settings, threading.Event()
        self._record = next(record for record in recorded() if "id" in record)
        self.events = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()), daemon=True)
        self._thread.start()

    async def _send(self):
        publisher = Publisher(client_arguments(self._settings))
        await publisher.start()
        while not self._ended.is_set():
            record = self._record | {"id": f"{len(self.events)}", "litellm_call_id": f"{len(self.events)}"}
            await publisher.publish([Message(LITELLM.name, msgspec.json.encode(record), partition=0)])
            self.events += [event["event_id"] for event in dialect_named("litellm").translate(record).events]
            await asyncio.sleep(0.05)
        await publisher.stop()

    def end(self):
        """Send no more."""
        self._ended.set()
        self._thread.join()


def events(settings):
    """Return the ids of all events that the worker made, in whatever order."""
    decode = decoder(Event)
    made = [each for records in log(settings, INFERENCE).values() for each in records if each.value != EVENT.value]
    return sorted(decode(each.value, each.timestamp * 1_000_000).event_id for each in made)


@pytest.mark.faults
def test_no_event_is_lost_or_doubled_while_a_password_is_changed(guarded, tmp_path, monkeypatch):
    """Every connection ends, and is refused until the file has the new one: all go on, and the worker is the same."""
    broker, folder = guarded, tmp_path / "secrets"
    put(folder, PASSWORD, FILE)
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(folder))
    settings = load(kafka=broker.address)
    receiver, normalise, incidents = (
        broker.settings_of(settings, f"watchkeeper-{name}") for name in ("receiver", "normalise", "incidents")
    )
    given = {"KAFKA": broker.secure, "KAFKA_SECURITY": "SASL_SSL", "KAFKA_USERNAME": normalise.kafka_username,
             "KAFKA_CA_FILE": str(broker.authority), "SECRETS": str(folder), "ROOT_WAIT_SECONDS": "0.5"}  # fmt: skip
    before = sum(ends(settings, INFERENCE).values())
    worker, sender, groups = Worker("normalise", 0, given, tmp_path), Sender(receiver), Groups(incidents, ["normalise"])
    worker.start()

    def come(count):
        return sum(ends(settings, INFERENCE).values()) - before >= count

    def all_go_on():
        more = len(sender.events) + 10
        wait_until(lambda: come(more))
        wait_until(groups.look)

    all_go_on()
    for each in (receiver, normalise, incidents):
        broker.set_password(each.kafka_username, "another")
    broker.relays.drop("all")
    wait_until(lambda: groups.look() is None)
    wait_until(lambda: "SaslAuthenticationFailed" in worker.words())
    put(folder, "another", FILE)
    all_go_on()
    sender.end()
    wait_until(lambda: come(len(sender.events)))
    assert worker.process.poll() is None
    worker.end(signal.SIGKILL)
    groups.close()
    assert events(settings) == sorted(sender.events)
