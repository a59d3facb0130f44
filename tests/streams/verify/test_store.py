"""A store that was lost says so, is filled again, and a part that can't be read is named."""

import asyncio
from functools import partial

import pytest
from prometheus_client import REGISTRY

from streams.health.problems import PROBLEMS
from streams.history.topics import tables_of
from streams.local.broker import free_port
from streams.store.client import connect
from streams.store.keeper import StoreWatch
from streams.store.parts import Parts, put_aside
from streams.store.rebuild import rebuild
from streams.store.schema.migrate import migrate
from streams.verify.run import Verifier
from tests.support.both_paths import commit, history, history_stage, play

pytestmark = pytest.mark.store


@pytest.fixture
def settings(kafka_settings, store_settings, client):
    """Settings with topics and tables of their own."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    return kafka_settings.model_copy(update=store | {"sql_port": free_port()})


def look(settings):
    """Look at the store once, as history does, and return the problems."""
    stage = history_stage(settings)
    StoreWatch(settings, partial(connect, settings), tables_of(settings), stage._gives_rows).look()
    return PROBLEMS.current()


def test_a_lost_store_says_so_and_is_filled_again(settings, client):
    """With rows missing that were acknowledged health says which and what mends it; afterwards all is equal again."""
    play(settings, 400)
    assert look(settings) == {}
    client.command(f"DROP DATABASE {settings.clickhouse_database}")
    other = connect(settings)
    migrate(other)
    reason = look(settings)["store lost"]
    assert f"{settings.topic('inference.v1')}/0 offsets 0 to 99" in reason
    assert "watchkeeper rebuild" in reason
    assert REGISTRY.get_sample_value("watchkeeper_problem", {"name": "store lost"}) == 1
    assert {hole.what for hole in Verifier(settings, None, None).run().holes} == {"rows missing"}
    said = []
    rebuild(settings, said.append)
    assert "from the beginning" in said[-1]
    assert look(settings) == {}
    for _ in range(2):  # again changes nothing
        asyncio.run(history(settings))
    commit(settings)
    assert look(settings) == {}
    assert Verifier(settings, None, None).run().equal
    assert other.query("SELECT count() FROM inferences").result_rows[0][0] > 300


def test_a_part_that_cannot_be_read_is_named_and_put_aside(client):
    """Sixty-four bytes that changed are found without a query that reads them; without the part all can be read."""
    from pathlib import Path

    for first in (0, 10):
        client.command(
            f"INSERT INTO telemetry (event_id, time, kafka_offset) SELECT toString(rand64()), now(), number + {first}"
            " FROM numbers(10)"
        )
    parts = Parts()
    assert parts.check(client, every=True) == {}
    [path, name] = client.query(
        "SELECT path, name FROM system.parts WHERE active AND table = 'telemetry'"
        " AND database = currentDatabase() LIMIT 1"
    ).result_rows[0]
    file = max(Path(path).glob("*.bin"), key=lambda file: file.stat().st_size)
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(byte ^ 255 for byte in data[middle : middle + 64])
    file.write_bytes(data)
    [((table, part), reason)] = Parts().check(client, every=True).items()
    assert (table, part) == ("telemetry", name)
    assert "hecksum" in reason
    assert put_aside(client) == [("telemetry", name)]
    assert Parts().check(client, every=True) == {}
    assert client.query("SELECT uniqExact(event_id) FROM telemetry").result_rows[0][0] == 10
