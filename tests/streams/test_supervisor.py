"""Children are kept running, and stopped together."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.local.jars import JarError, _check, _locked
from streams.supervisor import Child, ChildFailedError, Supervisor
from tests.streams.test_transport import wait_until

pytestmark = pytest.mark.faults


def child(tmp_path, code, name="one"):
    """Return a child that runs Python code."""
    return Child(name=name, command=[sys.executable, "-c", code], log_file=tmp_path / f"{name}.log")


def test_a_killed_child_is_started_again(tmp_path):
    """A child that was killed runs again, as another process."""
    supervisor = Supervisor([child(tmp_path, "import time; time.sleep(100)")])
    supervisor.start()
    first = supervisor._children[0].process
    first.kill()
    first.wait()
    end = time.monotonic() + 20
    while supervisor._children[0].process in (None, first) and time.monotonic() < end:
        supervisor.check()
    assert supervisor._children[0].process.poll() is None
    supervisor.stop()
    assert supervisor._children[0].process.poll() is not None


@pytest.mark.parametrize(
    ("code", "word"), [("raise SystemExit(78)", "78"), ("print('cause'); raise SystemExit(3)", "cause")]
)
def test_a_child_that_cannot_run_stops_everything(tmp_path, code, word):
    """A refusal ends the supervision at once, repeated deaths do after a few, with the last lines of the log."""
    supervisor = Supervisor([child(tmp_path, code)])
    with pytest.raises(ChildFailedError, match=word):  # noqa: PT012
        supervisor.start()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            supervisor.check()
            time.sleep(0.01)
    supervisor.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_children_die_with_a_killed_parent(tmp_path):
    """Kill -9 of the supervisor leaves no child behind."""
    pid_file = tmp_path / "pid"
    inner = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(100)"
    code = (
        "from pathlib import Path; from streams.supervisor import *; import sys\n"
        f"s = Supervisor([Child('x', [sys.executable, '-c', {inner!r}], Path({str(tmp_path)!r}) / 'log')])\n"
        "s.start(); s.run()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: pid_file.exists() and pid_file.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    pid = int(pid_file.read_text())
    wait_until(lambda: not _alive(pid))


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
