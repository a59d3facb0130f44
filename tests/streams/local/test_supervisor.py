"""Children are kept running whatever they do, and stopped together."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from streams.local import pulse
from streams.local import supervisor as policy
from streams.local.jars import JarError, _check, _locked
from streams.local.orphans import end_orphans, marked
from streams.local.page import Page, part
from streams.local.pulse import Answer
from streams.local.supervisor import Child, ChildFailedError, State, Supervisor
from tests.streams.worker.test_transport import wait_until

pytestmark = pytest.mark.faults

SLEEP = "import time; time.sleep(100)"
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent, and has /proc")


def child(tmp_path, code, name="one", **more):
    """Return a child that runs Python code."""
    return Child(name=name, command=[sys.executable, "-c", code], log_file=tmp_path / f"{name}.log", **more)


@pytest.fixture
def supervised():
    """Return a function that starts the supervision of children; all are stopped at the end."""
    made = []

    def supervised(*children, patience=60.0):
        made.append(Supervisor(children, patience))
        made[-1].begin()
        return made[-1]

    yield supervised
    for supervisor in made:
        supervisor.stop(grace_seconds=5)


def until(supervisor, condition, seconds=30):
    """Look after the children until something is true."""
    end = time.monotonic() + seconds
    while not condition():
        supervisor.check()
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_killed_child_is_started_again(tmp_path, supervised):
    """A child that was killed runs again, as another process, and is stopped with the rest."""
    one = child(tmp_path, SLEEP)
    supervisor = supervised(one)
    until(supervisor, lambda: one.state is State.RUNNING)
    first = one.process
    first.kill()
    first.wait()
    until(supervisor, lambda: one.process not in {None, first} and one.state is State.RUNNING)
    assert one.starts == 2
    supervisor.stop()
    assert one.process.poll() is not None


@pytest.mark.parametrize(
    ("code", "reason", "again"),
    [
        ("print('watchkeeper: the cause'); raise SystemExit(78)", "ended with status 78 (a setting): the cause", False),
        ("print('cause'); print('\\x1b[?25h'); raise SystemExit(3)", "ended with status 3: cause", True),
        ("raise ValueError('cause')", "ended with status 1: ValueError: cause", True),
        ("import os; os.kill(os.getpid(), 11)", "ended by SIGSEGV", True),
    ],
)
def test_a_child_that_will_not_stay_up_is_left_down_while_the_others_go_on(
    tmp_path, supervised, monkeypatch, code, reason, again
):
    """A refusal is final; repeated deaths are tried again later, once each time. The neighbour keeps its process."""
    monkeypatch.setattr(policy, "LONGEST_WAIT_SECONDS", 0.1)
    bad, good = child(tmp_path, code, "bad"), child(tmp_path, SLEEP, "good")
    supervisor = supervised(bad, good)
    until(supervisor, lambda: bad.state is State.DOWN)
    assert bad.reason == reason
    assert bad.starts == (policy.FAILURES + 1 if again else 1)
    assert (bad.start_at is not None) == again
    if again:
        bad.start_at = 0.0  # the five minutes are over
        until(supervisor, lambda: bad.starts == policy.FAILURES + 2 and bad.state is State.DOWN)
    assert good.state is State.RUNNING
    assert good.starts == 1


def test_what_a_child_needs_may_be_away_for_as_long_as_it_likes(tmp_path, supervised, monkeypatch):
    """Status 69 says that something else is away: the child is never given up."""
    monkeypatch.setattr(policy, "LONGEST_WAIT_SECONDS", 0.05)
    one = child(tmp_path, "raise SystemExit(69)")
    supervisor = supervised(one)
    until(supervisor, lambda: one.starts > policy.FAILURES + 2)
    assert one.state is not State.DOWN


def test_a_start_says_which_child_is_not_ready_and_what_it_said(tmp_path):
    """`start` returns when all are ready, and else fails with the last lines of the child."""
    supervisor = Supervisor([child(tmp_path, "print('cause'); raise SystemExit(78)", ask=lambda: None)])
    with pytest.raises(ChildFailedError, match=r"(?s)one ended with status 78.*cause"):
        supervisor.start()
    supervisor.stop()


@pytest.fixture
def hasty(monkeypatch):
    """Ask often, and wait little for an answer."""
    for name, seconds in (("PAUSE_SECONDS", 0.2), ("ASK_SECONDS", 0.3), ("SILENT_SECONDS", 0.5)):
        monkeypatch.setattr(pulse, name, seconds)


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
    until(supervisor, lambda: one.state is State.WAITING, seconds=60)
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
    until(supervisor, lambda: time.monotonic() > end or one.state is State.WAITING)
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


def test_the_problems_of_a_child_are_told_once(tmp_path, supervised):
    """What a child says of itself is told when it begins, not again when a number in it changes, and when it ends."""
    said, problems = [], []
    one = child(tmp_path, SLEEP, ask=lambda: Answer(ready=True, problems=tuple(problems)))
    supervisor = supervised(one)
    supervisor._tell = lambda child, problem, **_: said.append((child.name, problem))
    until(supervisor, lambda: one.state is State.RUNNING)
    for shown in (["90 MB are free"], ["80 MB are free"], ["80 MB are free", "no Kafka"], []):
        problems[:] = shown
        until(supervisor, lambda shown=shown: one.pulse.answer.problems == tuple(shown))
        supervisor.check()
    assert said == [("one", "90 MB are free"), ("one", "no Kafka"), ("one", "")]


def test_a_child_waits_for_what_hinders_it_and_stops_for_what_evicts_it(tmp_path, supervised):
    """It starts when the hindrance is over, is stopped in good order for an eviction, and comes back after it."""
    why = {"hindrance": "no broker", "eviction": None}
    code = f"import signal, sys; signal.signal(15, lambda *_: sys.exit(print('in good order'))); {SLEEP}"
    one = child(tmp_path, code, hindrance=lambda: why["hindrance"], eviction=lambda: why["eviction"])
    supervisor = supervised(one)
    supervisor.check()
    assert (one.state, one.reason, one.process) == (State.WAITING, "no broker", None)
    why["hindrance"] = None
    until(supervisor, lambda: one.state is State.RUNNING)
    time.sleep(1)  # until it listens to the signal
    why["eviction"] = "no room"
    until(supervisor, lambda: one.process is None)
    assert (one.state, one.reason) == (State.WAITING, "no room")
    assert "in good order" in one.log_file.read_text()
    supervisor.check()
    assert one.process is None
    why["eviction"] = None
    until(supervisor, lambda: one.state is State.RUNNING)
    assert not one.deaths


def test_all_are_stopped_at_once_and_the_deaf_one_is_killed(tmp_path, supervised):
    """Three children that ignore the signal cost one grace, not three."""
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(100)"
    children = [child(tmp_path, deaf, name) for name in "abc"]
    supervisor = supervised(*children)
    until(supervisor, lambda: all(c.log_file.exists() and "deaf" in c.log_file.read_text() for c in children))
    began = time.monotonic()
    supervisor.stop(grace_seconds=2)
    assert time.monotonic() - began < 5
    assert {c.process.returncode for c in children} == {-signal.SIGKILL}


@pytest.mark.enable_socket
def test_the_page_says_how_every_part_is(tmp_path, supervised):
    """One address tells states, reasons and problems; 503 unless all is well; a foreign host is refused."""
    bad = child(tmp_path, "raise SystemExit('watchkeeper: the cause')", "bad")
    good = child(tmp_path, SLEEP, "good", ask=lambda: Answer(ready=True, problems=tuple(problems)))
    problems = []
    supervisor = supervised(good)
    until(supervisor, lambda: good.state is State.RUNNING)
    page, shown = Page("127.0.0.1", 0, lambda: shown), [good]
    url = f"http://127.0.0.1:{page.port}/health"
    try:
        assert requests.get(url, timeout=5).json()["parts"]["good"]["state"] == "running"
        assert requests.get(url, timeout=5).status_code == 200
        problems.append("Kafka does not answer")
        wait_until(lambda: requests.get(url, timeout=5).json()["problems"] == ["good: Kafka does not answer"])
        problems.clear()
        bad.become(State.DOWN, "ended with status 1: the cause")
        shown.append(bad)
        wait_until(lambda: len(requests.get(url, timeout=5).json()["problems"]) == 1)
        answer = requests.get(url, timeout=5)
        assert answer.status_code == 503
        assert answer.json()["problems"] == ["bad is down: ended with status 1: the cause"]
        assert 'watchkeeper_part_up{part="bad"} 0.0' in requests.get(url.replace("health", "metrics"), timeout=5).text
        assert requests.get(url, timeout=5, headers={"Host": "evil.example"}).status_code == 421
    finally:
        page.stop()


@linux
def test_children_die_with_a_killed_parent(tmp_path):
    """Kill -9 of the supervisor leaves no child behind."""
    pid_file = tmp_path / "pid"
    inner = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(100)"
    code = (
        "from pathlib import Path; from streams.local.supervisor import *; import sys\n"
        f"s = Supervisor([Child('x', [sys.executable, '-c', {inner!r}], Path({str(tmp_path)!r}) / 'log')])\n"
        "s.start(); s.run()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: pid_file.exists() and pid_file.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    pid = int(pid_file.read_text())
    wait_until(lambda: not _alive(pid))


@linux
def test_what_outlives_a_killed_installation_is_ended_and_nothing_else(tmp_path):
    """A marked process of this folder is ended, one of another folder lives."""
    mine, other = tmp_path / "mine", tmp_path / "mine-too"
    running = [subprocess.Popen([sys.executable, "-c", SLEEP], env=marked(folder)) for folder in (mine, other)]
    try:
        wait_until(lambda: all(b"time.sleep" in Path(f"/proc/{p.pid}/cmdline").read_bytes() for p in running))
        assert end_orphans(mine) == [running[0].pid]
        assert running[0].wait(10) == -signal.SIGKILL
        assert running[1].poll() is None
    finally:
        for process in running:
            process.kill()
            process.wait()


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def test_a_jar_that_is_not_the_locked_one_is_refused(tmp_path):
    """A jar with another content, and a set of jars with another member, are refused by name."""
    locked = _locked()
    name = next(iter(locked))
    jars = []
    for each in locked:
        (tmp_path / each).write_bytes(b"tampered")
        jars.append(tmp_path / each)
    with pytest.raises(JarError, match=name.replace(".", r"\.")):
        _check(jars, locked)
    with pytest.raises(JarError, match="are not those"):
        _check(jars[1:], locked)
