"""Broker and workers of one machine, kept running."""

import fcntl
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import structlog

from streams.health.disk import Floor
from streams.health.problems import PROBLEMS
from streams.kafka.topics import KafkaUnavailableError, create_topics
from streams.local.broker import Broker, answers
from streams.local.orphans import end_orphans, marked
from streams.local.page import Page
from streams.local.ports import check_ports
from streams.local.pulse import Answer, ask_worker
from streams.local.supervisor import Child, Ending, State, Step, Supervisor, await_all, log_step
from streams.settings import WORKER_PORTS, Settings, SettingsError
from streams.tls.asking import address

log: Final = structlog.get_logger()

DEAD_BROKER_GRACE_SECONDS: Final = 5.0  # workers that can't commit any more have nothing to wait for
POLL_SECONDS: Final = 0.1
RECEIVED_BY: Final = "normalise"
"""The worker that reads what the receiver takes in; an installation without it needs no receiver."""


class Installation:
    """A whole Watchkeeper on this machine.

    Parameters
    ----------
    settings
        Of the workers; their Kafka is the local broker unless `kafka` names another.
    broker_port
        Of the local broker; that of the settings if None.
    say
        Told of each step of the start, and of what is back.
    """

    def __init__(
        self,
        settings: Settings,
        kafka: str | None = None,
        broker_port: int | None = None,
        say: Step = log_step,
    ) -> None:
        self._say: Final = say
        folder = settings.data_dir
        self._broker = None
        if kafka is None:
            port = settings.broker_port if broker_port is None else broker_port
            self._broker = Broker(folder / "kafka", port, environment=marked(folder))
        address = kafka or (self._broker.address if self._broker else "")
        self.settings: Final = settings.model_copy(update={"kafka": address})
        self._ports: Final = (
            {name: settings.worker_port(name) for name in WORKER_PORTS} if settings.base_port else dict(WORKER_PORTS)
        )
        self._floor: Final = Floor(folder / "kafka", settings.disk_floor_mb)
        self._guard: IO[str] | None = None
        self._topics_due = False
        self.broker_supervisor: Final = Supervisor(broker_children(self._broker, settings), settings.hang_seconds, say)
        workers = [self._child(name, ["worker", name], port) for name, port in self._ports.items()]
        if RECEIVED_BY in self._ports:
            workers.append(self._child("receiver", ["receiver"], settings.otlp_port))
        self.supervisor: Final = Supervisor(workers, settings.hang_seconds, say)

    def children(self) -> Iterable[Child]:
        """Return broker and workers."""
        return (*self.broker_supervisor.children, *self.supervisor.children)

    def _child(self, name: str, command: list[str], port: int) -> Child:
        return Child(
            name=name,
            command=[sys.executable, "-m", "streams", *command],
            log_file=self.settings.data_dir / "logs" / f"{name}.log",
            environment=marked(self.settings.data_dir) | _environment(self.settings, port),
            ask=lambda: ask_worker(self.settings, port),
            hindrance=self._hindrance,
        )

    def _hindrance(self) -> str | None:
        for child in self.broker_supervisor.children:
            if child.state is not State.RUNNING or child.problems():
                return f"the {child.name} does not answer"
        return None

    def open(self, also: dict[str, int] | None = None) -> None:
        """Take the folder, end what a killed installation has left there, and look whether the ports are free.

        Parameters
        ----------
        also
            More ports that are needed.

        Raises
        ------
        SettingsError
            Where the folder is held by another, or ports are taken, with who holds them.
        """
        settings = self.settings
        self._guard = self._guard or _take(settings.data_dir)
        if left := end_orphans(settings.data_dir):
            log.warning("ended what a killed installation had left", processes=left)
        check_ports(self._needed() | {name: (settings.host, port) for name, port in (also or {}).items()}, REMEDY)
        if self._broker is not None:
            self._broker.prepare(log.info)

    def _needed(self) -> dict[str, tuple[str, int]]:
        """Return what must be free before anything is started."""
        settings, ports = self.settings, dict(self._ports)
        if settings.clickhouse.startswith("chdb://"):
            ports["SQL"] = settings.sql_port
        if "incidents" in self._ports:
            ports["API"] = settings.api_port
        if RECEIVED_BY in self._ports:
            ports["OTLP"] = settings.otlp_port
        broker = {} if self._broker is None else {"Kafka": ("127.0.0.1", self._broker.port)}
        return broker | {name: (settings.host, port) for name, port in ports.items()}

    def start(self, timeout_seconds: float = 240.0) -> None:
        """Start the broker, create what topics are missing, start the workers, and return when all are ready.

        Raises
        ------
        SettingsError
            As `open`.
        ChildFailedError
            Where one of them will not stay up, or is not ready in time.
        """
        self.open()
        self.begin()
        await_all(list(self.children()), self.check, timeout_seconds)

    def begin(self) -> None:
        """Have all of it started by `check`, in due order."""
        self._topics_due = True
        self.broker_supervisor.begin()

    def check(self) -> None:
        """Look after everything once.

        Raises
        ------
        KafkaUnavailableError
            Where another's Kafka does not answer at the start.
        """
        self._look_at_disk()
        self.broker_supervisor.check()
        if self._topics_due and self._hindrance() is None:
            self._create_topics()
        self.supervisor.check()

    def _look_at_disk(self) -> None:
        reason = self._floor.short() if self._broker is not None else None
        if reason is None:
            PROBLEMS.over("disk")
        else:
            PROBLEMS.note("disk", reason)

    def _create_topics(self) -> None:
        began = time.monotonic()
        try:
            created = create_topics(self.settings)
        except KafkaUnavailableError:
            if self._broker is None:
                raise
            return  # it has just died; the next look tells
        self._topics_due = False
        self._say("topics", f"{len(created)} created" if created else "all there", time.monotonic() - began)
        self.supervisor.begin()

    def stop(self) -> None:
        """Stop the workers, then the broker; what was sent and stored stays."""
        if self._hindrance() is None:
            self.supervisor.stop()
        else:
            self.supervisor.stop(DEAD_BROKER_GRACE_SECONDS)
        self.broker_supervisor.stop()
        if self._broker is not None:
            self._broker.stop()
        if self._guard is not None:
            self._guard.close()
            self._guard = None


