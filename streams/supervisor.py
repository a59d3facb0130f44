"""Child processes kept running: started in order, started again when they die, stopped together."""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

import structlog

from streams.local.broker import die_with_parent

log: Final = structlog.get_logger()

FAILURES: Final = 5
FAILURE_SECONDS: Final = 60.0
FIRST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.1


class ChildFailedError(RuntimeError):
    """A child refuses to start, or dies again and again; the message ends with its last lines."""


@dataclass(slots=True)
class Child:
    """One process: its command, its environment, where its output goes, and how to tell that it is ready."""

    name: str
    command: Sequence[str]
    log_file: Path
    environment: Mapping[str, str] | None = None
    ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[float] = field(default_factory=deque)
    start_at: float = 0.0


class Supervisor:
    """Runs children until it is stopped.

    Parameters
    ----------
    children
        In the order of their start; the next one starts when the one before is ready.
    """

    def __init__(self, children: Sequence[Child]) -> None:
        self._children: Final = children
        self._stopping = False

    def start(self, timeout_seconds: float = 60.0) -> None:
        """Start all children and return when all are ready.

        Raises
        ------
        ChildFailedError
            Where one does not become ready.
        """
        for child in self._children:
            self._spawn(child)
            end = time.monotonic() + timeout_seconds
            while not child.ready():
                self.check()
                if time.monotonic() > end:
                    raise ChildFailedError(f"{child.name} was not ready in {timeout_seconds:.0f} s\n{_tail(child)}")
                time.sleep(POLL_SECONDS)

    def run(self) -> None:
        """Keep the children running until SIGINT or SIGTERM, then stop them."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        try:
            while not self._stopping:
                self.check()
                time.sleep(POLL_SECONDS)
        finally:
            self.stop()

    def _end(self, signum: int, frame: FrameType | None) -> None:
        self._stopping = True

    def check(self) -> None:
        """Start again what has died, once its wait is over.

        Raises
        ------
        ChildFailedError
            Where a child refuses to start, or has died too often.
        """
        now = time.monotonic()
        for child in self._children:
            if child.process is None:
                if child.start_at and now >= child.start_at:
                    self._spawn(child)
            elif (status := child.process.poll()) is not None:
                self._mourn(child, status, now)

    def _mourn(self, child: Child, status: int, now: float) -> None:
        child.process = None
        child.deaths.append(now)
        while child.deaths and now - child.deaths[0] > FAILURE_SECONDS:
            child.deaths.popleft()
        if status == os.EX_CONFIG or len(child.deaths) > FAILURES:
            raise ChildFailedError(f"{child.name} ended with status {status}\n{_tail(child)}")
        wait = min(FIRST_WAIT_SECONDS * 2 ** (len(child.deaths) - 1), LONGEST_WAIT_SECONDS)
        child.start_at = now + wait
        log.warning("child died and is started again", child=child.name, status=status, in_seconds=wait)

    def _spawn(self, child: Child) -> None:
        child.log_file.parent.mkdir(parents=True, exist_ok=True)
        with child.log_file.open("ab") as out:
            child.process = subprocess.Popen(
                list(child.command),
                env=dict(child.environment) if child.environment is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=die_with_parent,  # noqa: PLW1509  one call, before any thread of the child
                start_new_session=True,
            )
        child.start_at = 0.0

    def stop(self) -> None:
        """Stop all children in the reverse order: a signal, a grace, then the end."""
        for child in reversed(self._children):
            if child.process is None or child.process.poll() is not None:
                continue
            child.process.terminate()
            try:
                child.process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                log.warning("child did not stop in time and is killed", child=child.name)
                child.process.kill()
                child.process.wait()


def _tail(child: Child) -> str:
    if not child.log_file.exists():
        return ""
    return "\n".join(child.log_file.read_text(errors="replace").splitlines()[-12:])
