"""Batches of all partitions gathered and committed together: a commit costs the same for a few rows as for many.

While one commit runs, the next group is gathered. It is committed when the one before is done and a second has passed
since that began, or sooner when it is large. So a row waits for about a second when there is much to do, for nothing
when there is little, and a backlog is taken in groups as large as memory allows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

COMMIT_SECONDS: Final = 1.0
"""How long a row waits for others when there is much to do."""

ROLL_UP_SECONDS: Final = 3.0
"""How long rows that are stored wait for others before minutes and hours are computed anew: that costs most of all."""

ENOUGH_BYTES: Final = 64_000_000
"""Of columns that wait: then the group is committed, and who has more waits."""


class Sized(Protocol):
    """What takes memory while it waits."""

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""


T = TypeVar("T", bound=Sized)


class Gathering(Generic[T]):
    """What waits to be committed.

    Parameters
    ----------
    commit
        Commits a group, in the order in which it came; one at a time.
    seconds
        At least so long lies between the beginnings of two commits, unless there is enough for one.
    """

    def __init__(self, commit: Callable[[Sequence[T]], Awaitable[None]], seconds: float = COMMIT_SECONDS) -> None:
        self._commit: Final = commit
        self._seconds: Final = seconds
        self._waiting: list[T] = []
        self._bytes = 0
        self._changed: Final = asyncio.Condition()
        self._committing: Final = asyncio.Lock()
        self._next = 0.0
        self._failed: BaseException | None = None

    async def add(self, item: T) -> None:
        """Have an item committed with the next group; returns when there is room for it.

        Raises
        ------
        Exception
            What a commit has raised: nothing will be committed any more.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._failed is not None or self._bytes < ENOUGH_BYTES)
            if self._failed is not None:
                raise self._failed
            self._waiting.append(item)
            self._bytes += item.nbytes
            self._changed.notify_all()

    async def run(self) -> None:
        """Commit group after group; raises what a commit raises."""
        loop = asyncio.get_running_loop()
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._waiting))
            try:
                async with asyncio.timeout_at(max(self._next, loop.time())), self._changed:
                    await self._changed.wait_for(lambda: self._bytes >= ENOUGH_BYTES)
            except TimeoutError:
                pass
            await self.flush()

    async def flush(self) -> None:
        """Commit all that waits, after what is being committed; raises what the commit raises."""
        async with self._committing:
            group, self._waiting, self._bytes = self._waiting, [], 0
            if not group:
                return
            self._next = asyncio.get_running_loop().time() + self._seconds
            async with self._changed:
                self._changed.notify_all()
            try:
                await self._commit(group)
            except Exception as error:
                self._failed = error
                async with self._changed:
                    self._changed.notify_all()
                raise

    async def drop(self) -> None:
        """Forget what waits; returns when what is being committed is done."""
        self._waiting, self._bytes = [], 0
        async with self._committing:
            pass
