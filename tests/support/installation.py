"""A whole `watchkeeper up` as a process."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import requests

from schemas.emitter import Emitter
from streams.local.ports import free_base_port
from streams.settings import load, variable
from streams.store.ask import ask_rows
from streams.tls.asking import address, ask
from tests.streams.test_workers import inference
from tests.support.waiting import PATIENCE_SECONDS, wait_until

PATIENCE = 15


class Up:
    """A running `watchkeeper up`; parts are reached through its page; `tls` are its settings of that."""

    def __init__(self, log, folder, tls=None, **environment):
        self.base = free_base_port()
        self.folder, self.log = folder, log
        store = f"chdb://{folder}/clickhouse"
        self.settings = load(base_port=self.base, data_dir=folder, clickhouse=store, **(tls or {}))
        self._environment = environment | {variable(name): value for name, value in (tls or {}).items()}
        self.start()

    def start(self):
        """Start it."""
        given = {"WATCHKEEPER_HANG_SECONDS": PATIENCE, "WATCHKEEPER_BASE_PORT": self.base}
        given |= {"WATCHKEEPER_KAFKA_SESSION_SECONDS": 3} | self._environment
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams", "up", "--data-dir", str(self.folder)],
                env=os.environ | {name: str(value) for name, value in given.items()}, stdout=out, stderr=out,
            )  # fmt: skip

    def ask(self, port, page):
        """Return the answer to a question at one of its ports."""
        return ask(self.settings, "GET", f"{address(self.settings, port)}/{page}", timeout=60)

    def health(self):
        """Return what the page says."""
        return self.ask(self.settings.up_port, "health").json()

    def part(self, name):
        """Return how a part is; empty while the page does not answer."""
        with contextlib.suppress(requests.RequestException):
            return self.health()["parts"].get(name, {})
        return {}

    def worker(self, name, page="health"):
        """Return the status and body of a worker's page."""
        answer = self.ask(self.settings.worker_port(name), page)
        return answer.status_code, answer.json()

    def runs(self, *names, seconds=180):
        """Wait until parts run, all of them if none is named."""
        names = names or ("broker", "history", "watch", "detect", "incidents", "normalise", "receiver")
        wait_until(lambda: all(self.part(name).get("state") == "running" for name in names), seconds=seconds)

    def stored(self):
        """Return how many events the store holds; -1 where it does not answer."""
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            return int(ask_rows(self.settings, "SELECT count() AS n FROM inferences")[0]["n"])
        return -1

    def send(self, first, last):
        """Send events of these numbers."""
        with Emitter.to_kafka(self.settings.kafka, source="t") as emitter:
            for number in range(first, last):
                emitter.emit(inference(number))

    def stop(self):
        """Tell it to stop, and return its status and how long that took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS), time.monotonic() - began
