"""Workers of every kind, several of each, that come, go, freeze and are cut off."""

import os
import signal
import subprocess
import sys
import time

from streams.local.broker import die_with_parent, free_port

KINDS = ("history", "watch", "detect", "incidents")
MOST = 4
"""Workers of a kind at the same time."""


def doors():
    """Return a name for the way of each worker to the brokers."""
    return [f"{kind.upper()}{number}" for kind in KINDS for number in range(MOST)]


class Worker:
    """One worker, started again when it dies, as its supervisor would."""

    def __init__(self, kind, number, environment, folder, prefix=()):
        self._prefix = list(prefix)
        self.kind, self.number, self.door = kind, number, f"{kind.upper()}{number}"
        self._folder = folder / self.door
        self._environment = environment
        self.process, self.frozen = None, False
        self.deaths = 0

    def start(self):
        """Start it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        given = {"INSTANCE": str(self.number), "DATA_DIR": str(self._folder), "PORT": str(free_port()),
                 "API_PORT": str(free_port()), "SQL_PORT": str(free_port())} | self._environment  # fmt: skip
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self._prefix, sys.executable, "-m", "streams", "worker", self.kind], stdout=log, stderr=log,
                env={**os.environ, **{f"WATCHKEEPER_{name}": value for name, value in given.items()}},
                preexec_fn=die_with_parent,  # noqa: PLW1509
                start_new_session=True,
            )  # fmt: skip
        self.frozen = False

    def signal(self, number):
        """Send a signal where it lives."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def end(self, number):
        """End it with a signal, however long its goodbye takes."""
        self.signal(number)
        self.signal(signal.SIGCONT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def words(self):
        """Return the end of its log."""
        return (self._folder / "log").read_text(errors="replace")[-1500:]


class Fleet:
    """All workers that are wanted now."""

    def __init__(self, cluster, environment, folder, hosts):
        self._cluster, self._environment, self._folder, self._hosts = cluster, environment, folder, hosts
        self.workers = []

    def of(self, kind):
        """Return the workers of a kind."""
        return [worker for worker in self.workers if worker.kind == kind]

    def join(self, kind):
        """Start one more worker of a kind, where there is room."""
        taken = {worker.number for worker in self.of(kind)}
        free = [number for number in range(MOST) if number not in taken]
        if not free:
            return False
        environment = self._environment | {"KAFKA": self._cluster.address(f"{kind.upper()}{free[0]}")}
        worker = Worker(kind, free[0], environment, self._folder, self._hosts.prefix(free[0]))
        worker.start()
        self.workers.append(worker)
        return True

    def leave(self, worker, number=signal.SIGTERM):
        """Take a worker away for good; one of its kind stays."""
        if len(self.of(worker.kind)) == 1:
            return False
        self.workers.remove(worker)
        worker.end(number)
        return True

    def roll(self):
        """Start every worker anew, one after another, as an upgrade does."""
        for worker in self.workers:
            if not worker.frozen:
                worker.end(signal.SIGTERM)
                worker.start()
        return True

    def tend(self):
        """Start again what has died by itself."""
        for worker in self.workers:
            if not worker.frozen and worker.process.poll() is not None:
                worker.deaths += 1
                assert worker.deaths < 60, worker.words()
                worker.start()

    def stop(self):
        """End all of them, in good order."""
        for worker in self.workers:
            self._cluster.relays.mend(worker.door)
            worker.signal(signal.SIGCONT)
            worker.signal(signal.SIGTERM)
        end = time.monotonic() + 60
        for worker in self.workers:
            try:
                worker.process.wait(max(end - time.monotonic(), 1))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
