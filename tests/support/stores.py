"""Databases with all tables: one of its own, and one for one test after another, emptied between.

The tables alone take seconds, and as long as a database is there its views are refreshed: none is left behind.
"""

from contextlib import contextmanager

from streams.store.client import connect, rows
from streams.store.schema.migrate import migrate

_LEDGER = "schema_migrations"
_SCHEMA = "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() AND name NOT LIKE '.%'"
_FILLED = f"SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() AND table != '{_LEDGER}'"
_PUT_ASIDE = "SELECT count() FROM system.detached_parts WHERE database = currentDatabase()"
_REFRESHED = "SELECT view FROM system.view_refreshes WHERE database = currentDatabase()"


@contextmanager
def own_database(settings):
    """Give a client of a database with all tables, that is dropped afterwards."""
    with connect(settings) as client:
        migrate(client)
        try:
            yield client
        finally:
            client.command(f"DROP DATABASE IF EXISTS {settings.clickhouse_database} SYNC")


def left_alone(client):
    """Refresh the views of a database no more: nothing is written to it again."""
    for [view] in rows(client, _REFRESHED):
        client.command(f"SYSTEM STOP VIEW {view}")


class SharedStore:
    """A database that is as good as new for everyone who gets it.

    Who changed its tables, their data on disk or its ledger leaves it unusable: then it is made anew.
    """

    def __init__(self, settings):
        self._settings = settings
        self._client = connect(settings)
        self._made = None

    @contextmanager
    def given(self):
        """Give the settings of the database; afterwards it is emptied."""
        if self._made is None:
            self._make()
        try:
            yield self._settings
        finally:
            self._empty()

    def close(self):
        """Let go of the store."""
        self._client.close()

    def _make(self):
        self._client.command(f"DROP DATABASE IF EXISTS {self._settings.clickhouse_database} SYNC")
        self._client = connect(self._settings)
        migrate(self._client)
        self._made = self._state()

    def _empty(self):
        """Empty every table, unless there is more to mend; a refresh that is under way would fill one again."""
        if self._state() != self._made:
            self._made = None
            return
        for [view] in rows(self._client, f"{_REFRESHED} AND status = 'Running'"):
            self._client.command(f"SYSTEM WAIT VIEW {view}")
        for [table] in rows(self._client, _FILLED):
            self._client.command(f"TRUNCATE TABLE {table}")

    def _state(self):
        tables = sorted(rows(self._client, _SCHEMA))
        ledger = rows(self._client, f"SELECT * FROM {_LEDGER}") if _LEDGER in dict(tables) else []
        return tables, sorted(ledger), rows(self._client, _PUT_ASIDE)
