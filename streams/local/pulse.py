"""Whether a process that runs is alive: it answers, it moves, or it is at work.

What counts is the time of questions without an answer, not the time by a clock: a supervisor that was itself
frozen, with its machine or alone, holds nothing against anyone. A process that does not answer because it computes
(or waits for a processor) is given ten times as long as one that does nothing.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from streams.settings import Settings
from streams.tls.asking import address, ask

ASK_SECONDS: Final = 3.0
"""How long an answer may take."""
PAUSE_SECONDS: Final = 1.0
FIRST_PAUSE_SECONDS: Final = 0.2
SILENT_SECONDS: Final = 10.0
"""After how long without an answer that is worth a word."""
BUSY_SHARE: Final = 0.5
BUSY_TIMES: Final = 10
STARTING_TIMES: Final = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process says of itself."""

    ready: bool
    stalled: bool = False
    problems: tuple[str, ...] = ()
    pid: int | None = None
    """Who says it; another process may answer at the port of one that has died."""


def ask_worker(settings: Settings, port: int) -> Answer | None:
    """Return what a worker says of itself; None where it does not answer."""
    try:
        body = ask(settings, "GET", f"{address(settings, port)}/health", timeout=ASK_SECONDS).json()
        return Answer(bool(body["ready"]), bool(body["stalled"]), tuple(body["problems"]), int(body["pid"]))
    except (requests.RequestException, ValueError, KeyError):
        return None


class Pulse:
    """Asks a process again and again how it is, in a thread of its own."""

    def __init__(self, name: str, ask: Callable[[], Answer | None]) -> None:
        self._ask: Final = ask
        self._pid = 0
        self._was_ready = False
        self._ended: Final = threading.Event()
        self._reset()
        threading.Thread(target=self._run, name=f"pulse of {name}", daemon=True).start()

    def begin(self, pid: int) -> None:
        """Look after a new process."""
        self._pid, self._was_ready = pid, False
        self._reset()

    def end(self) -> None:
        """Ask no more."""
        self._ended.set()

    def _reset(self) -> None:
        self.answer: Answer | None = None
        self._silent = self._stalled = 0.0
        self._work: float | None = None

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._ended.wait(pause):
            pid, began = self._pid, time.monotonic()
            answer = self._ask()
            if answer is not None and answer.pid not in {None, pid}:
                answer = None
            if pid == self._pid and pid:
                self._note(answer, min(time.monotonic() - began, ASK_SECONDS) + pause)
            pause = PAUSE_SECONDS if self._was_ready else FIRST_PAUSE_SECONDS

    def _note(self, answer: Answer | None, seconds: float) -> None:
        self.answer = answer
        if answer is None:
            if not self._silent:
                self._work = work_seconds(self._pid)
            self._silent += seconds
            return
        self._silent, self._work = 0.0, None
        self._was_ready = self._was_ready or answer.ready
        self._stalled = self._stalled + seconds if answer.stalled else 0.0

    @property
    def problems(self) -> tuple[str, ...]:
        """What the process says of itself, or that it says nothing."""
        if self._silent >= SILENT_SECONDS:
            return ("it does not answer",)
        return self.answer.problems if self.answer is not None else ()

    def dead(self, patience: float) -> str | None:
        """Return why the process is as good as dead, or None where it may live.

        Parameters
        ----------
        patience
            Seconds without an answer, or of an answer that nothing moves.
        """
        if self._stalled >= patience:
            return f"it says that nothing moves, for {self._stalled:.0f} s"
        patience *= 1 if self._was_ready else STARTING_TIMES
        if self._silent < patience or (self._busy() and self._silent < patience * BUSY_TIMES):
            return None
        return f"it does not answer, for {self._silent:.0f} s"

    def _busy(self) -> bool:
        now = work_seconds(self._pid)
        return now is not None and self._work is not None and now - self._work > BUSY_SHARE * self._silent


def work_seconds(pid: int) -> float | None:
    """Return how long the threads of a process have run or waited for a processor; None where it is not known."""
    total = None
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError):
            ran, waited, _slices = map(int, thread.read_text().split())
            total = (total or 0.0) + (ran + waited) / 1e9
    return total