REMEDY: Final = "move all ports with `watchkeeper up --base-port PORT` or WATCHKEEPER_BASE_PORT"


def broker_children(broker: Broker | None, settings: Settings) -> list[Child]:
    """Return the broker as a child, stopped while its disk has half of the floor."""
    if broker is None:
        return []
    floor = Floor(broker.data_dir, settings.disk_floor_mb / 2, settings.disk_floor_mb)
    child = Child(
        name="broker",
        command=[],
        log_file=broker.log_file,
        launch=broker.launch,
        ask=lambda: Answer(ready=True) if answers(broker.address) else None,
        eviction=floor.short,
    )
    return [child]


def _environment(settings: Settings, port: int) -> dict[str, str]:
    """Return what was set here, as a worker reads it; secrets travel with the environment or in their files."""
    names = settings.model_fields_set | {"sql_port", "api_port", "otlp_port", "clickhouse", "data_dir"}
    asked = f"{settings.heartbeat_asks},{address(settings, settings.otlp_port)}/health".strip(",")
    return settings.environment(names) | {"WATCHKEEPER_PORT": str(port), "WATCHKEEPER_HEARTBEAT_ASKS": asked}


def _take(folder: Path) -> IO[str]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        guard = (folder / ".up.lock").open("w")
    except OSError as error:
        raise SettingsError(f"{folder} can't be written: {error.strerror}") from None
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        guard.close()
        raise SettingsError(f"another installation runs in {folder}; stop it, or take another --data-dir") from None
    return guard


def run_up(settings: Settings) -> None:
    """Run everything until SIGINT or SIGTERM.

    Raises
    ------
    SettingsError
        Where the folder or a port is taken.
    KafkaUnavailableError
        Where another's Kafka is to be used and does not answer.
    """
    installation = Installation(settings, settings.kafka if "kafka" in settings.model_fields_set else None)
    installation.open({"supervisor": settings.up_port})
    page = Page(settings, settings.up_port, installation.children)
    with Ending() as ending, _stopped(installation, page):
        installation.begin()
        told = False
        while not ending.asked:
            installation.check()
            if not told and all(child.state in {State.RUNNING, State.DOWN} for child in installation.children()):
                told = True
                _say_where(installation)
            time.sleep(POLL_SECONDS)


@contextmanager
def _stopped(installation: Installation, page: Page) -> Iterator[None]:
    try:
        yield
    finally:
        installation.stop()
        page.stop()


def _say_where(installation: Installation) -> None:
    settings = installation.settings
    down = ", ".join(child.name for child in installation.children() if child.state is State.DOWN)
    log.info(
        "watchkeeper is up" if not down else f"watchkeeper is up, and {down} stays down; its log says why",
        kafka=settings.kafka,
        api=f"{address(settings, settings.api_port)}/",
        sql=f"{address(settings, settings.sql_port)}/",
        otlp=address(settings, settings.otlp_port),
        health=f"{address(settings, settings.up_port)}/health",
        logs=str(settings.data_dir / "logs"),
    )


def run_broker(settings: Settings, port: int) -> None:
    """Run a broker alone, kept running until SIGINT or SIGTERM.

    Raises
    ------
    BrokerError, SettingsError
        Where the folder or the port is taken.
    """
    broker = Broker(settings.data_dir / "kafka", port)
    broker.prepare(log.info)
    check_ports({"Kafka": ("127.0.0.1", port)}, "take another --port")
    supervisor = Supervisor(broker_children(broker, settings), settings.hang_seconds)
    try:
        supervisor.begin()
        supervisor.run()
    finally:
        broker.stop()
