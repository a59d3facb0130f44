"""The SQL is the physical form of the structs."""

import msgspec
import pytest

from schemas.guards import GuardResult
from schemas.tables import BASES, GUARD_VERDICTS, PROVENANCE
from streams.store.client import rows

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
