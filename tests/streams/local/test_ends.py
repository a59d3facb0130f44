"""Children are stopped together, and none outlives its supervisor."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.local.orphans import end_orphans, marked
from tests.support.children import SLEEP, child, linux, until
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.faults


def test_all_are_stopped_at_once_and_the_deaf_one_is_killed(tmp_path, supervised):
    """Three children that ignore the signal cost one grace, not three."""
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(100)"
    children = [child(tmp_path, deaf, name) for name in "abc"]
    supervisor = supervised(*children)
    until(supervisor, lambda: all(c.log_file.exists() and "deaf" in c.log_file.read_text() for c in children))
    began = time.monotonic()
    supervisor.stop(grace_seconds=4)
    assert time.monotonic() - began < 3 * 4
    assert {c.process.returncode for c in children} == {-signal.SIGKILL}


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
        assert running[0].wait(PATIENCE_SECONDS) == -signal.SIGKILL
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
