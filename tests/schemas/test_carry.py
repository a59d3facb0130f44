"""A store that the version before made, by its own SQL, is taken over with every row."""

import json
import lzma
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from schemas.tables import INFERENCES
from streams.history.rows import Origin, Rows
from streams.history.writer import HistoryWriter
from streams.settings import load
from streams.store.client import WRITE, connect, rows
from streams.store.schema.carry import carry
from streams.store.schema.ddl import COMMENTS, REFRESHED, TABLES, VIEWS
from streams.store.schema.migrate import SchemaError, check_schema, digest, migrate, note
from tests.schemas.test_migrate import schema_of
from tests.support.histories import judge

pytestmark = pytest.mark.store

BEFORE = json.loads(lzma.decompress(Path(__file__).with_name("schema_before.json.xz").read_bytes()))
"""The ten files of the version before."""
LEDGER = (
    "CREATE TABLE IF NOT EXISTS schema_migrations (name String, digest String, applied_at DateTime DEFAULT now())"
    " ENGINE = ReplacingMergeTree ORDER BY name"
)
ORIGIN = Origin("inference.v1", "topic-id", 0, np.arange(3, dtype=np.int64))


def made_before(client, files=BEFORE):
    """Apply files as the version before did; its view that is refreshed is left out until its table is whole."""
    client.command(LEDGER)
    for name, text in files.items():
        for statement in text.split(";\n"):
            if statement.strip() and not (name[:4] == "0007" and "REFRESH AFTER" in statement):
                client.command(statement)
        note(client, {name: digest(text)})


def batch():
    """Return three events of one partition."""
    offsets = ORIGIN.offsets
    time = 1_772_409_600_000_000_000 + offsets
    columns = pa.table({
        "event_id": [str(offset) for offset in offsets], "service_name": ["shop"] * 3,
        "time": pa.array(time, pa.timestamp("ns", "UTC")), "trials": pa.array([3] * 3, pa.uint16()),
        "kafka_topic": [ORIGIN.topic] * 3, "kafka_topic_id": [ORIGIN.topic_id] * 3,
        "kafka_partition": pa.array([0] * 3, pa.int32()), "kafka_offset": offsets,
    })  # fmt: skip
    return Rows(INFERENCES, columns, offsets, np.zeros(3, np.int32), time)


@pytest.fixture
def before(store_path):
    """A client of a store of the version before, with three events that its history wrote."""
    client = connect(load(clickhouse=f"chdb://{store_path}", clickhouse_database=f"before{uuid.uuid4().hex[:8]}"))
    made_before(client)
    client.insert_arrow("inferences", batch().columns, settings=WRITE)
    client.command(
        "INSERT INTO service_hours (hour, service_name, events, unsafe_served_trials, kafka_topic_id, version)"
        " SELECT toStartOfHour(time), service_name, count(), count(), kafka_topic_id, max(kafka_offset) FROM inferences"
        " GROUP BY ALL"
    )
    yield client
    client.close()


def test_a_store_of_the_version_before_is_refused_with_the_command(before):
    """Neither a worker nor a migration touches it: both name the command that takes it over."""
    for refused in (migrate, check_schema):
        with pytest.raises(SchemaError, match="watchkeeper migrate --carry"):
            refused(before)


def test_it_is_taken_over_with_its_rows_and_history_goes_on(before, client):
    """Rows and rollups stay, what history reads again is left out, and tables and views are those of a new store."""
    applied = carry(before)
    assert {name.split("/")[0] + "/" for name in applied} == {TABLES, VIEWS, COMMENTS, REFRESHED}
    check_schema(before)
    again = HistoryWriter(before).write(ORIGIN, [batch()])
    assert (again.rows, again.left_out) == (0, 3)
    assert rows(before, "SELECT count(), uniqExact(event_id) FROM inferences") == [(3, 3)]
    assert rows(before, "SELECT sum(events) FROM service_hours_now") == [(3,)]
    judge(before)
    assert rows(before, "SELECT sum(n) FROM kpis_hourly WHERE kpi = 'unsafe_served'") == [(3,)]
    assert shapes(before) == shapes(client)


def shapes(client):
    """Return what each table and view is, whatever the order of its columns."""
    return {
        name: (text[text.rindex("ENGINE =") :] if "ENGINE =" in text else text[text.index("AS ") :],
               sorted(rows(client, f"SELECT name, type, default_expression, compression_codec FROM system.columns"
                                   f" WHERE database = currentDatabase() AND table = '{name}'")))
        for name, text in schema_of(client).items()
    }  # fmt: skip


@pytest.mark.parametrize("broken", ["streams.store.schema.carry.note", "streams.store.schema.carry.migrate"])
def test_what_is_broken_off_can_be_run_again(before, monkeypatch, broken):
    """Ended before the ledger is written or before the views are made, it is run again and comes to its end."""
    with monkeypatch.context() as ended:
        ended.setattr(broken, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            carry(before)
    if broken.endswith("note"):
        carry(before)
    else:
        migrate(before)
    check_schema(before)
    assert rows(before, "SELECT count() FROM inferences") == [(3,)]


def test_what_is_not_of_that_version_is_refused(client, store_path):
    """A store of today needs no carrying, and one that lacks the last files has to get them first."""
    with pytest.raises(SchemaError, match="without --carry"):
        carry(client)
    with connect(load(clickhouse=f"chdb://{store_path}", clickhouse_database="older")) as older:
        made_before(older, {name: text for name, text in BEFORE.items() if name < "0003"})
        with pytest.raises(SchemaError, match=r"0010_reasons\.sql.*its own `watchkeeper migrate` first"):
            carry(older)
