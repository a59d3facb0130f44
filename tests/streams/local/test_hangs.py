"""A child that hangs is told from one that works or waits for others."""

import itertools
import os
import signal
import time
from types import SimpleNamespace

import pytest
import requests

from streams.local import pulse
from streams.local.page import part
from streams.local.pulse import Answer
from streams.local.supervisor import State
from tests.support.children import SLEEP, child, linux, until
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

ANSWERING = """
import http.server, threading, time
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'{}')
    def log_message(self, *_): pass
server = http.server.HTTPServer(('127.0.0.1', 0), Page)
open(%r, 'w').write(str(server.server_address[1]))
"""


def asking(path):
    """Return what asks a child at the port that it has written down."""

    def ask():
        try:
            return Answer(requests.get(f"http://127.0.0.1:{path.read_text()}/", timeout=0.3).ok)
        except (OSError, ValueError):
            return None

    return ask


@pytest.mark.parametrize(
    ("after", "frozen"),
    [("server.serve_forever()", True), ("server.handle_request(); server.handle_request(); time.sleep(100)", False)],
)
def test_a_child_that_hangs_is_killed_and_started_again(tmp_path, supervised, hasty, after, frozen):
    """Frozen or dead-locked, it does not answer: it is killed, the reason is kept, and another takes its place."""
    path = tmp_path / "port"
    one = child(tmp_path, ANSWERING % str(path) + after, ask=asking(path))
    supervisor = supervised(one, patience=2.0)
    until(supervisor, lambda: one.state is State.RUNNING)
    first = one.process
    if frozen:
        first.send_signal(signal.SIGSTOP)
        until(supervisor, lambda: "it does not answer" in part(one)["problems"])
    until(supervisor, lambda: one.state is State.WAITING)
    assert first.returncode == -signal.SIGKILL
    assert "was killed: it does not answer" in one.reason
    until(supervisor, lambda: one.state is State.RUNNING)
    assert one.process is not first


@linux
def test_a_child_that_is_at_work_is_given_ten_times_as_long(tmp_path, supervised, hasty):
    """A loop of work answers nothing for twice the patience and lives; for ever it may not."""
    path = tmp_path / "port"
    work = "server.handle_request()\nwhile True: pass"
    one = child(tmp_path, ANSWERING % str(path) + work, ask=asking(path))
    supervisor = supervised(one, patience=1.0)
    until(supervisor, lambda: one.state is State.RUNNING)
    began = time.monotonic()
    until(supervisor, lambda: one.state is State.WAITING)
    assert time.monotonic() - began > 4
    assert "was killed: it does not answer" in one.reason


@pytest.mark.parametrize(("stalled", "state"), [(True, State.WAITING), (False, State.RUNNING)])
def test_a_child_that_says_it_stalls_is_started_again_and_one_that_waits_for_others_is_not(
    tmp_path, supervised, hasty, stalled, state
):
    """Not well for want of Kafka or the store, it is left alone; restarting it helps nobody."""
    one = child(tmp_path, SLEEP, ask=lambda: Answer(ready=True, stalled=stalled, problems=("the store is away",)))
    supervisor = supervised(one, patience=1.0)
    until(supervisor, lambda: one.state is State.RUNNING)
    end = time.monotonic() + 4
    until(supervisor, lambda: one.state is State.WAITING if stalled else time.monotonic() > end)
    assert one.state is state


def test_another_process_at_the_port_of_a_child_does_not_pass_for_it(tmp_path, supervised, hasty):
    """An answer in another's name is none: the child is not ready by it."""
    one = child(tmp_path, SLEEP, ask=lambda: Answer(ready=True, pid=os.getpid()))
    supervisor = supervised(one)
    end = time.monotonic() + 2
    until(supervisor, lambda: time.monotonic() > end)
    assert one.state is State.STARTING


def test_a_frozen_supervisor_holds_nothing_against_its_children(tmp_path, supervised, hasty):
    """A question that took an hour by the clock counts as one that was not answered, not as an hour."""
    one = child(tmp_path, SLEEP, ask=lambda: Answer(ready=True))
    supervisor = supervised(one, patience=5.0)
    until(supervisor, lambda: one.state is State.RUNNING)
    now = time.monotonic
    with pytest.MonkeyPatch.context() as patch:
        jumps = itertools.count(0.0, 3600.0)
        patch.setattr(pulse, "time", SimpleNamespace(monotonic=lambda: now() + next(jumps)))
        one.pulse._ask = lambda: None
        wait_until(lambda: one.pulse._silent > 0)
        one.pulse._ask = lambda: Answer(ready=True)
    assert one.pulse.dead(5.0) is None
