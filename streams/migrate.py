"""The store's schema: numbered SQL, forward only, each file applied once and never changed."""

import hashlib
from importlib import resources

from clickhouse_connect.driver.client import Client

from streams.storage import rows

_LEDGER = (
    "CREATE TABLE IF NOT EXISTS schema_migrations (name String, digest String, applied_at DateTime DEFAULT now())"
    " ENGINE = ReplacingMergeTree ORDER BY name"
)


class SchemaError(RuntimeError):
    """The store's schema is not the one this code was written for."""


def migrations() -> dict[str, str]:
    """Return the SQL files by name, in order."""
    folder = resources.files("schemas") / "ddl"
    return {item.name: item.read_text() for item in sorted(folder.iterdir(), key=lambda item: item.name)}


def migrate(client: Client) -> list[str]:
    """Apply the files that are missing and return their names.

    Raises
    ------
    SchemaError
        Where an applied file has changed since, or the store is newer than this code.
    """
    client.command(_LEDGER)
    applied, known = _applied(client), migrations()
    _refuse_strangers(applied, known)
    missing = [name for name in known if name not in applied]
    for name in missing:
        for statement in known[name].split(";\n"):
            if statement.strip():
                client.command(statement)
        client.insert("schema_migrations", [[name, _digest(known[name])]], column_names=["name", "digest"])
    return missing


def check_schema(client: Client) -> None:
    """Raise `SchemaError` unless every file has been applied, and no other."""
    client.command(_LEDGER)
    applied, known = _applied(client), migrations()
    _refuse_strangers(applied, known)
    if missing := sorted(set(known) - set(applied)):
        raise SchemaError(f"the store lacks {', '.join(missing)}; run `watchkeeper migrate`")


def _applied(client: Client) -> dict[str, str]:
    return dict(rows(client, "SELECT name, digest FROM schema_migrations FINAL"))


def _refuse_strangers(applied: dict[str, str], known: dict[str, str]) -> None:
    if newer := sorted(set(applied) - set(known)):
        raise SchemaError(f"the store has {', '.join(newer)}, which this version does not know; install a newer one")
    changed = [name for name, digest in applied.items() if digest != _digest(known[name])]
    if changed:
        raise SchemaError(f"{', '.join(changed)} differs from what was applied; add a new file instead of changing one")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
