"""Broker and workers of one machine under one supervisor."""

import os
import sys
from pathlib import Path
from typing import Final

import requests
import structlog

from streams.kafka_admin import create_topics
from streams.local.broker import Broker
from streams.settings import WORKER_PORTS, Settings
from streams.supervisor import Child, Supervisor

log: Final = structlog.get_logger()


class Installation:
    """A whole Watchkeeper on this machine.

    Parameters
    ----------
    settings
        Of the workers; their Kafka is the local broker unless `kafka` names another.
    """

    def __init__(self, settings: Settings, kafka: str | None = None, broker_port: int = 9092) -> None:
        self._broker = None if kafka else Broker(settings.data_dir / "kafka", broker_port)
        address = kafka or (self._broker.address if self._broker else "")
        self.settings: Final = settings.model_copy(update={"kafka": address})
        self.supervisor: Final = Supervisor([self._worker(name, port) for name, port in WORKER_PORTS.items()])

    def _worker(self, name: str, port: int) -> Child:
        settings = self.settings
        environment = {
            **os.environ,
            "WATCHKEEPER_KAFKA": settings.kafka,
            "WATCHKEEPER_CLICKHOUSE": settings.clickhouse,
            "WATCHKEEPER_DATA_DIR": str(settings.data_dir),
            "WATCHKEEPER_PORT": str(port),
            "WATCHKEEPER_SQL_PORT": str(settings.sql_port),
            "WATCHKEEPER_API_PORT": str(settings.api_port),
            "WATCHKEEPER_TOPIC_PREFIX": settings.topic_prefix,
        }
        return Child(
            name=name,
            command=[sys.executable, "-m", "streams", "worker", name],
            log_file=settings.data_dir / "logs" / f"{name}.log",
            environment=environment,
            ready=lambda: _ready(settings.host, port),
        )

    def start(self) -> None:
        """Start the broker, create what topics are missing, start the workers, and return when all are ready."""
        if self._broker is not None:
            self._broker.start(lambda text: sys.stderr.write(f"{text}\n"))
        create_topics(self.settings)
        self.supervisor.start()

    def stop(self) -> None:
        """Stop the workers, then the broker; what was sent and stored stays."""
        self.supervisor.stop()
        if self._broker is not None:
            self._broker.stop()


def _ready(host: str, port: int) -> bool:
    try:
        return requests.get(f"http://{host}:{port}/ready", timeout=1).ok
    except requests.RequestException:
        return False


def run_up(settings: Settings, kafka: str | None) -> None:
    """Run everything until Ctrl-C."""
    installation = Installation(settings, kafka)
    try:
        installation.start()
        log.info(
            "watchkeeper is up",
            kafka=installation.settings.kafka,
            api=f"http://{settings.host}:{settings.api_port}/",
            sql=f"http://{settings.host}:{settings.sql_port}/",
            logs=str(Path(settings.data_dir) / "logs"),
        )
        installation.supervisor.run()
    finally:
        installation.stop()
