"""What of the store is older than the policy keeps it: counted, and removed, from the embedded engine as from a server.

Sums are made of rows, again whenever one comes late. So it is written down first from when on rows are kept, which the
sums of history obey in the same statement that makes them; what began before that is waited for; then rows go.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.sql import query
from streams.policy.retention import Class, Retention
from streams.retention.classes import HERE, TABLES, Kept
from streams.store.client import WRITE, StoreUnavailableError, named_rows, rows

PATIENCE_SECONDS: Final = 600.0
_POLL_SECONDS: Final = 0.1
_COLUMNS: Final = ("ran_at", "kind", "name", "class", "before", "gone", "oldest")

Ask = Callable[[str, dict[str, Any]], list[dict[str, Any]]]
"""Asks the store; values travel as parameters."""


class Going(NamedTuple):
    """What goes, or would go, of a table, a topic or a folder; times are Unix seconds."""

    kind: str
    name: str
    of: Class
    before: int
    gone: int
    oldest: int | None


def plan(ask: Ask, retention: Retention, now: float) -> list[tuple[Kept, Going]]:
    """Return what is too old now, table by table."""
    found = []
    for kept in TABLES:
        text = query(HERE, "old", table=kept.table, time=kept.time, where=kept.where)
        before = retention.before(kept.of, now)
        [row] = ask(text, _parameters(retention, before))
        gone = int(row["gone"])
        found.append((kept, Going("table", kept.table, kept.of, before, gone, int(row["oldest"]) if gone else None)))
    return found


def carry_out(client: Client, retention: Retention, now: float) -> list[Going]:
    """Remove what is too old, and return it; what was broken off is done by the next call.

    Raises
    ------
    StoreUnavailableError
        Where sums that were begun before do not end.
    """
    due = [(kept, going) for kept, going in plan(partial(named_rows, client), retention, now) if going.gone]
    if not due:
        return []
    note(client, [going for _, going in due], now)
    _await_sums(client)
    for kept, going in due:
        parameters = _parameters(retention, going.before)
        client.command(kept.command, parameters=parameters, settings={"mutations_sync": 2})
    return [going for _, going in due]


def note(client: Client, gone: Sequence[Going], now: float) -> None:
    """Write down what goes."""
    at = datetime.fromtimestamp(now, UTC)
    found = [
        [at, going.kind, going.name, going.of, _time(going.before), going.gone, _time(going.oldest)] for going in gone
    ]
    client.insert("retention_runs", found, column_names=list(_COLUMNS), settings=WRITE)


def _await_sums(client: Client) -> None:
    """Wait until all inserts have ended that may have begun before it was written down what goes."""
    noted, end = time.time(), time.monotonic() + PATIENCE_SECONDS
    while rows(client, query(HERE, "running"), {"noted": noted})[0][0]:
        if time.monotonic() > end:
            raise StoreUnavailableError(f"an insert has run for {PATIENCE_SECONDS:.0f} s; nothing old is removed")
        time.sleep(_POLL_SECONDS)


def _parameters(retention: Retention, before: int) -> dict[str, Any]:
    return {"before": before, "holds": list(retention.holds)}


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
