"""Takes out of the store what names somebody: rows stay, with what counts them, and name nobody any more.

A row that went would be missing where its minute is made anew. So what names a person, and what leads to one, is
replaced or emptied where it stands; sums of a tenant are written again under a name that says nothing.
"""

from collections.abc import Iterable
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from schemas.fields import NANO
from schemas.sql import query
from streams.erasure.subjects import COLUMNS, Known, Named
from streams.erasure.tables import EVENTS, HERE, Table, tables
from streams.erasure.texts import JSON, candidates, pattern, unescaped
from streams.store.client import WRITE, rows

_SYNC: Final = {"mutations_sync": 2}


def whom(client: Client, known: Known) -> list[Named]:
    """Return who of those that are to be erased is named anywhere in the store."""
    found: list[Named] = []
    for subject in sorted(known.subjects):
        column = COLUMNS[subject]
        named = tuple(each.name for each in tables(client) if column in each.types)
        text = query(HERE, "values", tables=named, column=column, documents=JSON)
        said = rows(client, text, {"pattern": candidates(subject)})
        values = {str(value) for value, escaped in said if not escaped}
        values |= unescaped(str(value) for value, escaped in said if escaped)
        found += known.among(subject, values)
    return found


def erase(client: Client, named: Iterable[Named]) -> int:
    """Take somebody out of all tables, and return how many rows that changed; may be broken off and done again."""
    changed = 0
    every = tables(client)
    for each in named:
        parameters = {
            "value": each.value, "instead": each.instead, "instead_between": rf"\1{each.instead}\2",
            "pattern": pattern(each.value), "until": each.until / NANO,
        }  # fmt: skip
        if each.subject != "tenant":
            changed += _forget_why(client, each, parameters)
        for table in every:
            changed += _change(client, table, each, parameters)
            if COLUMNS[each.subject] in table.keys:
                changed += _move(client, table, COLUMNS[each.subject], parameters)
    return changed


def _change(client: Client, table: Table, named: Named, parameters: dict[str, Any]) -> int:
    changes = table.changes(named)
    if changes is None:
        return 0
    sets, where = changes
    return _alter(client, table.name, f"UPDATE {sets}", f"({where}) AND {_until(table)}", parameters)


def _move(client: Client, table: Table, column: str, parameters: dict[str, Any]) -> int:
    """Write rows again whose order has somebody in it, under what stands instead, and delete them."""
    columns = ", ".join(table.types)
    where = f"{column} = {{value:String}} AND {_until(table)}"
    chosen = ", ".join(f"{{instead:String}} AS {name}" if name == column else name for name in table.types)
    source = f"(SELECT * FROM {table.name} FINAL WHERE {where})"
    client.command(
        f"INSERT INTO {table.name} ({columns}) SELECT {chosen} FROM {source}", parameters=parameters, settings=WRITE
    )
    return _alter(client, table.name, "DELETE", where, parameters)


def _forget_why(client: Client, named: Named, parameters: dict[str, Any]) -> int:
    """Empty what people wrote about somebody's events; that they judged them, and how, stays."""
    theirs = " UNION ALL ".join(
        f"SELECT event_id FROM {each} WHERE {COLUMNS[named.subject]} = {{value:String}}" for each in EVENTS
    )
    where = f"explanation_ref != '' AND target_event_id IN ({theirs})"
    return _alter(client, "review_labels", "UPDATE explanation_ref = ''", where, parameters)


def _alter(client: Client, table: str, does: str, where: str, parameters: dict[str, Any]) -> int:
    [(number,)] = rows(client, f"SELECT count() FROM {table} WHERE {where}", parameters)
    if number:
        client.command(f"ALTER TABLE {table} {does} WHERE {where}", parameters=parameters, settings=_SYNC)
    return int(number)


def _until(table: Table) -> str:
    if table.name == "dead_letters":  # a record that comes again is refused again, at another time
        return "true"
    return f"{table.time} <= toDateTime64({{until:Float64}}, 9, 'UTC')"
