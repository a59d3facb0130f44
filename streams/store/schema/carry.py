"""Takes over a store that was made before tables and views had folders of their own.

Its tables are those of today, so they stay where they are with every row: offsets and fences are in the rows, and the
history worker goes on where it was. What changes is the ledger, and the views, which are made anew.
"""

from typing import Final

from clickhouse_connect.driver.client import Client

from streams.store.client import rows
from streams.store.schema.ddl import TABLES, views
from streams.store.schema.migrate import SchemaError, digest, ledger_of, migrate, migrations, note, stop_refreshing

_BEFORE: Final = {
    "0001_events.sql": "2283124eff4f8514df5a8d79340e29470a7ac9ecf4d280b287db9d13721d6205",
    "0002_records.sql": "07774a6fb963b226e025ff072cc42eab92815098e0fe25c230b4b2db7ed028f0",
    "0003_rollups.sql": "03fc705b3410667519c666bdc0ae3fe7854fcd90319ceb5bb829eb39443a96b4",
    "0004_detectors.sql": "92a691efd98cf23aebe52c9c6dc1ef54dd820ab27da4357c0db26a082cd5ca3d",
    "0005_incidents.sql": "f32df82124929cefdd309fa17d6f700abda99b8d1c45531832cb74132b69e7cb",
    "0006_kpis.sql": "209163e1430c3409e921efaf45247c97d01ce7da4838ce874344a81c2ec604ed",
    "0007_trust.sql": "cf51f7e2a2b9d18312ee352f2b4e8c485f6d888ffc97d98d93b3ac3cedc0d4a9",
    "0008_cheaper_views.sql": "8d35a47c7c15bd1c5817a8060469c5e908a73be007b8f7e447b33358fc16ca46",
    "0009_two_paths.sql": "7e7422ea6f731cd4ec40b59e20ea7a02a5738e43a4e409272e1b8617e12ca58e",
    "0010_reasons.sql": "7bf10bb194ceb415e8175574e164e13c3b2015e3909d4423bc630e2cb93d3adc",
}
"""The files that made such a store, and their digests: all of them, or the tables are others."""
_ADOPTED: Final = tuple(f"{TABLES}{name}" for name in (
    "0001_events.sql", "0002_records.sql", "0003_incidents.sql", "0004_findings.sql", "0005_rollups.sql",
    "0006_two_paths.sql", "0007_trust.sql",
))  # fmt: skip
"""What today would have made the same tables."""


def carry(client: Client) -> list[str]:
    """Take a store of the version before over, and return what was applied; may be broken off and run again.

    Nothing that holds rows is copied, changed or dropped.

    Raises
    ------
    SchemaError
        Where the store is not of that version as it ended.
    """
    ledger = ledger_of(client)
    found = {name: ledger[name] for name in ledger if name in _BEFORE}
    if not found:
        raise SchemaError("the store is not of an earlier version; run `watchkeeper migrate` without --carry")
    if found != _BEFORE:
        lacking = ", ".join(sorted(name for name, applied in _BEFORE.items() if found.get(name) != applied))
        raise SchemaError(f"the store lacks {lacking} as that version ended; run its own `watchkeeper migrate` first")
    stop_refreshing(client)
    _drop_old_views(client)
    known = migrations()
    note(client, {name: digest(known[name]) for name in _ADOPTED})
    client.command(
        "ALTER TABLE schema_migrations DELETE WHERE name IN {names:Array(String)}",
        parameters={"names": list(_BEFORE)},
        settings={"mutations_sync": 2},
    )
    return migrate(client)


def _drop_old_views(client: Client) -> None:
    """Drop views of single KPIs, which `kpis_hourly` has in one; others of today are replaced."""
    query = (
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"
        " AND startsWith(name, 'kpi_') AND name NOT IN {known:Array(String)}"
    )
    for (name,) in rows(client, query, {"known": views()}):
        client.command(f"DROP VIEW IF EXISTS {name} SYNC")
