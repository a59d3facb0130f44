"""Carries erasures out beside the work of the history worker, soon and again: what was on its way is found as well."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.erasures import Erasure
from schemas.sql import query
from streams.audit.log import entry, of
from streams.erasure.store import erase, whom
from streams.erasure.subjects import Keyed, Known
from streams.erasure.tables import HERE
from streams.health.problems import PROBLEMS
from streams.settings import Settings
from streams.store.client import WRITE, StoreUnavailableError, named_rows

log: Final = structlog.get_logger()

LOOK_SECONDS: Final = 15.0
SECOND_SECONDS: Final = 60.0
"""After the first time: batches that were on their way then have been stored."""
AGAIN_SECONDS: Final = 86_400.0
PROBLEM: Final = "erasure"
AWAY: Final = (StoreUnavailableError, ClickHouseError, OSError)


class Eraser:
    """Looks for erasures and carries out those that are due.

    Parameters
    ----------
    connect
        Opens a client of the store.
    learn
        Is told of all erasures that are known, before what is stored is looked at: what comes then names nobody.
    clock
        Unix seconds.
    """

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[], Client],
        learn: Callable[[Known], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings: Final = settings
        self._connect: Final = connect
        self._learn: Final = learn
        self._clock: Final = clock

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self.look)
            except AWAY as error:
                PROBLEMS.note(PROBLEM, f"what was to be erased can't be now: {str(error)[:200]}")

    def look(self) -> int:
        """Carry out what is due, and return how many rows that changed.

        Raises
        ------
        StoreUnavailableError, ClickHouseError, OSError
            Where it can't be done now.
        """
        with self._connect() as client:
            found = self._known(client)
            return sum(self._carry_out(client, each, row) for each, row in found if self._due(row))

    def begin(self) -> None:
        """Have it learnt what was asked for so far; raises as `look`."""
        with self._connect() as client:
            self._known(client)

    def _known(self, client: Client) -> list[tuple[Erasure, dict[str, Any]]]:
        found = _asked(client)
        if found:
            keyed, erasures = Keyed(self._settings), [each for each, _ in found]
            self._learn(Known(keyed, erasures))
            self._check_keys(keyed, erasures)
        else:
            PROBLEMS.over(PROBLEM)
        return found

    def _due(self, row: dict[str, Any]) -> bool:
        waited = self._clock() - int(row["last"])
        return waited >= (0, SECOND_SECONDS, AGAIN_SECONDS)[min(int(row["runs"]), 2)]

    def _carry_out(self, client: Client, erasure: Erasure, row: dict[str, Any]) -> int:
        changed = erase(client, whom(client, Known(Keyed(self._settings), [erasure])))
        now = int(self._clock())
        client.insert(
            "erasure_runs", [[erasure.event_id, now, changed]], column_names=["erasure_id", "ran_at", "changed"],
            settings=WRITE,
        )  # fmt: skip
        if changed or not int(row["runs"]):
            made = entry(
                "erased", did=erasure.subject, about=erasure.subject_hash, event=erasure.event_id, changed=changed,
                actor_kind="system",
            )  # fmt: skip
            of(self._settings).append([made])
            log.info("erased", subject=erasure.subject, erasure=erasure.event_id, rows=changed)
        return changed

    def _check_keys(self, keyed: Keyed, found: list[Erasure]) -> None:
        other = [each.event_id for each in found if each.key_id != keyed.key_id]
        if other:
            text = f"{len(other)} erasures were asked for with another key ({other[-1]}); give this worker the same one"
            PROBLEMS.note(PROBLEM, f"{text}: WATCHKEEPER_HASH_KEY, or the file erasure-key of the data folder")
        else:
            PROBLEMS.over(PROBLEM)


def _asked(client: Client) -> list[tuple[Erasure, dict[str, Any]]]:
    """Return all that was asked for, and how often each was carried out."""
    found = named_rows(client, query(HERE, "erasures"))
    return [(Erasure(**{name: row[name] for name in row if name not in ("runs", "last")}), row) for row in found]
