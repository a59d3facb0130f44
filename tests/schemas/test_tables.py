"""The SQL is the physical form of the structs."""

from itertools import count

import msgspec
import pytest

import streams.store.migrate
from schemas.guards import GuardResult
from schemas.tables import BASES, GUARD_VERDICTS, PROVENANCE
from streams.settings import load
from streams.store.client import connect, rows
from streams.store.migrate import SchemaError, check_schema, migrate, migrations

pytestmark = pytest.mark.store


def columns_of(client, name) -> set[str]:
    """Return the columns of a table."""
    return {row[0] for row in rows(client, f"DESCRIBE TABLE {name}")}


def expected(kind, left_out=()) -> set[str]:
    """Return the columns that the fields of a struct become."""
    found = set()
    for field in msgspec.structs.fields(kind):
        if field.name in left_out:
            continue
        name = "time" if field.name == "time_unix_nano" else field.name.replace("_time_unix_nano", "_time")
        if field.name == "stage_latency_ms":
            found |= {f"stage_latency_{part}_ms" for part in ("ingest", "retrieval", "inference", "approval", "action")}
        elif field.name in ("documents", "findings"):
            inner = field.type.__args__[0].__args__[0]
            found |= {f"{name}_{part.name}" for part in msgspec.structs.fields(inner)}
        else:
            found.add(name)
    return found


@pytest.mark.parametrize("table", [table for table in BASES if table.kind], ids=lambda table: table.name)
def test_columns_are_the_fields_of_the_struct(client, table):
    """Neither the SQL nor the struct has a field that the other lacks."""
    wanted = expected(table.kind, table.left_out) | set(table.computed) | set(PROVENANCE)
    if table is GUARD_VERDICTS:
        wanted |= expected(GuardResult)
    assert columns_of(client, table.name) == wanted


def test_migrations_apply_once_and_refuse_surprises(client, monkeypatch):
    """A second run does nothing; a changed file, a missing one and a newer store are refused by name."""
    assert migrate(client) == []
    check_schema(client)
    known = migrations()
    name = next(iter(known))
    monkeypatch.setattr("streams.store.migrate.migrations", lambda: known | {name: "SELECT 2"})
    with pytest.raises(SchemaError, match="instead of changing"):
        check_schema(client)
    monkeypatch.setattr("streams.store.migrate.migrations", lambda: known | {"9999_new.sql": "SELECT 1"})
    with pytest.raises(SchemaError, match="watchkeeper migrate"):
        check_schema(client)
    monkeypatch.setattr("streams.store.migrate.migrations", lambda: {k: v for k, v in known.items() if k != name})
    with pytest.raises(SchemaError, match="newer"):
        check_schema(client)


def schema_of(client):
    """Return how each table and view would be made; a view that is refreshed right now has a table with a dot."""
    query = (
        "SELECT name, replace(create_table_query, currentDatabase(), '') FROM system.tables"
        " WHERE database = currentDatabase() AND name NOT LIKE '.%'"
    )
    return dict(rows(client, query))


class BrokenOffError(Exception):
    """Ends a migration in the middle."""


def ended_after(statements, apply=streams.store.migrate._apply):
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
            monkeypatch.setattr("streams.store.migrate._apply", ended_after(2 + 5 * broken_off))
            try:
                migrate(other)
                break
            except BrokenOffError:
                with pytest.raises(SchemaError, match="watchkeeper migrate"):
                    check_schema(other)
        assert broken_off > 8
        check_schema(other)
        assert schema_of(other) == schema_of(client)
        other.command("DROP DATABASE broken_off SYNC")


def test_hours_of_stored_minutes_are_filled_in(store_path, monkeypatch):
    """A store that held minutes before there were hours has its hours after the migration."""
    client, known = connect(load(clickhouse=f"chdb://{store_path}", clickhouse_database="minutes_alone")), migrations()
    with monkeypatch.context() as before:
        before.setattr("streams.store.migrate.migrations", lambda: dict(list(known.items())[:5]))
        migrate(client)
    client.command(
        "INSERT INTO service_minutes (minute, service_name, events, latency_bins) "
        "SELECT toDateTime('2026-03-02 07:00:00', 'UTC') + number * 1200, 'a', 2, map(80, 2) FROM numbers(4)"
    )
    assert migrate(client) == list(known)[5:]
    found = rows(client, "SELECT toHour(hour), events, latency_bins FROM service_hours_now ORDER BY hour")
    assert found == [(7, 6, {80: 6}), (8, 2, {80: 2})]
    client.command("DROP DATABASE minutes_alone SYNC")
    client.close()
