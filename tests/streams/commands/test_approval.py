"""Two people at their terminals and a running worker: asked for, agreed, carried out; or done alone, and paged."""

import json
from http.server import ThreadingHTTPServer
from threading import Thread

import pytest
import requests
from typer.testing import CliRunner

from schemas.changes import Change
from schemas.controls import Control
from schemas.topics import CHANGES, CONTROLS
from streams.access.principals import create, tokens_file
from streams.commands.main import app
from tests.faults.log import decoded
from tests.streams.incidents.test_worker import Receiver
from tests.support.incidents.process import Worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

POLICY = """
two_persons: [lift_kill_switch, publish_policy]
receivers: [{{name: chat, kind: webhook, url: 'http://127.0.0.1:{port}/'}}]
"""
STOP, RESUME = (
    ("control", "kill-switch", "shop", "--reason", "leaks"),
    ("control", "resume", "shop", "--reason", "fixed"),
)


class Terminals:
    """People at their terminals, each with a token of their own."""

    def __init__(self, worker):
        self.worker = worker
        file = tokens_file(worker.settings)
        self.tokens = {name: create(file, name, ("admin",), 86_400) for name in ("kim", "ann")}

    def say(self, who, *command):
        """Return what a command says."""
        environment = self.worker.environment | {"WATCHKEEPER_API_TOKEN": self.tokens[who]}
        done = CliRunner().invoke(app, command, env=environment)
        return done.output if done.exception is None else f"{done.output}{done.exception}"

    def stop(self):
        """Have a service asked to stop, and wait until the worker has read that."""
        self.say("kim", *STOP)
        topic = self.worker.settings.topic(CONTROLS.name)
        held = len(decoded(self.worker.settings, CONTROLS, Control))
        wait_until(lambda: f'watchkeeper_records_total{{topic="{topic}"}} {held}.0' in self.metrics())

    def metrics(self):
        """Return what Prometheus is told."""
        return requests.get(f"http://127.0.0.1:{self.worker.port}/metrics", timeout=60).text

    def waiting(self):
        """Return the id of what waits for another person."""
        [found] = self.say("ann", "approval", "list", "--json").splitlines()
        return json.loads(found)["request_id"]

    def state(self, request_id):
        """Return what became of a request."""
        return json.loads(self.say("ann", "approval", "show", request_id))["state"]


@pytest.fixture
def people(kafka_settings):
    """Two people, a worker that takes two for some acts, and somebody who is told of incidents."""
    Receiver.got.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    running = Worker(kafka_settings, policy=POLICY.format(port=server.server_port))
    running.environment["WATCHKEEPER_CONTROL_KEY"] = "key"
    running.start()
    yield Terminals(running)
    running.kill()
    server.shutdown()


def test_two_lift_a_kill_switch_and_one_is_paged_to_all(people):
    """The command asks, the other agrees or is told of it; a restart of the worker does nothing twice."""
    settings = people.worker.settings
    people.stop()
    assert "nothing is done yet" in people.say("kim", *RESUME)
    asked = people.waiting()
    assert "another person has to agree" in people.say("kim", "approval", "approve", asked)
    assert "approved by ann: lift the kill switch of shop" in people.say("ann", "approval", "approve", asked)
    wait_until(lambda: people.state(asked) == "carried_out")
    people.stop()
    assert "nothing is done yet" in people.say("kim", *RESUME)
    alone = people.waiting()
    why = ("--reason", "customers can't reach emergency services")
    assert "5 words or more" in people.say("kim", "approval", "break-glass", alone, "--reason", "no time")
    assert "broken glass by kim" in people.say("kim", "approval", "break-glass", alone, *why)
    wait_until(lambda: people.state(alone) == "carried_out")
    wait_until(lambda: any("broken_glass" in json.dumps(body) for body in Receiver.got.values()))
    people.worker.kill()
    people.worker.start()
    wait_until(lambda: people.state(alone) == "carried_out")
    held = [each for each in decoded(settings, CONTROLS, Control) if each.control == "resume"]
    assert len({each.event_id for each in held}) == len(held) >= 2
    assert people.state(asked) == "carried_out"


def test_a_policy_is_published_by_two(people, tmp_path):
    """What differs, who, why and from when on is a change once another agrees; to record it alone is refused."""
    old, new = people.worker.settings.data_dir / "policy.yaml", tmp_path / "new.yaml"
    new.write_text(old.read_text() + "budget: {pages_per_day: 2}\n")
    assert "wants two persons" in people.say("kim", "policy", "record", str(new), "--from", str(old), "--reason", "r")
    given = ("--from", str(old), "--reason", "too many nights", "--effective-from", "2026-03-02T09:00:00+01:00")
    assert "nothing is done yet" in people.say("kim", "policy", "publish", str(new), *given)
    asked = people.waiting()
    people.say("ann", "approval", "approve", asked)
    wait_until(lambda: people.state(asked) == "carried_out")
    [made] = decoded(people.worker.settings, CHANGES, Change)
    assert (made.initiator_id, made.approver_ids, made.labels) == ("kim", ["ann"], {
        "effective_from": "2026-03-02T09:00:00+01:00", "budget.pages_per_day": "1.0 → 2.0",
    })  # fmt: skip
