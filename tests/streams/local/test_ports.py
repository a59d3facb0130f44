"""Ports can be moved together, and one that is taken is named with who holds it, before anything starts."""

import os
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.local.ports import check_ports, free, free_base_port, free_port, holder
from streams.settings import PORTS_OF_ONE, WORKER_PORTS, SettingsError, load
from tests.support.waiting import PATIENCE_SECONDS


def ports_of(settings):
    """Return every port of an installation."""
    workers = [settings.worker_port(name) for name in WORKER_PORTS]
    after = [settings.sql_port, settings.api_port, settings.up_port, settings.otlp_port]
    return [settings.broker_port, *workers, *after]


@given(base=st.integers(1, 65535 - PORTS_OF_ONE), more=st.integers(0, 40_000))
def test_one_base_port_moves_everything(base, more):
    """The ports of an installation follow its base without a gap, so another one PORTS_OF_ONE further is beside it."""
    settings = load(base_port=base)
    assert ports_of(settings) == list(range(base, base + PORTS_OF_ONE))
    assert settings.kafka == f"127.0.0.1:{base}"
    assert "kafka" not in settings.model_fields_set


def test_what_is_named_for_itself_wins(monkeypatch):
    """A single port and an address of Kafka stay where they were put; without a base all have their defaults."""
    monkeypatch.setenv("WATCHKEEPER_BASE_PORT", "7000")
    monkeypatch.setenv("WATCHKEEPER_SQL_PORT", "9999")
    settings = load(kafka="elsewhere:9092")
    assert (settings.sql_port, settings.api_port, settings.kafka) == (9999, 7007, "elsewhere:9092")
    monkeypatch.delenv("WATCHKEEPER_BASE_PORT")
    monkeypatch.delenv("WATCHKEEPER_SQL_PORT")
    assert ports_of(load()) == [9092, 6066, 6067, 6068, 6069, 6070, 8123, 8130, 6065, 4318]


@pytest.fixture
def taken():
    """A port that another process listens at, and that process."""
    code = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 0));"
        "print(s.getsockname()[1], flush=True); time.sleep(100)  # streams worker"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    yield int(process.stdout.readline()), process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.enable_socket
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who listens")
def test_a_taken_port_is_named_with_its_holder(taken):
    """The message has port, purpose, process and command, of all that are taken at once, and what moves them."""
    port, process = taken
    assert holder(port).pid == process.pid
    with socket.create_server(("127.0.0.1", 0)) as own:
        mine = own.getsockname()[1]
        with pytest.raises(SettingsError) as refused:
            check_ports({"Kafka": ("127.0.0.1", port), "SQL": ("127.0.0.1", mine)}, "use --base-port")
    message = str(refused.value)
    assert f"port {port} for Kafka is taken by process {process.pid}: {sys.executable} -c" in message
    assert f"port {mine} for SQL is taken by process {os.getpid()}" in message
    assert "another watchkeeper?" in message
    assert "use --base-port" in message
    assert holder(free_base_port()) is None


@pytest.mark.enable_socket
def test_no_connection_is_given_a_port_of_ours():
    """What is free for a server, alone or as one of many, lies below what Linux and macOS give to connections."""
    assert {free_port() < 32_768, free_base_port() + PORTS_OF_ONE <= 32_768} == {True}


@pytest.mark.enable_socket
def test_up_refuses_a_taken_port_at_once(taken, tmp_path):
    """Before anything is started: status 78, the holder's process, and no folder of a broker."""
    port, process = taken
    done = subprocess.run(
        [sys.executable, "-m", "streams", "up", "--data-dir", str(tmp_path), "--base-port", str(free_base_port())],
        env={**os.environ, "WATCHKEEPER_SQL_PORT": str(port)}, capture_output=True, text=True, check=False,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == os.EX_CONFIG
    assert f"port {port} for SQL is taken by " in done.stderr
    assert str(process.pid) in done.stderr
    assert "--base-port" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "kafka").exists()


@pytest.mark.enable_socket
def test_a_free_base_has_all_its_ports_free():
    """From the base on every port can be bound."""
    base = free_base_port()
    assert all(free("127.0.0.1", base + step) for step in range(PORTS_OF_ONE))


@pytest.mark.enable_socket
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system may give it again")
def test_a_free_port_is_given_once_and_then_to_who_asks_for_it():
    """No two that look for a port get the same, whoever is quicker; a server that names it gets it."""
    given = [free_port() for _ in range(300)]
    assert len(set(given)) == 300
    with pytest.raises(OSError, match="in use"):
        free_port(given[0])
    for port in given:
        socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize(
    ("given", "store"),
    [
        ({}, "chdb://data/clickhouse"),
        ({"data_dir": "/else/where"}, "chdb:///else/where/clickhouse"),
        ({"data_dir": "/else/where", "clickhouse": "http://reader@store:8123"}, "http://reader@store:8123"),
    ],
)
def test_the_store_is_in_the_data_folder_unless_it_is_named(given, store, monkeypatch):
    """However the folder is given: by an argument of a command or by its variable."""
    assert load(**given).clickhouse == store
    for name, value in given.items():
        monkeypatch.setenv(f"WATCHKEEPER_{name.upper()}", value)
    assert load().clickhouse == store
