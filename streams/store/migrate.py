"""The store's schema: numbered SQL, forward only, each file applied once and never changed."""

import hashlib
import re
from importlib import resources
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from streams.store.client import rows

_LEDGER = (
    "CREATE TABLE IF NOT EXISTS schema_migrations (name String, digest String, applied_at DateTime DEFAULT now())"
    " ENGINE = ReplacingMergeTree ORDER BY name"
)

_BEGUN: Final = ""
_DONE_BEFORE: Final = {15, 44, 57, 60}
"""ClickHouse's codes for a column, index or table that is there already, and for one to be dropped that is not."""

_CODE: Final = re.compile(r"[Cc]ode: (\d+)")


class SchemaError(RuntimeError):
    """The store's schema is not the one this code was written for."""


def migrations() -> dict[str, str]:
    """Return the SQL files by name, in order."""
    folder = resources.files("schemas") / "ddl"
    return {item.name: item.read_text() for item in sorted(folder.iterdir(), key=lambda item: item.name)}


def migrate(client: Client) -> list[str]:
    """Apply the files that are missing and return their names; one that was broken off is taken up again.

    Raises
    ------
    SchemaError
        Where an applied file has changed since, or the store is newer than this code.
    """
    ledger, known = _ledger(client), migrations()
    _refuse_strangers(ledger, known)
    missing = [name for name in known if not ledger.get(name)]
    for name in missing:
        _note(client, name, _BEGUN)
        for statement in known[name].split(";\n"):
            if statement.strip():
                _apply(client, statement, again=name in ledger)
        _note(client, name, _digest(known[name]))
    return missing


def check_schema(client: Client) -> None:
    """Raise `SchemaError` unless every file has been applied, and no other."""
    ledger, known = _ledger(client), migrations()
    _refuse_strangers(ledger, known)
    if missing := sorted(name for name in known if not ledger.get(name)):
        raise SchemaError(f"the store lacks {', '.join(missing)}; run `watchkeeper migrate`")


def _apply(client: Client, statement: str, *, again: bool) -> None:
    """Run a statement; of a file that was broken off the first ones have been run before."""
    try:
        client.command(statement)
    except ClickHouseError as error:
        found = _CODE.search(str(error))
        if not again or found is None or int(found[1]) not in _DONE_BEFORE:
            raise


def _ledger(client: Client) -> dict[str, str]:
    """Return the digest of each file that was applied; it is empty where one was only begun."""
    client.command(_LEDGER)
    return dict(rows(client, "SELECT name, digest FROM schema_migrations FINAL"))


def _note(client: Client, name: str, digest: str) -> None:
    client.insert("schema_migrations", [[name, digest]], column_names=["name", "digest"])


def _refuse_strangers(ledger: dict[str, str], known: dict[str, str]) -> None:
    if newer := sorted(set(ledger) - set(known)):
        raise SchemaError(f"the store has {', '.join(newer)}, which this version does not know; install a newer one")
    changed = [name for name, digest in ledger.items() if digest not in {_BEGUN, _digest(known[name])}]
    if changed:
        raise SchemaError(f"{', '.join(changed)} differs from what was applied; add a new file instead of changing one")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
