"""The store's schema, applied: tables forward only and each file once, views again whenever their text differs."""

import hashlib
import re
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from streams.store.client import rows
from streams.store.schema.comments import commands
from streams.store.schema.ddl import COMMENTS, TABLES, refreshed_views, schema, statements

LEDGER: Final = "schema_migrations"
_LEDGER: Final = (
    f"CREATE TABLE IF NOT EXISTS {LEDGER} (name String, digest String, applied_at DateTime DEFAULT now())"
    " ENGINE = ReplacingMergeTree ORDER BY name"
)

_BEGUN: Final = ""
_DONE_BEFORE: Final = {15, 44, 57, 60}
"""ClickHouse's codes for a column, index or table that is there already, and for one to be dropped that is not."""

_CODE: Final = re.compile(r"[Cc]ode: (\d+)")
_BEFORE_TABLES: Final = re.compile(r"\d{4}_\w+\.sql")
"""How files were named before tables and views had folders of their own."""


class SchemaError(RuntimeError):
    """The store's schema is not the one this code was written for."""


def migrations() -> dict[str, str]:
    """Return the SQL of each file by name, in order."""
    return dict(schema())


def migrate(client: Client) -> list[str]:
    """Apply what is missing or differs and return its names; what was broken off is taken up again.

    Raises
    ------
    SchemaError
        Where an applied table has changed since, or the store is older or newer than this code can take.
    """
    ledger, known = ledger_of(client), migrations()
    _refuse_strangers(ledger, known)
    missing = _missing(ledger, known)
    if not missing:
        return []
    note(client, dict.fromkeys(missing, _BEGUN))
    stop_refreshing(client)
    repeated = [name for name in missing if name.startswith(COMMENTS)][1:]  # each of them brings what all hold
    for name in missing:
        if name in repeated:
            continue
        for statement in commands(client) if name.startswith(COMMENTS) else statements(known[name]):
            _apply(client, statement, again=name in ledger)
        note(client, {name: digest(known[name])})
    note(client, {name: digest(known[name]) for name in repeated})
    return missing


def check_schema(client: Client) -> None:
    """Raise `SchemaError` unless every file has been applied as it is, and no other table."""
    ledger, known = ledger_of(client), migrations()
    _refuse_strangers(ledger, known)
    if missing := _missing(ledger, known):
        raise SchemaError(f"the store lacks {', '.join(missing)}; run `watchkeeper migrate`")


def stop_refreshing(client: Client) -> None:
    """Drop the views that are refreshed, and wait for one that is at it."""
    for name in refreshed_views():
        client.command(f"DROP VIEW IF EXISTS {name} SYNC")


def ledger_of(client: Client) -> dict[str, str]:
    """Return the digest of each file that was applied; it is empty where one was only begun."""
    client.command(_LEDGER)
    return dict(rows(client, f"SELECT name, digest FROM {LEDGER} FINAL"))


def note(client: Client, digests: dict[str, str]) -> None:
    """Write into the ledger what was begun or applied."""
    client.insert(LEDGER, [list(item) for item in digests.items()], column_names=["name", "digest"])


def digest(text: str) -> str:
    """Return what tells one text of a file from another."""
    return hashlib.sha256(text.encode()).hexdigest()


def _missing(ledger: dict[str, str], known: dict[str, str]) -> list[str]:
    """Return what is to be applied, in order: from the first that is, all views, as they may rest on it.

    What was refreshed is dropped meanwhile and made last, over tables and views that stand.
    """
    tables = [name for name in known if name.startswith(TABLES) and not ledger.get(name)]
    others = [name for name in known if not name.startswith(TABLES)]
    differ = (at for at, name in enumerate(others) if tables or ledger.get(name) != digest(known[name]))
    return tables + others[next(differ, len(others)) :]


def _apply(client: Client, statement: str, *, again: bool) -> None:
    """Run a statement; of a file that was broken off the first ones have been run before."""
    try:
        client.command(statement)
    except ClickHouseError as error:
        found = _CODE.search(str(error))
        if not again or found is None or int(found[1]) not in _DONE_BEFORE:
            raise


def _refuse_strangers(ledger: dict[str, str], known: dict[str, str]) -> None:
    if any(_BEFORE_TABLES.fullmatch(name) for name in ledger):
        raise SchemaError(
            "the store was made by an earlier version; stop the workers, make a backup and run"
            " `watchkeeper migrate --carry`, which keeps all its rows"
        )
    tables = {name: applied for name, applied in ledger.items() if name.startswith(TABLES)}
    if newer := sorted(set(tables) - set(known)):
        raise SchemaError(f"the store has {', '.join(newer)}, which this version does not know; install a newer one")
    changed = [name for name, applied in tables.items() if applied not in {_BEGUN, digest(known[name])}]
    if changed:
        raise SchemaError(f"{', '.join(changed)} differs from what was applied; add a new file instead of changing one")
