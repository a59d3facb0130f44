"""Notices that are lost, late, doubled or in the wrong order: a real Alertmanager and the incidents worker.

Alerts are given to Alertmanager as Prometheus gives them. What Alertmanager itself drops is not brought back: an
episode that begins and ends while nobody takes its notices was never told, and no clock of an incident rests on it.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from schemas.incidents import IncidentAction
from schemas.topics import ACTIONS
from tests.faults.log import decoded
from tests.real.alerting.config import alertmanager_config
from tests.real.alerting.servers import Alertmanager
from tests.streams.api.test_alerts import notice
from tests.support.incidents.entries import page
from tests.support.incidents.process import TOKEN, Worker, send, transitions
from tests.support.waiting import wait_until

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
def worker(kafka_settings):
    """A worker that is not started."""
    made = Worker(kafka_settings)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def notices(settings):
    """Return the status of each notice in the log that is about the incident."""
    said = decoded(settings, ACTIONS, IncidentAction)
    return [each.labels["alert_status"] for each in said if each.action == "notify" if each.incident_id == "inc-p"]


def tell(worker, status):
    """Tell a worker of an alert without an Alertmanager, and return its answer."""
    address, bearer = f"http://127.0.0.1:{worker.api}/alerts", {"Authorization": f"Bearer {TOKEN}"}
    return requests.post(address, notice(status, incident_id="inc-p"), headers=bearer, timeout=60).json()


def steps(worker):
    """Return the steps of the incident; none before the worker knows it."""
    answer = worker.ask("GET", "/inc-p")
    return [each["step"] for each in answer.json()["steps"]] if answer.status_code == 200 else []


def test_a_receiver_that_was_away_is_told_of_each_beginning_and_end_once(worker, manager):
    """Alertmanager tries again while the worker is not there and while it starts; then there is one notice of each."""
    settings, alertmanager, began = worker.settings, manager(worker), time.time()
    send(settings, page())
    alertmanager.post(began, began + HOUR, **ABOUT)
    wait_until(lambda: alertmanager.failed() >= 2)
    worker.start(wait=False)
    wait_until(lambda: steps(worker) == ["detected", "notified"])
    wait_until(alertmanager.answered)
    worker.kill()
    failed = alertmanager.failed()
    alertmanager.post(began, time.time(), **ABOUT)
    wait_until(lambda: alertmanager.failed() >= failed + 2)
    worker.start(wait=False)
    wait_until(lambda: steps(worker) == ["detected", "notified", "notified"])
    assert notices(settings) == ["firing", "resolved"]


def test_a_standby_that_says_not_now_is_asked_until_it_takes_over(worker, manager):
    """While another worker holds the incidents a standby answers 503 and takes no notice; none is lost by that."""
    holder = Worker(worker.settings, "0")  # the first by name keeps what it holds when another one joins
    for each in (holder, worker):  # a busy machine shall not take the incidents from the one that holds them
        each.environment["WATCHKEEPER_KAFKA_SESSION_SECONDS"] = "20"
    holder.start()
    send(worker.settings, page())
    wait_until(lambda: steps(holder))
    worker.start(wait=False)
    wait_until(lambda: worker.ask("GET", "").status_code == 503)
    alertmanager, began = manager(worker), time.time()
    alertmanager.post(began, began + HOUR, **ABOUT)
    wait_until(lambda: alertmanager.failed() >= 2)
    assert worker.ask("GET", "").status_code == 503
    holder.kill()
    wait_until(lambda: steps(worker) == ["detected", "notified"])
    assert notices(worker.settings) == ["firing"]


def test_what_many_tell_at_once_and_again_is_told_once(worker, manager):
    """Of two Alertmanagers, one that forgot, and eight requests of one moment, each episode has one notice of each."""
    worker.start()
    send(worker.settings, page())
    wait_until(lambda: steps(worker))
    both, began = [manager(worker), manager(worker)], time.time()
    for each in both:
        each.post(began, began + HOUR, **ABOUT)
    wait_until(lambda: all(each.tried() for each in both))
    both[1].stop()
    both[1] = manager(worker)
    both[1].post(began, began + HOUR, **ABOUT)
    wait_until(both[1].tried)
    end = time.time()
    for each in both:
        each.post(began, end, **ABOUT)
    wait_until(lambda: all(each.tried() >= 2 for each in both))
    assert sum(each.failed() for each in both) == 0
    assert notices(worker.settings) == ["firing", "resolved"]
    with ThreadPoolExecutor(8) as crowd:
        answers = [*crowd.map(lambda _: tell(worker, "firing"), range(8))]
    assert sum(each["new"] for each in answers) == 1
    assert notices(worker.settings) == ["firing", "resolved", "firing"]


def test_late_lost_and_swapped_notices_change_no_clock(worker, manager):
    """An alert about nothing, an end before its beginning, an end that never comes, and one after the close."""
    settings = worker.start().settings
    alertmanager, began = manager(worker), time.time()
    alertmanager.post(began, began + HOUR, alertname="LeakHigh", service="z", family="leak")
    wait_until(lambda: [each for each in transitions(settings) if each.transition == "refused"])
    send(settings, page())
    wait_until(lambda: steps(worker))
    clocks = worker.ask("POST", "/inc-p/acknowledge", json={"actor": "kim"}).json()["seconds_to"]
    assert clocks["acknowledged"] < HOUR  # of the stream, which the alert of today did not move
    assert [tell(worker, status)["new"] for status in ("resolved", "firing")] == [1, 1]
    alertmanager.post(began, fresh := time.time() + 1, **ABOUT)
    wait_until(lambda: steps(worker).count("notified") == 3)
    alertmanager.stop()
    again = manager(worker)
    wait_until(lambda: time.time() > fresh)
    again.post(fresh, fresh + HOUR, **ABOUT)
    wait_until(lambda: steps(worker).count("notified") == 4)
    assert notices(settings) == ["resolved", "firing", "firing", "firing"]
    assert worker.ask("POST", "/inc-p/close", json={"actor": "kim"}).ok
    again.post(fresh, time.time(), **ABOUT)
    wait_until(lambda: steps(worker) == ["detected", "acknowledged", *["notified"] * 4, "closed", "notified"])
    after = worker.ask("GET", "/inc-p").json()["seconds_to"]
    assert (after["acknowledged"], after["recovered"]) == (clocks["acknowledged"], None)
