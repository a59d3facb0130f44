"""Parts of an embedded store whose bytes are not those that were written.

ClickHouse notices such a part only when a query reads it: counts come from elsewhere and stay right. So each part is
read once after the start, and each new one once it is no longer fresh.
"""

import time
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.sql import query
from streams.store.client import rows

FRESH_SECONDS: Final = 300.0
"""A part that is younger will mostly be merged away, and is checked as what it was merged into."""
AGAIN_SECONDS: Final = 86_400.0

_PARTS: Final = query("streams.store", "parts")
_DETACHED: Final = query("streams.store", "detached")
Part = tuple[str, str]
"""Table and name."""


class Parts:
    """Remembers which parts were checked, and which were found broken."""

    def __init__(self) -> None:
        self._checked: dict[Part, float] = {}
        self._broken: dict[Part, str] = {}

    def check(self, client: Client, *, every: bool = False) -> dict[Part, str]:
        """Return all parts that are broken, with the reason; a part that is gone is forgotten.

        Parameters
        ----------
        every
            Check fresh parts too.
        """
        now, wall = time.monotonic(), time.time()
        active = {(str(table), str(name)): int(at) for table, name, at in rows(client, _PARTS)}
        self._checked = {part: at for part, at in self._checked.items() if part in active}
        self._broken = {part: reason for part, reason in self._broken.items() if part in active}
        for part, at in active.items():
            known = self._checked.get(part)
            if known is not None and now - known < AGAIN_SECONDS:
                continue
            if every or wall - at > FRESH_SECONDS:
                self._look(client, part)
                self._checked[part] = now
        detached = {(str(table), str(name)): f"put aside: {reason}" for table, name, reason in rows(client, _DETACHED)}
        return self._broken | detached

    def _look(self, client: Client, part: Part) -> None:
        table, name = part
        query = f"CHECK TABLE `{table}` PART '{name}' SETTINGS check_query_single_value_result = 0"
        try:
            found = rows(client, query)
        except ClickHouseError:
            return  # merged away meanwhile
        for _, passed, message in found:
            if not int(passed):
                self._broken[part] = str(message).split(" (version")[0]


def put_aside(client: Client) -> list[Part]:
    """Detach every part that is broken, so that what it held can be stored again, and return them."""
    active = {(str(table), str(name)) for table, name, _ in rows(client, _PARTS)}
    broken = [part for part in Parts().check(client, every=True) if part in active]
    for table, name in broken:
        client.command(f"ALTER TABLE `{table}` DETACH PART '{name}'")
    return broken
