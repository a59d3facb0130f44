"""The rows of the store, saved and restored: each table as tab-separated text, in pieces that a reader may ask for.

The engine's own BACKUP writes on the machine of the server, and only where its configuration allows a folder; the
embedded engine knows none, and is held by the history worker. So rows are asked for as anybody asks: of a store that
runs through its read-only door, of one that does not by opening it.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from streams.backup.manifest import BackupError, Manifest, write_packed
from streams.settings import Settings
from streams.store.ask import ask, ask_rows
from streams.store.client import WRITE, rows
from streams.store.schema.ddl import TABLES, refreshed_tables
from streams.store.schema.migrate import LEDGER, digest, migrations

FORMAT: Final = "TabSeparatedWithNames"
PIECE_ROWS: Final = 200_000
PIECE_BYTES: Final = 50_000_000
"""Of a piece, uncompressed: a reader gets no more than a few times as much in one answer."""

EXACTLY: Final = WRITE | {"optimize_on_insert": 0}
_TABLES: Final = (
    "SELECT name, sorting_key AS key FROM system.tables WHERE database = {database:String}"
    " AND engine LIKE '%MergeTree' AND name NOT LIKE '.%' ORDER BY name"
)
_PARTS: Final = (
    "SELECT partition_id AS id, sum(rows) AS count, sum(data_uncompressed_bytes) AS bytes FROM system.parts"
    " WHERE database = {database:String} AND table = {table:String} AND active GROUP BY id ORDER BY id"
)


def schema_of(settings: Settings) -> dict[str, str]:
    """Return the digest of each file of tables that the store was made by."""
    ledger = ask_rows(settings, f"SELECT name, digest FROM {LEDGER} FINAL ORDER BY name")
    return {row["name"]: row["digest"] for row in ledger if row["name"].startswith(TABLES)}


def save_rows(settings: Settings, folder: Path) -> dict[str, int]:
    """Write the rows of all tables, and return how many of each."""
    found = ask_rows(settings, _TABLES, {"database": settings.clickhouse_database})
    left_out = {LEDGER, *refreshed_tables()}
    return {
        row["name"]: _save(settings, folder, row["name"], row["key"]) for row in found if row["name"] not in left_out
    }


def _save(settings: Settings, folder: Path, table: str, key: str) -> int:
    count = 0
    for number, piece in enumerate(_pieces(settings, table, key)):
        if lines := piece.count(b"\n") - 1:
            count += lines
            write_packed(folder / "store" / table / f"{number:06}.tsv.gz", [piece])
    return count


def _pieces(settings: Settings, table: str, key: str) -> Iterator[bytes]:
    """Yield the rows of a table; parts may be merged meanwhile, but never across partitions."""
    query = (
        f"SELECT * FROM {table} WHERE _partition_id = {{id:String}}"
        f" AND cityHash64({key}) % {{pieces:UInt64}} = {{piece:UInt64}}"
    )
    for part in ask_rows(settings, _PARTS, {"database": settings.clickhouse_database, "table": table}):
        pieces = 1 + max(int(part["count"]) // PIECE_ROWS, int(part["bytes"]) // PIECE_BYTES)
        for piece in range(pieces):
            yield ask(settings, query, FORMAT, {"id": str(part["id"]), "pieces": pieces, "piece": piece})


def check_schema_of(manifest: Manifest) -> None:
    """Refuse a backup whose tables this version does not know.

    Raises
    ------
    BackupError
        With the first file that is newer or another.
    """
    known = {name: digest(text) for name, text in migrations().items() if name.startswith(TABLES)}
    if newer := sorted(set(manifest.schema) - set(known)):
        raise BackupError(f"the backup has {newer[0]}, which this version does not know; install a newer one")
    if other := sorted(name for name, found in manifest.schema.items() if known[name] != found):
        raise BackupError(f"{other[0]} is another in the backup than in this version; install the one it was made by")


def check_empty(client: Client, database: str) -> None:
    """Refuse a store that holds rows.

    Raises
    ------
    BackupError
        With the name of a table that has some.
    """
    left_out = [LEDGER, *refreshed_tables()]
    query = (
        "SELECT DISTINCT table FROM system.parts WHERE database = {database:String} AND active AND rows > 0"
        " AND table NOT IN {left:Array(String)} AND table NOT LIKE '.%' ORDER BY table LIMIT 1"
    )
    for [table] in rows(client, query, {"database": database, "left": left_out}):
        raise BackupError(f"the store holds rows of {table} already; restore into an empty one")


def restore_rows(client: Client, folder: Path, manifest: Manifest) -> None:
    """Insert the rows of a backup into the tables of an empty store.

    Raises
    ------
    BackupError
        Where there are not as many as were saved.
    """
    for table, count in manifest.rows.items():
        found = sum(_insert(client, table, file) for file in sorted((folder / "store" / table).glob("*.tsv.gz")))
        if found != count:
            raise BackupError(f"{table} has {found} rows of {count}; the backup is not whole")


def _insert(client: Client, table: str, file: Path) -> int:
    """Insert a piece, and return how many rows it has; an insert that is refused raises."""
    with gzip.open(file) as packed:
        data = packed.read()
    client.raw_insert(table, insert_block=data, fmt=FORMAT, settings=EXACTLY)
    return data.count(b"\n") - 1
