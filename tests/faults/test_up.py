"""A whole `watchkeeper up`, of which parts are killed, frozen and misled for real."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest

from streams.local.broker import Broker, answers
from tests.support.installation import PATIENCE
from tests.support.programs import lacking
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_what_dies_or_hangs_comes_back_and_nothing_is_lost(up, tmp_path):
    """The broker killed, a worker frozen, the supervisor killed: each time all is back, every event is stored."""
    running = up(tmp_path / "data")
    running.runs()
    running.send(0, 100)
    wait_until(lambda: running.stored() == 100)
    frozen = running.part("watch")["pid"]
    os.kill(frozen, signal.SIGSTOP)
    os.kill(running.part("broker")["pid"], signal.SIGKILL)
    wait_until(lambda: not running.health()["healthy"])
    running.runs("broker")
    running.send(100, 200)
    wait_until(lambda: running.stored() == 200)
    wait_until(lambda: running.part("watch")["pid"] not in {None, frozen})
    running.runs()
    said = running.log.read_text()
    assert "ended by SIGKILL" in said
    assert "was killed: it does not answer" in said
    running.process.kill()
    running.process.wait()
    wait_until(lambda: not answers(running.settings.kafka))
    running.start()
    running.runs()
    running.send(200, 300)
    wait_until(lambda: running.stored() == 300)
    assert "kafka." not in running.log.read_text(), "no line of a client library"
    status, seconds = running.stop()
    assert status == 0
    assert seconds < 60


@pytest.fixture
def own_broker(tmp_path):
    """A broker that this test alone may freeze."""
    running = Broker(tmp_path / "another")
    running.start()
    yield running
    running._process.send_signal(signal.SIGCONT)
    running.stop()


def test_a_part_that_will_not_run_is_left_down_and_a_broker_that_is_away_is_told(up, tmp_path, own_broker):
    """With a policy that incidents alone refuses, the rest runs. While Kafka is frozen nobody is ready, or killed.

    Kafka is named in the environment, so none is started here.
    """
    policy = tmp_path / "policy.yaml"
    policy.write_text("controls: [{name: a, when: {family: leak}, do: pause}]\n")
    running = up(tmp_path / "data", WATCHKEEPER_KAFKA=own_broker.address, WATCHKEEPER_POLICY=policy)
    running.runs("history", "watch", "detect")
    wait_until(lambda: running.part("incidents")["state"] == "down")
    assert "there is no key: set WATCHKEEPER_CONTROL_KEY" in running.part("incidents")["reason"]
    assert "broker" not in running.health()["parts"]
    wait_until(lambda: "watchkeeper is up, and incidents stays down" in running.log.read_text())
    workers = ("history", "watch", "detect")
    pids = {name: running.part(name)["pid"] for name in workers}
    own_broker._process.send_signal(signal.SIGSTOP)
    for name in workers:
        wait_until(lambda name=name: running.worker(name, "ready")[0] == 503)
        status, body = running.worker(name)
        assert status == 503
        assert any("Kafka does not answer" in problem for problem in body["problems"])
        assert not body["stalled"]
    wait_until(lambda: any("watch: Kafka does not answer" in problem for problem in running.health()["problems"]))
    time.sleep(PATIENCE)
    own_broker._process.send_signal(signal.SIGCONT)
    for name in workers:
        wait_until(lambda name=name: running.worker(name, "ready")[0] == 200)
    assert {name: running.part(name)["pid"] for name in workers} == pids


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 100 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        lacking("this machine lets no test mount a disk of its own")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder, megabytes_left):
    """Fill a disk with one file until no more than this is free."""
    path = folder / "filler"
    with path.open("ab", buffering=0) as out, contextlib.suppress(OSError):
        while shutil.disk_usage(folder).free > megabytes_left * 1_000_000:
            out.write(bytes(1_000_000))
    return path


def test_a_full_disk_stops_writing_before_it_is_full_and_all_goes_on_when_there_is_room(up, small_disk):
    """Under the floor history waits; under half of it the broker is stopped in good order; nothing is lost."""
    running = up(small_disk / "data", WATCHKEEPER_DISK_FLOOR_MB=40)
    running.runs()
    running.send(0, 100)
    wait_until(lambda: running.stored() == 100)
    fill(small_disk, 30)
    wait_until(lambda: running.worker("history", "ready")[0] == 503)
    running.send(100, 200)
    wait_until(lambda: running.worker("history")[1]["lag"] >= 100)
    time.sleep(3)
    assert running.stored() == 100
    assert any("nearly full: " in problem for problem in running.health()["problems"])
    filler = fill(small_disk, 10)
    wait_until(lambda: running.part("broker").get("state") == "waiting")
    assert "nearly full" in running.part("broker")["reason"]
    assert "is started again" not in running.log.read_text()
    filler.unlink()
    running.runs()
    wait_until(lambda: running.stored() == 200)
    filler = fill(small_disk, 0)  # at once, before anyone can look
    wait_until(lambda: running.part("broker").get("state") == "waiting")
    wait_until(lambda: "Kafka does not answer" in str(running.worker("watch")[1]["problems"]))  # and can't log it
    filler.unlink()
    running.runs()
    wait_until(lambda: running.health()["healthy"])
    running.send(200, 300)
    wait_until(lambda: running.stored() == 300)
    assert running.stop()[0] == 0
