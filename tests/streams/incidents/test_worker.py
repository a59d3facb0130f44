"""The incidents worker as a process: its API, its commands, kills, two workers, and bad input."""

import os
import signal
import subprocess
import sys
import time

import pytest
import requests
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from schemas.records import Incident
from schemas.topics import ACTIONS, FINDINGS, INCIDENTS
from schemas.wire import decoder, encode
from streams.incidents.desk import Desk
from streams.incidents.severity import severity_of
from streams.local.broker import free_port
from streams.policy import Policy
from tests.streams.incidents.entries import act, at, back, page, taken
from tests.streams.test_transport import wait_until

pytestmark = pytest.mark.faults
TOKEN = "t0ken-of-the-tests"  # noqa: S105


class Worker:
    """One worker process and its API."""

    def __init__(self, settings, instance="1"):
        self.settings, self.instance = settings, instance
        self.port, self.api = free_port(), free_port()
        self.environment = {
            **os.environ, "WATCHKEEPER_KAFKA": settings.kafka, "WATCHKEEPER_TOPIC_PREFIX": settings.topic_prefix,
            "WATCHKEEPER_API_PORT": str(self.api), "WATCHKEEPER_API_TOKEN": TOKEN, "WATCHKEEPER_INSTANCE": instance,
            "WATCHKEEPER_DATA_DIR": str(settings.data_dir), "WATCHKEEPER_KAFKA_SESSION_SECONDS": "3",
            "WATCHKEEPER_SQL_PORT": str(free_port()),
        }  # fmt: skip
        self.process = None

    def start(self, *, wait=True):
        """Start, and wait until it answers."""
        log = (self.settings.data_dir / f"incidents-{self.instance}.log").open("ab")
        command = [sys.executable, "-m", "streams", "worker", "incidents", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        if wait:
            wait_until(lambda: self.ask("GET", "").status_code == 200, seconds=60)
        return self

    def kill(self):
        """End it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method, path, token=TOKEN, **more):
        """Return the answer of the API, or one of status 0 where nothing answers."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            return requests.request(
                method, f"http://127.0.0.1:{self.api}/incidents{path}", headers=headers, timeout=10, **more
            )
        except requests.RequestException:
            return requests.Response()

    def command(self, *arguments):
        """Run a command of people."""
        return subprocess.run(
            [sys.executable, "-m", "streams", "incident", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def worker(kafka_settings):
    """A running worker."""
    running = Worker(kafka_settings).start()
    yield running
    if running.process.poll() is None:
        running.kill()


def send(settings, *records):
    """Publish findings and actions, each to its topic."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka)
    for record in records:
        topic = FINDINGS if hasattr(record, "finding_id") else ACTIONS
        producer.send(settings.topic(topic.name), encode(record))
    producer.close()


def transitions(settings):
    """Return everything in incidents.v1."""
    decode = decoder(Incident)
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, auto_offset_reset="earliest")
    partition = TopicPartition(settings.topic(INCIDENTS.name), 0)
    consumer.assign([partition])
    end, found = consumer.end_offsets([partition])[partition], []
    while consumer.position(partition) < end:
        for records in consumer.poll(500).values():
            found += [decode(record.value, record.timestamp * 1_000_000) for record in records]
    consumer.close()
    return found


def test_from_a_page_to_a_verified_recovery(worker):
    """A page opens an incident; people act by command and HTTP; the recovery comes from a finding alone."""
    settings = worker.settings
    send(settings, page())
    wait_until(lambda: worker.ask("GET", "").json()["incidents"])
    done = worker.command("ack", "inc-p", "--actor", "kim", "--reason", "looking")
    assert done.stdout == "inc-p is acknowledged\n", done.stderr
    answer = worker.ask(
        "POST", "/inc-p/mitigate", json={"actor": "bot", "actor_kind": "automation", "mitigation_kind": "rollback"}
    )
    assert answer.json()["status"] == "mitigated"
    send(settings, back(second=3_600))
    wait_until(lambda: worker.ask("GET", "/inc-p").json()["seconds_to"]["recovered"] == 3_600)
    assert "inc-p is closed" in worker.command("resolve", "inc-p").stdout
    shown = worker.ask("GET", "/inc-p").json()
    assert [step["step"] for step in shown["steps"]] == ["detected", "acknowledged", "mitigated", "recovered", "closed"]
    assert (shown["mitigation"], shown["possible_actions"]) == ("rollback", ["reopen", "false_positive", "note"])
    assert "inc-p" in worker.command("list").stdout
    found = transitions(settings)
    assert len({each.event_id for each in found}) == len(found) == 5
    assert {each.rule_id for each in found} == {"p"}


def test_what_is_wrong_is_refused_with_what_would_be_right(worker):
    """Tokens, unknown incidents, illegal moves, wrong bodies, the future, and the same action twice."""
    send(worker.settings, page())
    wait_until(lambda: worker.ask("GET", "").json()["incidents"])
    body = {"actor": "kim"}
    assert worker.ask("POST", "/inc-p/acknowledge", token=None, json=body).status_code == 401
    assert worker.ask("POST", "/inc-p/acknowledge", token=TOKEN[1:], json=body).status_code == 401
    assert worker.ask("GET", "/inc-none").status_code == 404
    assert worker.ask("POST", "/inc-none/close", json=body).status_code == 404
    assert "acknowledge, mitigate" in worker.ask("POST", "/inc-p/reopen", json=body).json()["detail"]
    assert worker.ask("POST", "/inc-p/dance", json=body).status_code == 422
    assert worker.ask("POST", "/inc-p/acknowledge", json={"actor": "kim", "colour": 1}).status_code == 422
    assert worker.ask("POST", "/inc-p/acknowledge", data=b"x" * 300_000).status_code == 413
    future = {**body, "happened_at_unix_nano": time.time_ns() + 10**12}
    assert "future" in worker.ask("POST", "/inc-p/acknowledge", json=future).json()["detail"]
    past = {**body, "happened_at_unix_nano": at(-5)}
    assert "not yet detected" in worker.ask("POST", "/inc-p/acknowledge", json=past).json()["detail"]
    first = worker.ask("POST", "/inc-p/acknowledge", json={**body, "action_id": "once"}).json()
    again = worker.ask("POST", "/inc-p/acknowledge", json={**body, "action_id": "once"}).json()
    assert first["steps"] == again["steps"]
    assert len(again["steps"]) == 2
    assert "no incident is called inc-none" in worker.command("ack", "inc-none").stderr
    send(worker.settings, act("close", 5, "inc-other"))
    wait_until(lambda: [each for each in transitions(worker.settings) if each.transition == "refused"])
    refused = transitions(worker.settings)[-1]
    assert (refused.incident_id, "no incident" in refused.reason) == ("inc-other", True)
    openapi = requests.get(f"http://127.0.0.1:{worker.api}/openapi.json", timeout=5).json()
    assert "/incidents/{incident_id}/{action}" in openapi["paths"]


def test_kills_and_a_second_worker_change_nothing(kafka_settings):
    """Killed again and again, with another worker taking over, the transitions are those of the fold."""
    first, second = Worker(kafka_settings).start(), Worker(kafka_settings, "2").start(wait=False)
    desk = Desk(severity_of(Policy()))
    for block in range(4):
        records = []
        for number in range(block * 60, block * 60 + 60):
            name = f"f{number}"
            records.append(page(name, 3_000 * number, service="abc"[number % 3], family=["leak", "error"][number % 2]))
            if number % 5:
                records.append(act("acknowledge", 3_000 * number + 60, f"inc-{name}"))
                records.append(back(name, 3_000 * number + 900, service="abc"[number % 3]))
        late = records.pop(3)
        send(kafka_settings, *records, late)
        desk.book.add(taken([*records, late]))
        time.sleep(0.5)
        victim = first if block % 2 == 0 else second
        victim.kill()
        victim.start(wait=False)
    expected = {record.event_id: record for record in desk.news()}
    wait_until(lambda: {record.event_id for record in transitions(kafka_settings)} >= set(expected), seconds=60)
    last = {record.event_id: record for record in transitions(kafka_settings)}
    held = {name: record for name, record in last.items() if record.transition != "retracted"}
    assert held == expected
    opened = [record.incident_id for record in held.values() if record.transition == "detected"]
    assert len(opened) == len(set(opened))
    first.kill()
    second.kill()
