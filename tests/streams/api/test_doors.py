"""Bad input at the HTTP API of a running incidents worker: refused with what is wrong, counted, nothing lost."""

import json
import re
import socket

import pytest
import requests

from streams.kafka.topics import create_topics
from streams.settings import load
from tests.streams.api.test_alerts import notice
from tests.support.incidents.entries import page
from tests.support.incidents.process import TOKEN, Worker, send
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

BEARER = {"Authorization": f"Bearer {TOKEN}"}
GREAT = 10_000_000


def in_pieces():
    """Yield a great body without saying how great it is."""
    for _ in range(GREAT // 50_000):
        yield b" " * 50_000


@pytest.fixture(scope="module")
def worker(broker, tmp_path_factory):
    """A running worker with one open incident."""
    settings = load(kafka=broker, topic_prefix="doors.", data_dir=tmp_path_factory.mktemp("doors"))
    create_topics(settings)
    running = Worker(settings).start()
    send(running.settings, page())
    wait_until(lambda: running.ask("GET", "").json()["incidents"])
    yield running
    running.kill()


def tell(worker, body, headers=BEARER):
    """Return the answer to a notice."""
    return requests.post(
        f"http://127.0.0.1:{worker.api}/alerts",
        body,
        headers=headers | {"Content-Type": "application/json"},
        timeout=20,
    )


def turned_away(worker, door="api"):
    """Return how many requests were refused, by code."""
    text = requests.get(f"http://127.0.0.1:{worker.port}/metrics", timeout=60).text
    found = re.findall(rf'^watchkeeper_turned_away_total{{code="(\d+)",door="{door}"}} (\S+)', text, re.MULTILINE)
    return {int(code): float(value) for code, value in found}


WRONG = {
    "no secret": (notice(), {}, 401, "a token is needed"),
    "a wrong secret": (notice(), {"Authorization": f"Bearer {TOKEN}x"}, 401, "a token is needed"),
    "a secret of another alphabet": (notice(), {"Authorization": "Bearer \xe4\xff".encode("latin-1")}, 401, "token"),
    "another scheme": (notice(), {"Authorization": "Basic eDp5"}, 401, "a token is needed"),
    "10 MB": (b" " * GREAT, BEARER, 413, "a body has at most 2097152 bytes"),
    "10 MB in pieces": (in_pieces, BEARER, 413, "a body has at most 2097152 bytes"),
    "10 MB without a secret": (b" " * GREAT, {}, 401, "a token is needed"),
    "no JSON": (b'{"alerts": [', BEARER, 422, "no notice of Grafana or Alertmanager"),
    "bad UTF-8": (b'{"alerts": [{"status": "\xff"}]}', BEARER, 422, "alert 0: "),
    "nesting without an end": (b'{"x": ' + b"[" * 1_000_000, BEARER, 422, "no notice"),
    "no object": (b"[]", BEARER, 422, "no notice"),
    "alerts that are no list": (b'{"alerts": {}}', BEARER, 422, "no notice"),
    "501 alerts": (json.dumps({"alerts": [{}] * 501}).encode(), BEARER, 422, "set max_alerts to at most 500"),
    "a label of 1 MB in a wrong alert": (notice(x="y" * 1_000_000, z="\x00", alertname="\x00"), BEARER, 422, "alert 0"),
}


@pytest.mark.parametrize(("body", "headers", "status", "why"), WRONG.values(), ids=WRONG)
def test_a_wrong_notice_is_refused_and_counted(worker, body, headers, status, why):
    """Each has its status and says what is wrong, moves that status's counter by one, and stops nobody after it."""
    before = turned_away(worker).get(status, 0)
    answer = tell(worker, body() if callable(body) else body, headers)
    assert (answer.status_code, why in answer.json()["detail"]) == (status, True), answer.text[:500]
    assert turned_away(worker)[status] == before + 1
    assert worker.ask("GET", "").status_code == 200


def test_a_wrong_alert_among_good_ones_is_counted_and_the_good_ones_count(worker):
    """The sender hears which was refused; those around it become steps of the incident, once, however often told."""
    whole = json.loads(notice(incident_id="inc-p"))
    good = whole["alerts"][0]
    whole["alerts"] = [good | {"fingerprint": "one"}, {"status": "firing"}, good | {"fingerprint": "two"}]
    before = turned_away(worker, "alert").get(422, 0)
    first, again = (tell(worker, json.dumps(whole)).json() for _ in range(2))
    assert (first["alerts"], first["new"], again["new"]) == (2, 2, 0)
    assert [why.partition(":")[0] for why in first["refused"]] == ["alert 1"]
    assert turned_away(worker, "alert")[422] == before + 2
    assert [step["step"] for step in worker.ask("GET", "/inc-p").json()["steps"]] == [
        "detected",
        "notified",
        "notified",
    ]


def test_a_client_that_breaks_off_or_lies_about_lengths_stops_nobody(worker):
    """Half a body, a wrong length and what is no HTTP leave the worker as it was."""
    for rest in (b"Content-Length: 500\r\n\r\n{", b"Content-Length: many\r\n\r\n{}", b"\x00\xff\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", worker.api), timeout=60) as connection:
            connection.sendall(b"POST /alerts HTTP/1.1\r\nHost: x\r\n" + rest)
    assert worker.ask("GET", "").status_code == 200
