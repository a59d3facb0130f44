"""Who is asked when: short questions never wait behind long ones, and no client's behind another's many.

Nobody knows beforehand how long a question takes. So each begins in the quick lane, with little memory. One that is
not done within `QUICK_SECONDS` goes over to the slow lane where that has room; where it has not, it is stopped, waits
for its turn there, and is asked again: reading twice changes nothing. So does one that needs more memory. Each lane
serves its waiting clients in turn. What all questions together may take is the slots of both lanes times their memory.
"""

import asyncio
import uuid
from collections import OrderedDict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from streams.sql.errors import BUSY, MEMORY_LIMIT, SqlError, refused
from streams.sql.reader import Answer, Limits
from streams.sql.request import Asked

QUICK: Final = 4
SLOW: Final = 2
QUICK_SECONDS: Final = 0.5
WAIT_SECONDS: Final = 30.0
"""How long a question may wait for its turn."""
STOP_SECONDS: Final = 0.25
"""How long a question that was told to stop may go on before it is told again."""
MOST_WAITING: Final = 512
GRACE_SECONDS: Final = 10
"""How much longer than its limit a query may take before its client is told; the engine looks at the clock between
blocks, so one long function call ends late."""


class Asking(Protocol):
    """What answers questions: `reader.Reader`."""

    def run(self, asked: Asked, ticket: str, memory_bytes: int) -> Answer:
        """Return the answer to a question."""

    def stop(self, ticket: str) -> None:
        """End the question of a ticket."""


class Lane:
    """Some slots, and who waits for one: clients take turns, each with its oldest question."""

    def __init__(self, slots: int, most: int = MOST_WAITING) -> None:
        self._free = slots
        self._most: Final = most
        self._waiting: Final[OrderedDict[str, deque[asyncio.Future[None]]]] = OrderedDict()

    def take(self) -> bool:
        """Take a slot where one is free and nobody waits."""
        if self._free and not self._waiting:
            self._free -= 1
            return True
        return False

    async def enter(self, client: str) -> None:
        """Wait for a slot, and take it.

        Raises
        ------
        SqlError
            With code 202 where too many wait already, or the turn does not come in time.
        """
        if self.take():
            return
        if sum(map(len, self._waiting.values())) >= self._most:
            raise refused(BUSY, "TOO_MANY_SIMULTANEOUS_QUERIES", f"{self._most} questions wait already; ask later")
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await turn
        except BaseException as error:
            self._forget(client, turn)
            if isinstance(error, TimeoutError):
                text = f"no turn came within {WAIT_SECONDS:.0f} s: other long questions run; ask later"
                raise refused(BUSY, "TOO_MANY_SIMULTANEOUS_QUERIES", text) from None
            raise

    def _forget(self, client: str, turn: "asyncio.Future[None]") -> None:
        """Take back a turn that nobody waits for any more; one that had come already goes to the next."""
        if turn.done() and not turn.cancelled():
            self.leave()
        elif turn in (turns := self._waiting.get(client, deque())):
            turns.remove(turn)
            if not turns:
                del self._waiting[client]

    def leave(self) -> None:
        """Give a slot to the next."""
        while self._waiting:
            client, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[client] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


@dataclass(slots=True)
class _Running:
    """A question in a thread, and the lane whose slot it holds until the thread is through with it."""

    answer: "asyncio.Future[Answer]"
    lane: Lane
    ticket: str


class Lanes:
    """Answers questions in two lanes.

    Parameters
    ----------
    reader
        Answers one question, in a thread.
    limits
        What one question may take.
    """

    def __init__(self, reader: Asking, limits: Limits) -> None:
        self._reader: Final = reader
        self._limits: Final = limits
        self._quick: Final = Lane(QUICK)
        self._slow: Final = Lane(SLOW)
        self._pool: Final = ThreadPoolExecutor(QUICK + SLOW, "sql")
        self._ending: Final[set[asyncio.Task[None]]] = set()

    async def answer(self, asked: Asked, client: str) -> Answer:
        """Return the answer to a question of a client; one that nobody waits for any more is stopped.

        Raises
        ------
        SqlError
            As the reader does, or with code 202 where there is no room.
        TimeoutError
            Where it takes too long.
        """
        await self._quick.enter(client)
        answer = await self._quickly(self._start(asked, self._quick, self._limits.quick_memory_bytes))
        if answer is None:
            await self._slow.enter(client)
            answer = await self._wait(self._start(asked, self._slow, self._limits.memory_bytes))
        return answer

    async def _quickly(self, running: _Running) -> Answer | None:
        """Return the answer, or None where the question is for the slow lane and could not just go over."""
        try:
            try:
                return await self._wait(running, QUICK_SECONDS)
            except TimeoutError:
                if self._slow.take():
                    running.lane = self._slow
                    self._quick.leave()
                    return await self._wait(running)
            return await self._stopped(running)
        except SqlError as error:
            if error.code == MEMORY_LIMIT and self._limits.quick_memory_bytes < self._limits.memory_bytes:
                return None
            raise

    async def _stopped(self, running: _Running) -> Answer | None:
        """Stop a question, and return its answer where it had come before.

        What comes after that counts for nothing, be it an answer or an error: the engine gives what it has of a
        question that it is told to end, which may be no row at all, and may say nothing of it.
        """
        if running.answer.done():
            return running.answer.result()
        await self._end(running)
        return None

    async def _end(self, running: _Running) -> None:
        """Stop a question until it has stopped: the engine may not know it yet when it is told first."""
        loop = asyncio.get_running_loop()
        while not running.answer.done():
            await loop.run_in_executor(None, self._reader.stop, running.ticket)
            await asyncio.wait({running.answer}, timeout=STOP_SECONDS)
        running.answer.exception()  # nobody else may ask for it

    def _start(self, asked: Asked, lane: Lane, memory_bytes: int) -> _Running:
        loop, ticket = asyncio.get_running_loop(), uuid.uuid4().hex
        future = self._pool.submit(self._reader.run, asked, ticket, memory_bytes)
        running = _Running(asyncio.wrap_future(future), lane, ticket)

        def leave() -> None:
            running.lane.leave()  # the lane it has come to by then

        def ended(_: Future[Answer]) -> None:
            with suppress(RuntimeError):  # the endpoint is closed
                loop.call_soon_threadsafe(leave)

        future.add_done_callback(ended)
        return running

    async def _wait(self, running: _Running, seconds: float | None = None) -> Answer:
        """Return the answer, which goes on after `seconds`; without them, it is stopped after the limit."""
        try:
            done, _ = await asyncio.wait({running.answer}, timeout=seconds or self._limits.seconds + GRACE_SECONDS)
        except asyncio.CancelledError:  # the client went away
            self._stop(running)
            raise
        if done:
            return running.answer.result()
        if seconds is None:
            self._stop(running)
        raise TimeoutError

    def _stop(self, running: _Running) -> None:
        ending = asyncio.get_running_loop().create_task(self._end(running))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
