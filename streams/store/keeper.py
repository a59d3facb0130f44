"""Looks after the store of a history worker, and says in `/health` what a person must mend."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiokafka.errors import KafkaError as ReadError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from kafka.errors import KafkaError

from schemas.tables import Table
from streams.health.problems import PROBLEMS
from streams.kafka.log_reader import LogUnreadableError
from streams.kafka.topics import KafkaUnavailableError
from streams.settings import Settings
from streams.store.client import StoreUnavailableError
from streams.store.lost import GivesRows, Lost, lost
from streams.store.parts import Parts

log: Final = structlog.get_logger()

AWAY: Final = (
    KafkaError, ReadError, KafkaUnavailableError, LogUnreadableError, StoreUnavailableError, ClickHouseError, OSError,
)  # fmt: skip
"""What Kafka's two clients and the store say when they can't be asked now."""

LOOK_SECONDS: Final = 600.0
AGAIN_SECONDS: Final = 10.0
"""After a look that Kafka or the store did not answer."""
FEW: Final = 5


class StoreWatch:
    """Looks at the start, at each assignment, and every ten minutes.

    Parameters
    ----------
    connect
        Opens a client of the store.
    tables, gives_rows
        As those of `streams.store.lost.lost`.
    """

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[], Client],
        tables: dict[str, tuple[Table, ...]],
        gives_rows: GivesRows,
    ) -> None:
        self._settings: Final = settings
        self._connect: Final = connect
        self._tables: Final = tables
        self._gives_rows: Final = gives_rows
        self._embedded: Final = settings.clickhouse.startswith("chdb://")
        self._parts: Final = Parts()
        self._now: Final = asyncio.Event()
        self._first = True

    def look_now(self) -> None:
        """Look again at once: other partitions are ours."""
        self._now.set()

    async def run(self) -> None:
        """Look again and again."""
        while True:
            self._now.clear()
            try:
                await asyncio.to_thread(self.look)
                wait = LOOK_SECONDS
            except AWAY as error:
                log.info("the store can't be looked at now; trying again", error=str(error))
                wait = AGAIN_SECONDS
            try:
                await asyncio.wait_for(self._now.wait(), wait)
            except TimeoutError:
                continue

    def look(self) -> None:
        """Look once, and say what is wrong or that nothing is."""
        with self._connect() as client:
            _say("store lost", _lost_text(lost(self._settings, client, self._tables, self._gives_rows)))
            if self._embedded:
                broken = self._parts.check(client, every=self._first)
                self._first = False
                _say("broken parts", _parts_text({f"{table} {name}": why for (table, name), why in broken.items()}))


def _say(name: str, reason: str | None) -> None:
    if reason is None:
        PROBLEMS.over(name)
    else:
        PROBLEMS.note(name, reason)


def _lost_text(found: list[Lost]) -> str | None:
    if not found:
        return None
    named = [f"{item.topic}/{item.partition} offsets {item.first} to {item.end - 1}" for item in found[:FEW]]
    more = [f"{len(found) - FEW} more partitions"] if len(found) > FEW else []
    return (
        "the store does not hold what was acknowledged and Kafka still has; it was lost, or is older than the log: "
        f"{', '.join(named + more)}. Stop history and run `watchkeeper rebuild`"
    )


def _parts_text(broken: dict[str, str]) -> str | None:
    if not broken:
        return None
    named = [f"{part}: {why}" for part, why in list(broken.items())[:FEW]]
    return (
        f"{len(broken)} parts of the store can't be read: {'; '.join(named)}. Stop history and run "
        "`watchkeeper rebuild`: it puts them aside and history stores again what Kafka holds"
    )
