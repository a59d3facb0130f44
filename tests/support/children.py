"""Children that run Python code, and how they are looked after."""

import sys
import time

import pytest

from streams.local.supervisor import Child
from tests.support.waiting import PATIENCE_SECONDS

SLEEP = "import time; time.sleep(100)"

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent, and has /proc")


def child(tmp_path, code, name="one", **more):
    """Return a child that runs Python code."""
    return Child(name=name, command=[sys.executable, "-c", code], log_file=tmp_path / f"{name}.log", **more)


def until(supervisor, condition, seconds=PATIENCE_SECONDS):
    """Look after the children until something is true."""
    end = time.monotonic() + seconds
    while not condition():
        supervisor.check()
        assert time.monotonic() < end
        time.sleep(0.02)
