"""Somebody outside learns that the monitor is blind, dead or cut off, over ports that all speak TLS."""

import os
import signal
import time

import pytest
import requests

from streams.access.principals import create, tokens_file
from streams.api.client import fetch
from streams.local.broker import answers
from streams.settings import WORKER_PORTS
from streams.tls.asking import address, ask
from tests.support.authority import Authority
from tests.support.hook import Hook
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

SECONDS = 1
MUTUAL = "api,health,otlp,sql"


class Outside(Hook):
    """Who hears of us."""

    def next(self, path):
        """Wait until something is said at a path that was not said yet, and return its reasons."""
        before = len(self.said)
        wait_until(lambda: any(each == path for each, *_ in self.said[before:]))
        return next(body["problems"] for each, _, body in self.said[before:] if each == path)


@pytest.fixture
def outside():
    """Somebody who hears."""
    running = Outside()
    yield running
    running.stop()


@pytest.fixture
def running(up, outside, tmp_path):
    """An installation whose ports all speak TLS and ask for a certificate, with a heartbeat."""
    authority = Authority(tmp_path / "tls")
    certificate, key = authority.signed("us")
    tls = {"tls_cert": certificate, "tls_key": key, "tls_ca": authority.file, "tls_client_ca": authority.file}
    heart = {"URL": f"{outside.url}/ping/us", "SECONDS": SECONDS, "LATE_SECONDS": 5 * SECONDS}
    given = {f"WATCHKEEPER_HEARTBEAT_{name}": value for name, value in heart.items()}
    made = up(tmp_path / "data", tls | {"tls_client_ports": MUTUAL}, WATCHKEEPER_HANG_SECONDS=600, **given)
    made.runs()
    return made


def test_the_heartbeat_says_what_does_not_move_and_ends_with_us(running, outside):
    """Well, blind with a frozen worker, well again, without its receiver, and silent when all was killed."""
    assert outside.next("/ping/us") == []
    every_port_wants_a_certificate(running)
    running.send(0, 20)
    wait_until(lambda: running.stored() == 20)
    frozen = running.part("watch")["pid"]
    os.kill(frozen, signal.SIGSTOP)
    [why] = outside.next("/ping/us/fail")
    assert why.startswith("no watch worker runs, for ")
    os.kill(frozen, signal.SIGCONT)
    assert outside.next("/ping/us") == []
    deaf = running.part("receiver")["pid"]
    os.kill(deaf, signal.SIGSTOP)
    [why] = outside.next("/ping/us/fail")
    assert why.startswith(f"{address(running.settings, running.settings.otlp_port)}/health is not well, for ")
    os.kill(deaf, signal.SIGCONT)
    assert outside.next("/ping/us") == []
    running.process.kill()
    running.process.wait()
    wait_until(lambda: not answers(running.settings.kafka))
    said = len(outside.said)
    time.sleep(5 * SECONDS)
    assert len(outside.said) <= said + 1  # one may have been on its way


def every_port_wants_a_certificate(running):
    """Our own clients are answered at every port; who shows no certificate, or speaks no TLS, is not."""
    settings = running.settings
    create(tokens_file(settings), "kim", ("viewer",), 3600)
    assert b"[" in fetch(settings, "GET", "/incidents")
    stranger = settings.model_copy(update={"tls_cert": None, "tls_key": None})
    ports = [settings.api_port, settings.sql_port, settings.otlp_port, settings.up_port]
    for port in (*ports, *map(settings.worker_port, WORKER_PORTS)):
        with pytest.raises(requests.RequestException):
            ask(stranger, "GET", f"https://127.0.0.1:{port}/health", timeout=60)
        with pytest.raises(requests.RequestException):
            requests.get(f"http://127.0.0.1:{port}/health", timeout=60)
    console = ask(settings, "GET", f"{address(settings, settings.api_port)}/console/sign-in", timeout=60)
    assert "secure" in console.headers["Set-Cookie"].lower().split("; ")
