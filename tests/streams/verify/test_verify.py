"""`watchkeeper verify` says equal where both paths are whole, and names each hole."""

import time
from dataclasses import replace

import pytest

from streams.local.broker import free_port
from streams.verify.run import Verifier
from tests.support.both_paths import play, send

pytestmark = pytest.mark.store


@pytest.fixture
def settings(kafka_settings, store_settings, client):
    """Settings with topics and tables of their own."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    return kafka_settings.model_copy(update=store | {"sql_port": free_port()})


def holes(settings, since=None, until=None):
    """Return what is found."""
    return [
        (hole.what, hole.partition, hole.expected, hole.found) for hole in Verifier(settings, since, until).run().holes
    ]


def differences(client):
    """Return what makes hours untrusted, once what was written last is no longer fresh."""
    time.sleep(4)
    return [row[0] for row in client.query("SELECT reason FROM counted_differences").result_rows]


def test_whole_paths_are_equal(settings, client):
    """Late events, probes, dead letters and open ticks are no holes; what is not stored yet is said so."""
    play(settings)
    report = Verifier(settings, None, None).run()
    assert report.holes == []
    assert sum(counts.rows for counts in report.counts) == 1200
    assert sum(counts.dead_letters for counts in report.counts) == 12
    assert all(counts.window_events == counts.events > 200 for counts in report.counts)
    assert sum(counts.events + counts.not_yet_counted for counts in report.counts) == 1200 - 30
    assert differences(client) == []
    send(settings, 1200, 1210)
    again = Verifier(settings, None, None).run()
    assert again.equal
    assert sum(counts.not_yet_stored for counts in again.counts) == 10


def tick_of(client, partition):
    """Return a tick in the middle of a partition, with several events in its windows."""
    query = f"SELECT tick FROM window_messages WHERE source_partition = {partition} ORDER BY tick LIMIT 1 OFFSET 5"
    return client.query(query).result_rows[0][0]


SPOILED = {
    "window lost": (
        "DELETE FROM window_messages WHERE source_partition = 1 AND tick = {tick}",
        {("window lost", 1), ("rates differ from their windows", 1)},
    ),
    "windows lost": (
        "DELETE FROM window_messages WHERE source_partition = 1 AND tick BETWEEN {tick} AND {tick} + 9",
        {("window lost", 1), ("rates differ from their windows", 1)},
    ),
    "rows missing": (
        "DELETE FROM inferences WHERE kafka_partition = 2 AND kafka_offset BETWEEN 100 AND 110",
        {("rows missing", 2), ("rows fewer than windows", 2), ("rollup differs from its rows", 2)},
    ),
    "row doubled": (
        "INSERT INTO inferences SELECT * FROM inferences WHERE kafka_partition = 3 AND probe_id = '' LIMIT 1",
        {("row doubled", 3)},
    ),
    "rollup off": (
        "INSERT INTO service_minutes SELECT * REPLACE (events + 1 AS events)"  # noqa: ISC004
        " FROM service_minutes WHERE kafka_partition = 0 LIMIT 1",
        {("rollup differs from its rows", 0)},
    ),
    "rates lost": (
        "DELETE FROM windows WHERE source_partition = 1 AND tick = {tick} AND metric = 'error'",
        {("rates differ from their windows", 1)},
    ),
}


def test_each_hole_is_named(settings, client):
    """A window lost, a range of them, one that is partial, rows missing, one doubled, a rollup off: each by itself."""
    kept = {}

    def spoil(batch):
        if batch.partition == 0 and "done" not in kept:
            kept["done"] = True
            kept["tick"] = batch.records[60].offset
            return replace(batch, records=batch.records[:60] + batch.records[61:])
        return batch

    play(settings, spoil=spoil)
    [first] = holes(settings)
    assert first[:2] == ("window partial", 0)
    assert first[2] == first[3] + 1
    [reason] = differences(client)
    assert reason.startswith("windows hold fewer events than rows: ")
    for name, (statement, expected) in SPOILED.items():
        for table in ("inferences", "windows", "window_messages", "service_minutes"):
            client.command(f"DROP TABLE IF EXISTS kept_{table}")
            client.command(f"CREATE TABLE kept_{table} AS {table}")
            client.command(f"INSERT INTO kept_{table} SELECT * FROM {table}")
        client.command(statement.format(tick=tick_of(client, 1)))
        found = holes(settings)
        assert {hole[:2] for hole in found} - {("window partial", 0)} == expected, (name, found)
        for table in ("inferences", "windows", "window_messages", "service_minutes"):
            client.command(f"EXCHANGE TABLES {table} AND kept_{table}")
