"""Writes down what a process did, beside its work: nobody waits for it, and nothing is lost without a word.

Entries wait in memory until a thread of their own has them on the disk. While the disk takes none they wait on; beyond
`MOST_WAITING` they are counted instead, and an entry says how many once the disk takes entries again.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

import structlog

from streams.audit.log import AuditLog, Value, entry, folder_of, of
from streams.health.disk import Floor
from streams.health.metrics import AUDIT_LOST
from streams.health.problems import PROBLEMS
from streams.settings import Settings

log: Final = structlog.get_logger()

MOST_WAITING: Final = 10_000
MOST_TOGETHER: Final = 1_000
"""Entries that are written with one call of the disk."""
AGAIN_SECONDS: Final = 1.0
STRANGERS_A_MINUTE: Final = 120
"""Requests of nobody that are written down singly; with more, whoever reaches the port could fill the disk."""
PROBLEM: Final = "audit"
_MINUTE: Final = 60.0


class Recorder:
    """Takes entries from any thread; a companion of a worker.

    Parameters
    ----------
    most_waiting
        How many entries may wait for the disk.
    again
        Seconds until a disk that took none is tried again.
    clock
        Seconds that only grow.
    """

    def __init__(
        self,
        settings: Settings,
        most_waiting: int = MOST_WAITING,
        again: float = AGAIN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log: Final[AuditLog] = of(settings)
        self._floor: Final = Floor(folder_of(settings), settings.disk_floor_mb / 2)
        self._clock: Final = clock
        self._most: Final = most_waiting
        self._again: Final = again
        self._waiting: Final[deque[dict[str, Value]]] = deque()
        self._changed: Final = threading.Condition()
        self._lost = 0
        self._minute, self._strangers = clock(), 0
        self._ended = False
        self._thread: threading.Thread | None = None

    def record(self, kind: str, *, stranger: bool = False, **values: Value) -> None:
        """Write something down, soon; never waits and never fails.

        Parameters
        ----------
        stranger
            Whether it is of somebody who is not known: of these only so many a minute are written down, and the rest
            is counted.
        """
        with self._changed:
            self._turn()
            self._strangers += stranger
            if not stranger or self._strangers <= STRANGERS_A_MINUTE:
                self._add(entry(kind, **values))

    def add(self, made: dict[str, Value]) -> None:
        """Write down an entry, soon."""
        with self._changed:
            self._add(made)

    def _add(self, made: dict[str, Value]) -> None:
        if len(self._waiting) < self._most:
            self._waiting.append(made)
        else:
            self._lost += 1
            AUDIT_LOST.inc()
        self._changed.notify()

    def _turn(self, *, over: bool = False) -> None:
        """Begin another minute where one is over, and say how many strangers there were beyond those named."""
        now = self._clock()
        if over or now - self._minute >= _MINUTE:
            if (more := self._strangers - STRANGERS_A_MINUTE) > 0:
                self._add(entry("gap", why="more requests of nobody than are written down", lost=more))
            self._minute, self._strangers = now, 0

    def begin(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._work, name="audit", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Write what waits, if the disk takes it, and end."""
        with self._changed:
            self._turn(over=True)
            self._ended = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    async def start(self) -> None:
        """Begin, as a companion of a worker."""
        self.begin()

    async def stop(self) -> None:
        """End, as a companion of a worker."""
        await asyncio.to_thread(self.end)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
            if not self._written():
                with self._changed:
                    if self._changed.wait_for(lambda: self._ended, self._again):
                        log.error("audit entries are lost", entries=len(self._waiting) + self._lost)
                        return

    def _written(self) -> bool:
        """Write the first of what waits, and tell whether the disk took it."""
        with self._changed:
            some, lost = list(islice(self._waiting, MOST_TOGETHER)), self._lost
        gap = [entry("gap", why="the disk took no entries", lost=lost)] if lost else []
        try:
            if short := self._floor.short():
                raise OSError(short)  # noqa: TRY301  as if the disk had said so
            self.log.append([*some, *gap])
        except OSError as error:
            PROBLEMS.note(PROBLEM, f"the audit log cannot be written, and entries wait or are lost: {error}")
            return False
        with self._changed:
            for _ in some:
                self._waiting.popleft()
            self._lost -= lost
        PROBLEMS.over(PROBLEM)
        return True
