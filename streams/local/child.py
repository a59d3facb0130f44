"""One process that is kept running: how it is started, how it is, and why it last ended."""

import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from streams.local.broker import die_with_parent
from streams.local.pulse import Answer, Pulse

LAST_BYTES: Final = 16_384
REASON_LENGTH: Final = 400
OURS: Final = "watchkeeper: "
"""What a command that fails says begins with it."""
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What a terminal is told, as Faust does when it ends."""


class State(StrEnum):
    """How a child is."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """It has died and is about to be started again, or something keeps it from being started."""
    STOPPING = "stopping"
    DOWN = "down"
    """It will not stay up."""
    STOPPED = "stopped"


def nothing() -> str | None:
    """Nothing keeps a child from running."""
    return None


@dataclass(slots=True, eq=False)
class Child:
    """One process: its command, its environment, where its output goes, and how it is looked after.

    Parameters
    ----------
    ask
        Asks it how it is; None where it does not answer. Without it, a process that runs is well.
    launch
        Starts it, in place of the command.
    hindrance
        Why it can't be started now.
    eviction
        Why it must stop now.
    """

    name: str
    command: Sequence[str]
    log_file: Path
    environment: Mapping[str, str] | None = None
    ask: Callable[[], Answer | None] | None = None
    launch: Callable[[], "subprocess.Popen[bytes]"] | None = None
    hindrance: Callable[[], str | None] = nothing
    eviction: Callable[[], str | None] = nothing
    process: "subprocess.Popen[bytes] | None" = None
    pulse: Pulse | None = None
    state: State = State.STOPPED
    reason: str = ""
    since: float = field(default_factory=time.monotonic)
    start_at: float | None = None
    kill_at: float = 0.0
    deaths: deque[float] = field(default_factory=deque)
    tried_again: bool = False
    starts: int = 0
    killed: str = ""
    told: frozenset[str] = frozenset()
    log_from: int = 0

    def become(self, state: State, reason: str = "") -> None:
        """Note how it is from now on, and why."""
        self.state, self.reason, self.since = state, reason, time.monotonic()

    def spawn(self) -> None:
        """Start it.

        Raises
        ------
        OSError, RuntimeError
            Where it can't be started.
        """
        self.start_at, self.killed = None, ""
        self.starts += 1
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self.log_from = self.log_file.stat().st_size if self.log_file.exists() else 0
        self.process = self.launch() if self.launch else self._start_command()
        if self.ask is not None:
            self.pulse = self.pulse or Pulse(self.name, self.ask)
            self.pulse.begin(self.process.pid)
        self.become(State.STARTING)

    def _start_command(self) -> "subprocess.Popen[bytes]":
        with self.log_file.open("ab") as out:
            return subprocess.Popen(
                list(self.command),
                env=dict(self.environment) if self.environment is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=die_with_parent,  # noqa: PLW1509  one call, before any thread of the child
                start_new_session=True,
            )

    def ready(self) -> bool:
        """Tell whether it runs and says that it does its work."""
        if self.process is None:
            return False
        answer = self.pulse.answer if self.pulse is not None else Answer(ready=True)
        return answer is not None and answer.ready

    def stop_asking(self) -> None:
        """Ask it no more how it is."""
        if self.pulse is not None:
            self.pulse.end()
            self.pulse = None

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with it although it runs."""
        return self.pulse.problems if self.pulse is not None and self.state is State.RUNNING else ()

    def ended(self, status: int) -> str:
        """Return in words how it ended: why it was killed, the signal, or the last that it said."""
        if self.killed:
            return f"was killed: {self.killed}"
        if status < 0:
            return f"ended by {_signal(-status)}"
        lines = [line.strip() for line in _ESCAPES.sub("", self.tail()).splitlines() if line.strip()]
        ours = [line for line in lines if line.startswith(OURS)][-1:]  # the engine may add words of its own behind it
        lines = ours or [line for line in lines if "ERROR" in line or "FATAL" in line][:1] or lines[-1:]
        said = f": {lines[-1].removeprefix(OURS)[:REASON_LENGTH]}" if status and lines else ""
        return f"ended with status {status}{_meaning(status)}{said}"

    def tail(self) -> str:
        """Return the end of what it has said since its start."""
        if not self.log_file.exists():
            return ""
        with self.log_file.open("rb") as said:
            said.seek(0, os.SEEK_END)
            said.seek(max(self.log_from, said.tell() - LAST_BYTES))
            return "\n".join(said.read().decode(errors="replace").splitlines()[-12:])


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _meaning(status: int) -> str:
    return " (a setting)" if status == os.EX_CONFIG else ""
