"""Child processes kept running: started side by side, looked after, started again, stopped together.

A child that dies is started again, after a wait that grows. One that dies again and again, or says by its status
that its settings are wrong, is left down with its reason, and nothing of that touches the others. One that hangs
is killed and started again.
"""

import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final, Self

import structlog

from streams.local.child import Child, State

__all__ = ["Child", "ChildFailedError", "Ending", "State", "Supervisor", "await_all"]

log: Final = structlog.get_logger()

FAILURES: Final = 5
FAILURE_SECONDS: Final = 60.0
FIRST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 10.0
DOWN_SECONDS: Final = 300.0
"""After how long one that would not stay up is tried once more."""
GRACE_SECONDS: Final = 20.0
SILENT_GRACE_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.1
PATIENCE_SECONDS: Final = 60.0


_NUMBERS: Final = re.compile(r"[\d.]+")

Step = Callable[[str, str, float], object]
"""Hears of what, what is done, and the seconds that it took."""


class ChildFailedError(RuntimeError):
    """A child refuses to start, or is not ready in time; the message ends with its last lines."""


def log_step(part: str, done: str, seconds: float) -> None:
    """Write a step into the log."""
    log.info(done, part=part, seconds=round(seconds, 1))


class Ending:
    """Notes that a signal has asked for the end."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        """Listen for SIGINT and SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        """Go on listening: a second signal shall not break off an orderly end."""

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.asked = True


class Supervisor:
    """Keeps children running until it is stopped; all of it in one thread, whose end would end the children.

    Parameters
    ----------
    children
        What runs side by side.
    patience
        How long a child may hang, in seconds.
    say
        Told of each step that is done.
    """

    def __init__(self, children: Sequence[Child], patience: float = PATIENCE_SECONDS, say: Step | None = None) -> None:
        self._children: Final = children
        self._patience: Final = patience
        self._say: Final = say or log_step

    @property
    def children(self) -> Sequence[Child]:
        """All of them, whatever their state."""
        return self._children

    def begin(self) -> None:
        """Have all children started by `check`."""
        for child in self._children:
            child.become(State.WAITING)
            child.start_at = time.monotonic()

    def start(self, timeout_seconds: float = 180.0) -> None:
        """Start all children and return when all are ready.

        Raises
        ------
        ChildFailedError
            Where one will not stay up, or is not ready in time.
        """
        self.begin()
        await_all(self._children, self.check, timeout_seconds)

    def run(self) -> None:
        """Keep the children running until SIGINT or SIGTERM, then stop them."""
        with Ending() as ending:
            try:
                while not ending.asked:
                    self.check()
                    time.sleep(POLL_SECONDS)
            finally:
                self.stop()

    def check(self) -> None:
        """Look after every child once: start what is to be started, end what hangs or has no room."""
        now = time.monotonic()
        for child in self._children:
            if child.process is None:
                if child.start_at is not None and now >= child.start_at:
                    self._try(child)
            elif (status := child.process.poll()) is not None:
                self._after_exit(child, status, now)
            else:
                self._look_after(child, now)

    def _try(self, child: Child) -> None:
        if why := child.hindrance() or child.eviction():
            if child.reason != why:
                log.warning("waits", part=child.name, reason=why)
            child.become(State.WAITING, why)
            return
        try:
            child.spawn()
        except (OSError, RuntimeError) as error:
            self._put_off(child, f"can't be started: {error}", time.monotonic())

    def _look_after(self, child: Child, now: float) -> None:
        assert child.process is not None  # noqa: S101
        if child.state is State.STOPPING:
            if now - child.since > GRACE_SECONDS:
                child.process.kill()
        elif why := child.eviction():
            log.warning("is stopped", part=child.name, reason=why)
            child.process.terminate()
            child.become(State.STOPPING, why)
        elif child.pulse is not None and (why := child.pulse.dead(self._patience)):
            child.killed = why
            child.process.kill()
        elif child.state is State.STARTING and child.ready():
            self._say(child.name, "ready" if child.starts == 1 else "back", now - child.since)
            child.become(State.RUNNING)
        self._tell_problems(child)

    def _tell_problems(self, child: Child) -> None:
        """Tell what a child says of itself, each thing once; numbers in it may change."""
        problems = {_NUMBERS.sub("", problem): problem for problem in child.problems()}
        for key in problems.keys() - child.told:
            self._tell(child, problems[key])
        if child.told and not problems:
            self._tell(child, "")
        child.told = frozenset(problems)

    @staticmethod
    def _tell(child: Child, problem: str) -> None:
        if problem:
            log.warning("problem", part=child.name, reason=problem)
        else:
            log.info("well again", part=child.name)

    def _after_exit(self, child: Child, status: int, now: float) -> None:
        why = child.ended(status)
        child.process = None
        if child.state is State.STOPPING:
            child.become(State.WAITING, child.reason)
            child.start_at = now
        elif status == os.EX_CONFIG:
            child.become(State.DOWN, why)
            log.error("stays down until all is started again", part=child.name, reason=why)
        else:
            self._put_off(child, why, now, counts=status != os.EX_UNAVAILABLE)

    @staticmethod
    def _put_off(child: Child, why: str, now: float, *, counts: bool = True) -> None:
        """Start a child again, later.

        Parameters
        ----------
        counts
            Whether this is its own failure; what it needs may be away for as long as it likes.
        """
        if child.state is State.RUNNING and now - child.since > FAILURE_SECONDS:
            child.tried_again = False
        child.deaths.append(now)
        while now - child.deaths[0] > FAILURE_SECONDS:
            child.deaths.popleft()
        if counts and (child.tried_again or len(child.deaths) > FAILURES):
            child.tried_again, child.start_at = True, now + DOWN_SECONDS
            child.become(State.DOWN, why)
            log.error("will not stay up", part=child.name, reason=why, tried_again_in_seconds=DOWN_SECONDS)
            return
        wait = min(FIRST_WAIT_SECONDS * 2 ** (len(child.deaths) - 1), LONGEST_WAIT_SECONDS)
        child.start_at = now + wait
        child.become(State.WAITING, why)
        log.warning("ended, and is started again", part=child.name, reason=why, in_seconds=wait)

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Stop all children together: a signal, a grace, then the end; who does not answer gets little grace."""
        began, ends = time.monotonic(), {}
        for child in self._children:
            ends[child.name] = began + (min(grace_seconds, SILENT_GRACE_SECONDS) if child.problems() else grace_seconds)
            child.stop_asking()
            child.become(State.STOPPED)
            child.start_at = None
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        for child in self._children:
            if child.process is not None and not _ended(child, ends[child.name]):
                log.warning("did not stop in time and is killed", part=child.name)
                child.process.kill()
                child.process.wait()


def _ended(child: Child, end: float) -> bool:
    assert child.process is not None  # noqa: S101
    while child.process.poll() is None:
        if time.monotonic() >= end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def await_all(children: Sequence[Child], check: Callable[[], None], timeout_seconds: float) -> None:
    """Call `check` until all children are ready.

    Raises
    ------
    ChildFailedError
        Where one will not stay up, or is not ready in time.
    """
    end = time.monotonic() + timeout_seconds
    while True:
        check()
        late = time.monotonic() > end
        unfit = [
            child for child in children if child.state is State.DOWN or (late and child.state is not State.RUNNING)
        ]
        if unfit:
            raise ChildFailedError(
                "\n".join(f"{child.name} {child.reason or 'was not ready in time'}\n{child.tail()}" for child in unfit)
            )
        if all(child.state is State.RUNNING for child in children):
            return
        time.sleep(POLL_SECONDS)
