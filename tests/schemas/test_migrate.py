"""The schema is applied once, in an order in which nothing is refreshed while it changes."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

import streams.store.schema.migrate
from streams.settings import load
from streams.store.client import connect, rows
from streams.store.schema.ddl import COMMENTS, REFRESHED, TABLES, VIEWS, refreshed_views, schema, views
from streams.store.schema.migrate import SchemaError, check_schema, migrate, migrations
from tests.support.histories import judge

pytestmark = pytest.mark.store


def changed(monkeypatch, **files):
    """Have the code know other files: `t` a first table, `v` a last view, each given by its text."""
    known = {
        f"{TABLES}9999_{name}.sql" if name[0] == "t" else f"{VIEWS}99_{name}.sql": text for name, text in files.items()
    }
    tables = {name: text for name, text in schema().items() if name.startswith(TABLES)}
    others = {name: text for name, text in schema().items() if not name.startswith(TABLES)}
    news = [{name: text for name, text in known.items() if name.startswith(folder)} for folder in (TABLES, VIEWS)]
    refreshed = {name: text for name, text in others.items() if name.startswith((COMMENTS, REFRESHED))}
    plain = {name: text for name, text in others.items() if name not in refreshed}
    monkeypatch.setattr(
        "streams.store.schema.migrate.migrations", lambda: tables | news[0] | plain | news[1] | refreshed
    )


def test_a_table_is_locked_by_what_was_applied(client, monkeypatch):
    """A second run does nothing; a changed table, a missing one and a newer store are refused by name."""
    assert migrate(client) == []
    check_schema(client)
    known = migrations()
    name = next(iter(known))
    monkeypatch.setattr("streams.store.schema.migrate.migrations", lambda: known | {name: "SELECT 2"})
    with pytest.raises(SchemaError, match="instead of changing"):
        check_schema(client)
    monkeypatch.setattr(
        "streams.store.schema.migrate.migrations", lambda: {f"{TABLES}0000_new.sql": "SELECT 1"} | known
    )
    with pytest.raises(SchemaError, match="watchkeeper migrate"):
        check_schema(client)
    monkeypatch.setattr(
        "streams.store.schema.migrate.migrations", lambda: {k: v for k, v in known.items() if k != name}
    )
    with pytest.raises(SchemaError, match="newer"):
        check_schema(client)


def test_a_view_follows_its_text(client, monkeypatch):
    """A view that differs is made again with all that come after it, what is refreshed too, and nothing else."""
    changed(monkeypatch, v="CREATE OR REPLACE VIEW sevens AS SELECT 7 AS seven")
    refreshed = [name for name in schema() if name.startswith((COMMENTS, REFRESHED))]
    assert migrate(client) == [f"{VIEWS}99_v.sql", *refreshed]
    changed(monkeypatch, v="CREATE OR REPLACE VIEW sevens AS SELECT 8 AS seven")
    with pytest.raises(SchemaError, match=r"99_v\.sql.*watchkeeper migrate"):
        check_schema(client)
    migrate(client)
    assert rows(client, "SELECT seven FROM sevens") == [(8,)]
    check_schema(client)


def test_all_views_follow_a_new_table(client, monkeypatch):
    """Views know the types of their columns, so that a change of a table makes them all again."""
    changed(monkeypatch, t="ALTER TABLE findings MODIFY COLUMN evidence LowCardinality(String)")
    assert migrate(client) == [f"{TABLES}9999_t.sql", *(name for name in schema() if not name.startswith(TABLES))]


def test_the_order_leaves_nothing_to_refresh_while_it_changes():
    """Tables come first and hold no view; views replace themselves; what is refreshed comes last."""
    folders = [name.split("/")[0] + "/" for name in schema()]
    order = [TABLES, VIEWS, COMMENTS, REFRESHED]
    assert folders == sorted(folders, key=order.index)
    assert all("VIEW" not in text for name, text in schema().items() if name.startswith(TABLES))
    assert refreshed_views()
    assert (
        len(set(views()))
        == len(views())
        == sum(text.count("CREATE ") for name, text in schema().items() if name.startswith(VIEWS))
    )


def test_stores_change_side_by_side(store_path, monkeypatch):
    """Several are made at once and changed under views that refresh: no change is lost, and all refresh again."""
    clients = [connect(load(clickhouse=f"chdb://{store_path}", clickhouse_database=f"beside{n}")) for n in range(3)]
    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(migrate, clients))
        changed(monkeypatch, t="ALTER TABLE trust_hours ADD COLUMN seen UInt8")
        list(pool.map(lambda client: client.command("SYSTEM REFRESH VIEW trust_hours_judged"), clients))
        list(pool.map(migrate, clients))
        for client in clients:
            judge(client)
            assert "seen" in {row[0] for row in rows(client, "DESCRIBE TABLE trust_hours")}
            client.close()


def schema_of(client):
    """Return how each table and view would be made; a view that is refreshed right now has a table with a dot."""
    query = (
        "SELECT name, replace(create_table_query, currentDatabase(), '') FROM system.tables"
        " WHERE database = currentDatabase() AND name NOT LIKE '.%'"
    )
    return dict(rows(client, query))


class BrokenOffError(Exception):
    """Ends a migration in the middle."""


def ended_after(statements, apply=streams.store.schema.migrate._apply):
    """Return what runs statements of migrations, so many."""
    left = iter(range(statements))

    def counted(client, statement, *, again):
        if next(left, None) is None:
            raise BrokenOffError
        apply(client, statement, again=again)

    return counted


def test_a_migration_that_is_broken_off_is_taken_up_again(client, store_path, monkeypatch):
    """Ended again and again, a little later each time, it comes to the very schema of one that was not."""
    with connect(load(clickhouse=f"chdb://{store_path}", clickhouse_database="broken_off")) as other:
        for broken_off in count():
            monkeypatch.setattr("streams.store.schema.migrate._apply", ended_after(1 + 3 * broken_off))
            try:
                migrate(other)
                break
            except BrokenOffError:
                with pytest.raises(SchemaError, match="watchkeeper migrate"):
                    check_schema(other)
        assert broken_off > 4
        check_schema(other)
        assert schema_of(other) == schema_of(client)
