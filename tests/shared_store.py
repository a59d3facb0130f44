"""One database for one test after another: all its tables are made once, and emptied between."""

from contextlib import contextmanager

from streams.migrate import migrate
from streams.storage import connect, rows

_LEDGER = "schema_migrations"
_SCHEMA = "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() AND name NOT LIKE '.%'"
_FILLED = f"SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() AND table != '{_LEDGER}'"
_PUT_ASIDE = "SELECT count() FROM system.detached_parts WHERE database = currentDatabase()"
_REFRESHED = "SELECT view FROM system.view_refreshes WHERE database = currentDatabase()"


class SharedStore:
    """A database that is as good as new for everyone who gets it.

    Who changed its tables, their data on disk or its ledger leaves it unusable: then it is made anew. What an own
    database would have cost is the tables, which take seconds, and views that are refreshed in it as long as it is
    there.
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
        filled = rows(self._client, _FILLED)
        for [view] in rows(self._client, _REFRESHED) if filled else ():
            self._client.command(f"SYSTEM STOP VIEW {view}")
        for [table] in filled:
            self._client.command(f"TRUNCATE TABLE {table}")
        for [view] in rows(self._client, _REFRESHED) if filled else ():
            self._client.command(f"SYSTEM START VIEW {view}")

    def _state(self):
        client = self._client
        ledger = (
            rows(client, "SELECT * FROM schema_migrations") if rows(client, "EXISTS schema_migrations")[0][0] else []
        )
        return sorted(rows(client, _SCHEMA)), sorted(ledger), rows(client, _PUT_ASIDE)
