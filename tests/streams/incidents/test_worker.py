"""The incidents worker as a process: its API, its commands, kills, two workers, and bad input."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest
import requests
from msgspec.structs import replace

from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.severity import severity_of
from streams.policy.policy import Policy
from tests.streams.api.test_alerts import notice
from tests.support.incidents.entries import act, at, back, page, taken
from tests.support.incidents.process import TOKEN, Worker, send, transitions
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults


@pytest.fixture
def worker(kafka_settings):
    """A running worker."""
    running = Worker(kafka_settings).start()
    yield running
    if running.process.poll() is None:
        running.kill()


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
    assert (shown["mitigation"], shown["possible_actions"]) == (
        "rollback",
        ["reopen", "false_positive", "note", "notify", "report", "waive", "correct"],
    )
    assert "inc-p" in worker.command("list").stdout
    told = worker.command("show", "inc-p").stdout
    assert "leak incident on a: closed" in told
    page_file = settings.data_dir / "incident.html"
    assert "wrote" in worker.command("show", "inc-p", "--html", str(page_file)).stdout
    assert "looking" in page_file.read_text()
    assert json.loads(worker.command("show", "inc-p", "--json").stdout)["mitigation"] == "rollback"
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
    assert worker.ask("POST", "/inc-p/acknowledge", data=b"x" * 3_000_000).status_code == 413
    future = {**body, "happened_at_unix_nano": time.time_ns() + 10**12}
    assert "future" in worker.ask("POST", "/inc-p/acknowledge", json=future).json()["detail"]
    past = {**body, "happened_at_unix_nano": at(-5)}
    assert "not yet detected" in worker.ask("POST", "/inc-p/acknowledge", json=past).json()["detail"]
    first = worker.ask("POST", "/inc-p/acknowledge", json={**body, "action_id": "once"}).json()
    again = worker.ask("POST", "/inc-p/acknowledge", json={**body, "action_id": "once"}).json()
    assert first["steps"] == again["steps"]
    assert len(again["steps"]) == 2
    for action, said in (("note", body), ("acknowledge", {"actor": "ann"}), ("acknowledge", body | {"reason": "b"})):
        other = worker.ask("POST", f"/inc-p/{action}", json={**said, "action_id": "once"})
        assert (other.status_code, "was used for acknowledge on inc-p" in other.json()["detail"]) == (409, True)
    assert "no incident is called inc-none" in worker.command("ack", "inc-none").stderr
    send(worker.settings, act("close", 5, "inc-other"))
    wait_until(lambda: [each for each in transitions(worker.settings) if each.transition == "refused"])
    refused = transitions(worker.settings)[-1]
    assert (refused.incident_id, "no incident" in refused.reason) == ("inc-other", True)
    alerts = f"http://127.0.0.1:{worker.api}/alerts"
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.post(alerts, notice(incident_id="inc-p"), timeout=60).status_code == 401
    assert requests.post(alerts, b"{}", headers=bearer, timeout=60).status_code == 422
    answers = []
    for _ in range(2):
        answers.append(requests.post(alerts, notice(incident_id="inc-p"), headers=bearer, timeout=60).json())
        wait_until(lambda: [each for each in transitions(worker.settings) if each.transition == "notified"])
    assert [answer["new"] for answer in answers] == [1, 0]
    openapi = requests.get(f"http://127.0.0.1:{worker.api}/openapi.json", timeout=60).json()
    assert "/incidents/{incident_id}/{action}" in openapi["paths"]


def test_kills_and_a_second_worker_change_nothing(kafka_settings):
    """Killed again and again, with another worker taking over, the transitions are those of the fold."""
    first, second = Worker(kafka_settings).start(), Worker(kafka_settings, "2").start(wait=False)
    incident_log = IncidentLog(severity_of(Policy()))
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
        incident_log.folding.add(taken([*records, late]))
        time.sleep(0.5)
        victim = first if block % 2 == 0 else second
        victim.kill()
        victim.start(wait=False)
    expected = {record.event_id: record for record in incident_log.news()}
    wait_until(lambda: {record.event_id for record in transitions(kafka_settings)} >= set(expected))
    last = {record.event_id: record for record in transitions(kafka_settings)}
    held = {name: record for name, record in last.items() if record.transition != "retracted"}
    assert held == expected
    opened = [record.incident_id for record in held.values() if record.transition == "detected"]
    assert len(opened) == len(set(opened))
    first.kill()
    second.kill()


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is told, by delivery."""

    got: ClassVar = {}

    def do_POST(self):
        """Take a notification."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.got.setdefault(self.headers["webhook-id"], body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *given):
        """Say nothing."""


def test_receivers_are_told_and_nobody_answering_is_escalated(kafka_settings):
    """A page of now reaches a receiver; unacknowledged it is escalated; a restart tells nothing again."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    policy = f"""
receivers: [{{name: chat, kind: webhook, url: 'http://127.0.0.1:{server.server_port}/'}}]
response: {{acknowledge_within_minutes: {{sev2: 0.03}}}}
"""
    running = Worker(kafka_settings, policy=policy).start()
    now = time.time_ns()
    found = page("n", 0)
    send(kafka_settings, replace(found, detected_time_unix_nano=now, onset_time_unix_nano=now - 60 * 10**9))
    wait_until(lambda: len(Receiver.got) >= 2)
    told = [record.transition for record in transitions(kafka_settings)]
    assert told[:2] == ["detected", "escalated"]
    bodies = json.dumps([*Receiver.got.values()])
    assert "inc-n" in bodies
    assert "escalated" in bodies
    running.ask("POST", "/inc-n/acknowledge", json={"actor": "kim"})
    wait_until(lambda: len(Receiver.got) == len(transitions(kafka_settings)))
    before = len(Receiver.got)
    running.kill()
    running.start()
    time.sleep(3)
    assert len(Receiver.got) == before == len(transitions(kafka_settings))
    running.kill()
    server.shutdown()
