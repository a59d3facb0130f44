"""What client libraries log of connections is heard when it lasts."""

import logging
import os
import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest

from streams.health import noise
from streams.health.noise import EVERY_SECONDS, LASTS_SECONDS, PAUSE_SECONDS, Lasting
from streams.local.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def heard(monkeypatch):
    """Return a function that tells whether a message is heard at a time."""
    lasting, now = Lasting(), [0.0]
    monkeypatch.setattr(noise, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def heard(at, name="kafka.net.manager", level=logging.WARNING, text="Bootstrap not ready", error=None):
        now[0] = at
        return lasting.filter(logging.LogRecord(name, level, "", 0, text, (), error))

    return heard


def test_a_short_trouble_is_not_heard_and_a_long_one_now_and_then(heard):
    """Nothing at first; once it has lasted, one line in a while; after a calm it is a new one."""
    times = [0.5 * step for step in range(100)]
    said = [at for at in times if heard(at)]
    assert said[0] == LASTS_SECONDS
    assert all(after - before >= EVERY_SECONDS for before, after in pairwise(said))
    assert len(said) == (times[-1] - LASTS_SECONDS) // EVERY_SECONDS + 1
    assert not heard(times[-1] + PAUSE_SECONDS)


@pytest.mark.parametrize(
    ("name", "level", "text", "error"),
    [
        ("streams.local.up", logging.WARNING, "Bootstrap not ready", None),
        ("faust.agents", logging.ERROR, "the agent crashed", None),
        ("aiokafka.conn", logging.CRITICAL, "connection lost", None),
        ("mode.supervisors", logging.ERROR, "connection lost", (ValueError, ValueError("x"), None)),
    ],
)
def test_what_is_no_trouble_of_connections_is_heard_at_once(heard, name, level, text, error):
    """Our own words, other errors and everything with a traceback are never held back."""
    assert heard(0.0, name, level, text, error)


@pytest.mark.enable_socket
def test_a_command_without_a_broker_says_one_line(tmp_path):
    """At a closed port: our sentence with what to do, no line of a client library, whichever command it is.

    History has its store open then, and says where that is asked before it ends.
    """
    import subprocess

    events = tmp_path / "events.jsonl"
    events.write_text("")
    commands = {"topics create": 1, f"replay {events}": 1, "tail": 1, "dead-letters list": 1, "worker history": 2}
    environment = {**os.environ, "WATCHKEEPER_SQL_PORT": str(free_port())}
    begun = [
        (lines, subprocess.Popen([sys.executable, "-m", "streams", *command.split(), "--kafka", "127.0.0.1:1"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment))
        for command, lines in commands.items()
    ]  # fmt: skip
    for lines, command in begun:
        _, said = command.communicate(timeout=PATIENCE_SECONDS)
        assert command.returncode == 69
        assert len(said.splitlines()) == lines
        assert "no Kafka broker answers at 127.0.0.1:1" in said
