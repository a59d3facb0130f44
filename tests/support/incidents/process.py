"""The incidents worker as a process of its own, and its topics."""

import os
import signal
import subprocess
import sys

import requests
from kafka import KafkaProducer

from schemas.incidents import IncidentTransition
from schemas.topics import ACTIONS, FINDINGS, INCIDENTS
from schemas.wire import encode
from streams.local.broker import free_port
from tests.faults.log import decoded
from tests.support.waiting import PATIENCE_SECONDS, wait_until

TOKEN = "t0ken-of-the-tests"  # noqa: S105


class Worker:
    """One worker process and its API."""

    def __init__(self, settings, instance="1", policy=None):
        self.settings, self.instance = settings, instance
        self.port, self.api = free_port(), free_port()
        self.environment = {
            **os.environ, "WATCHKEEPER_KAFKA": settings.kafka, "WATCHKEEPER_TOPIC_PREFIX": settings.topic_prefix,
            "WATCHKEEPER_API_PORT": str(self.api), "WATCHKEEPER_API_TOKEN": TOKEN, "WATCHKEEPER_INSTANCE": instance,
            "WATCHKEEPER_DATA_DIR": str(settings.data_dir), "WATCHKEEPER_KAFKA_SESSION_SECONDS": "3",
            "WATCHKEEPER_SQL_PORT": str(free_port()), "WATCHKEEPER_RECEIVERS_PRIVATE": settings.receivers_private,
        }  # fmt: skip
        if policy is not None:
            path = settings.data_dir / "policy.yaml"
            path.write_text(policy)
            self.environment["WATCHKEEPER_POLICY"] = str(path)
        self.process = None

    def start(self, *, wait=True):
        """Start, and wait until it answers."""
        log = (self.settings.data_dir / f"incidents-{self.instance}.log").open("ab")
        command = [sys.executable, "-m", "streams", "worker", "incidents", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        if wait:
            wait_until(lambda: self.ask("GET", "").status_code == 200)
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
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip


def send(settings, *records):
    """Publish findings and actions, each to its topic."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka)
    for record in records:
        topic = FINDINGS if hasattr(record, "finding_id") else ACTIONS
        producer.send(settings.topic(topic.name), encode(record))
    producer.close()


def transitions(settings):
    """Return everything in incidents.v1."""
    return decoded(settings, INCIDENTS, IncidentTransition)
