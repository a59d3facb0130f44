"""A log that can't be written breaks nobody."""

import subprocess
import sys
from pathlib import Path

import pytest

LOGGING = """
import logging, structlog
from streams.health.logs import configure_logs
from streams.health.problems import PROBLEMS
from streams.settings import load

configure_logs(load(log_format=FORMAT))
for number in range(2000):
    structlog.get_logger().warning("written", number=number)
    logging.getLogger("other").error("written %s", number)
PROBLEMS.note("kafka", "away")
PROBLEMS.over("kafka")
print("went on")
"""


def went_on(stderr, form):
    """Return what a process says after it has logged to a stream."""
    code = LOGGING.replace("FORMAT", repr(form))
    return subprocess.run(
        [sys.executable, "-c", code], check=False, stdout=subprocess.PIPE, stderr=stderr, text=True
    ).stdout


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_full_disk_under_the_log_stops_nothing(form):
    """Each write fails as on a full disk; who logs goes on, and the problem is noted and over."""
    with Path("/dev/full").open("w") as full:
        assert went_on(full, form) == "went on\n"


def test_a_reader_of_the_log_that_is_gone_stops_nothing():
    """The log goes into a pipe whose reader has ended."""
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reader.wait()
    assert went_on(reader.stdin, "json") == "went on\n"


def test_lines_are_written_whole(tmp_path):
    """What can be written stands there, a line each."""
    path = tmp_path / "log"
    with path.open("w") as log:
        went_on(log, "json")
    assert sum('"written"' in line for line in path.read_text().splitlines()) == 2000
