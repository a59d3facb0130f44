"""Whether the store answers, and an embedded one has room, asked every few seconds."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from streams.health.disk import Floor
from streams.health.problems import ENGINE, PROBLEMS
from streams.settings import Settings

CHECK_SECONDS: Final = 5.0
DISK_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 60.0
"""A store answers nothing in time while a reader's heavy question has it."""
DISK: Final = "disk"
STORE: Final = "store"


class StoreReach:
    """Notes the problem `disk`, and `store` of a server or `engine` of an embedded store.

    Parameters
    ----------
    connect
        Opens a client.
    """

    def __init__(self, settings: Settings, connect: Callable[[], Client]) -> None:
        self._connect: Final = connect
        self._embedded: Final = settings.clickhouse.startswith("chdb://")
        folder = Path(settings.clickhouse.removeprefix("chdb://"))
        self._floor: Final = Floor(folder, settings.disk_floor_mb if self._embedded else 0)

    async def watch(self) -> None:
        """Ask again and again."""
        await asyncio.gather(self._watch_disk(), self._watch_store())

    async def _watch_disk(self) -> None:
        while True:
            self._look_at_disk()
            await asyncio.sleep(DISK_SECONDS)

    def _look_at_disk(self) -> bool:
        reason = self._floor.short()
        if reason is None:
            PROBLEMS.over(DISK)
        else:
            PROBLEMS.note(DISK, reason)
        return reason is None

    async def room(self) -> None:
        """Return when there is room to write."""
        while not self._look_at_disk():  # noqa: ASYNC110  a disk tells nobody
            await asyncio.sleep(DISK_SECONDS)

    async def _watch_store(self) -> None:
        name = ENGINE if self._embedded else STORE
        answered, error, asked = time.monotonic(), "it does not answer", None
        client = await asyncio.to_thread(self._connect)
        while True:
            asked = asked or asyncio.ensure_future(asyncio.to_thread(client.command, "SELECT 1"))
            done, _ = await asyncio.wait([asked], timeout=CHECK_SECONDS)
            if done:
                failed, asked = asked.exception(), None
                if failed is None:
                    answered, error = time.monotonic(), "it does not answer"
                    PROBLEMS.over(name)
                else:
                    error = str(failed)[:200]
                await asyncio.sleep(CHECK_SECONDS)
            if time.monotonic() - answered >= PATIENCE_SECONDS:
                PROBLEMS.note(name, f"the store does not work: {error}")
