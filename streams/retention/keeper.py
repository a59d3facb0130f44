"""Removes what is too old, once a day, beside the work of the history worker: it holds an embedded store alone."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from streams.audit.log import entry, of
from streams.health.problems import PROBLEMS
from streams.kafka.topics import KafkaUnavailableError
from streams.policy.policy import Policy
from streams.policy.retention import DAY
from streams.retention import audit, files, store, topics
from streams.retention.store import Going
from streams.settings import Settings
from streams.store.client import StoreUnavailableError

log: Final = structlog.get_logger()

FIRST_SECONDS: Final = 600.0
"""After the start: who has set too short a time, or the clock wrong, can still say so."""
AGAIN_SECONDS: Final = 600.0
PROBLEM: Final = "retention"
AWAY: Final = (StoreUnavailableError, KafkaUnavailableError, ClickHouseError, OSError)


class Keeper:
    """Carries the `retention` of a policy out; one that names none promises nothing, and nothing goes.

    Parameters
    ----------
    connect
        Opens a client of the store.
    clock
        Unix seconds.
    """

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[], Client],
        policy: Policy,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings: Final = settings
        self._connect: Final = connect
        self._retention: Final = policy.retention
        self._named: Final = policy.names_retention
        self._clock: Final = clock
        self._day = 0

    async def run(self) -> None:
        """Look again and again."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await asyncio.to_thread(self.look)
                PROBLEMS.over(PROBLEM)
            except AWAY as error:
                PROBLEMS.note(PROBLEM, f"what is too old can't be removed: {str(error)[:200]}")
            await asyncio.sleep(AGAIN_SECONDS)

    def look(self) -> list[Going]:
        """Remove what is too old, where that was not done today, and return it.

        Raises
        ------
        StoreUnavailableError, KafkaUnavailableError, ClickHouseError, OSError
            Where a part of it could not be done; the next look does it.
        """
        now = self._clock()
        if not self._named or now // DAY == self._day:
            return []
        with self._connect() as client:
            return self._remove(client, now)

    def _remove(self, client: Client, now: float) -> list[Going]:
        gone = store.carry_out(client, self._retention, now)
        of_files = [
            *files.carry_out(self._settings, self._retention, now),
            *audit.carry_out(self._settings, self._retention, now),
        ]
        if of_files:
            store.note(client, of_files, now)
        gone += of_files
        changed = topics.carry_out(self._settings, self._retention)
        if gone or changed:
            about = [f"{each.name} {each.of} {each.gone}" for each in gone] + [
                f"{name} {ms}" for name, ms in changed.items()
            ]
            of(self._settings).append([entry("retention", about=about, actor_kind="system")])
            log.info("removed what was too old", what=about)
        self._day = int(now) // DAY
        return gone
