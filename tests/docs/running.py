"""The examples as processes, as a reader would start them."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def _command(name, arguments):
    return [sys.executable, str(EXAMPLES / name), *map(str, arguments)]


def environment(more):
    """Return what an example is started with."""
    return os.environ | {"PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"} | more


def run(name, *arguments, **more):
    """Run an example to its end, and return what it printed."""
    done = subprocess.run(
        _command(name, arguments), capture_output=True, text=True, env=environment(more), timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@contextmanager
def started(name, *arguments, **more):
    """Start an example that runs until it is stopped, and yield the process with its output."""
    process = subprocess.Popen(_command(name, arguments), stdout=subprocess.PIPE, text=True, env=environment(more))
    try:
        yield process
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
