"""Notices that are lost, late, doubled or in the wrong order: a real Alertmanager and the incidents worker.

Alerts are given to Alertmanager as Prometheus gives them. What Alertmanager itself drops is not brought back: an
episode that begins and ends while nobody takes its notices was never told, and no clock of an incident rests on it.
"""

import time

import pytest
import requests

from schemas.actions import IncidentAction
from schemas.topics import ACTIONS
from tests.chain.config import alertmanager_config
from tests.chain.servers import Alertmanager
from tests.streams.incidents.entries import page
from tests.streams.incidents.process import TOKEN, Worker, everything, send, transitions
from tests.streams.incidents.test_alerts import notice
from tests.streams.test_transport import wait_until

pytestmark = pytest.mark.faults

HOUR = 3_600
ABOUT = {"alertname": "LeakHigh", "service": "a", "incident_id": "inc-p"}


@pytest.fixture
def manager(tmp_path):
    """Return what starts an Alertmanager that tells a worker and remembers nothing."""
    token, running = tmp_path / "token", []
    token.write_text(TOKEN)

    def start(worker):
        config = alertmanager_config(f"http://127.0.0.1:{worker.api}/alerts", token)
        running.append(Alertmanager(tmp_path / f"alertmanager-{len(running)}", config))
        running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def workers(kafka_settings):
    """Two workers that are not started; of two that run, one holds the incidents."""
    both = Worker(kafka_settings), Worker(kafka_settings, "2")
    yield both
    for each in both:
        if each.process is not None and each.process.poll() is None:
            each.kill()


def notices(settings, incident="inc-p"):
    """Return the status of each notice in the log that is about an incident."""
    said = everything(settings, ACTIONS, IncidentAction)
    return [each.labels["alert_status"] for each in said if each.action == "notify" if each.incident_id == incident]


def steps(worker):
    """Return the steps of the incident."""
    return [each["step"] for each in worker.ask("GET", "/inc-p").json()["steps"]]


def opened(worker):
    """Tell whether the worker knows the incident."""
    return worker.ask("GET", "/inc-p").status_code == 200


def test_a_receiver_that_was_away_is_told_of_each_beginning_and_end_once(workers, manager):
    """Alertmanager tries again while the API answers 503 or not at all; later there is one notice of each."""
    holder, other = workers
    settings = holder.start().settings
    alertmanager, began = manager(other), time.time()
    alertmanager.post(began, began + HOUR, **ABOUT)
    wait_until(lambda: alertmanager.failed() >= 2)
    other.start(wait=False)
    send(settings, page())
    wait_until(lambda: opened(holder) and other.ask("GET", "").status_code == 503)
    failed = alertmanager.failed()
    wait_until(lambda: alertmanager.failed() > failed)
    assert notices(settings) == []
    holder.kill()
    wait_until(lambda: opened(other) and steps(other) == ["detected", "notified"])
    alertmanager.post(began, time.time(), **ABOUT)
    wait_until(lambda: steps(other) == ["detected", "notified", "notified"])
    assert notices(settings) == ["firing", "resolved"]


def test_the_same_from_two_alertmanagers_and_from_one_that_forgot_is_told_once(workers, manager):
    """However many tell of an episode, the incident has one step for its beginning and one for its end."""
    worker = workers[0].start()
    send(worker.settings, page())
    wait_until(lambda: opened(worker))
    both, began = [manager(worker), manager(worker)], time.time()
    for each in both:
        each.post(began, began + HOUR, **ABOUT)
    wait_until(lambda: all(each.tried() for each in both))
    wait_until(lambda: steps(worker) == ["detected", "notified"])
    both[1].stop()
    both[1] = manager(worker)
    for end in (began + HOUR, time.time()):
        before = [each.tried() for each in both]
        for each in both:
            each.post(began, end, **ABOUT)
        wait_until(lambda before=before: both[1].tried() > before[1])
    wait_until(lambda: both[0].tried() >= 2)
    wait_until(lambda: steps(worker) == ["detected", "notified", "notified"])
    assert set(notices(worker.settings)) == {"firing", "resolved"}
    assert len([each for each in transitions(worker.settings) if each.transition == "notified"]) == 2
    assert sum(each.failed() for each in both) == 0


def test_late_lost_and_swapped_notices_change_no_clock(workers, manager):
    """An alert about nothing, an end before its beginning, an end that never comes, and one after the close."""
    worker = workers[0].start()
    settings = worker.settings
    alertmanager, began = manager(worker), time.time()
    alertmanager.post(began, began + HOUR, alertname="LeakHigh", service="z", family="leak")
    wait_until(lambda: [each for each in transitions(settings) if each.transition == "refused"])
    send(settings, page())
    wait_until(lambda: opened(worker))
    clocks = worker.ask("POST", "/inc-p/acknowledge", json={"actor": "kim"}).json()["seconds_to"]
    assert clocks["acknowledged"] < HOUR  # of the stream, which the alert of today did not move
    for status in ("resolved", "firing"):
        body = notice(status, incident_id="inc-p")
        address, bearer = f"http://127.0.0.1:{worker.api}/alerts", {"Authorization": f"Bearer {TOKEN}"}
        assert requests.post(address, body, headers=bearer, timeout=5).json() == {"alerts": 1, "new": 1}
    alertmanager.post(began, fresh := time.time() + 1, **ABOUT)
    wait_until(lambda: notices(settings) == ["resolved", "firing", "firing"])
    alertmanager.stop()
    again = manager(worker)
    wait_until(lambda: time.time() > fresh)
    again.post(fresh, fresh + HOUR, **ABOUT)
    wait_until(lambda: notices(settings) == ["resolved", "firing", "firing", "firing"])
    wait_until(lambda: steps(worker).count("notified") == 4)
    assert worker.ask("POST", "/inc-p/close", json={"actor": "kim"}).ok
    again.post(fresh, time.time(), **ABOUT)
    wait_until(lambda: steps(worker) == ["detected", "acknowledged", *["notified"] * 4, "closed", "notified"])
    after = worker.ask("GET", "/inc-p").json()["seconds_to"]
    assert after["acknowledged"] == clocks["acknowledged"]
    assert after["recovered"] is None
