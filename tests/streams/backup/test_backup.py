"""What is restored from a backup is equal, also where events came while it was made."""

import asyncio

import pytest
from kafka import TopicPartition

from schemas.topics import CHECKPOINTS, INFERENCE, TOPICS
from streams.audit.log import entry, note
from streams.backup.manifest import BackupError
from streams.backup.run import backup, restore
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import admin, client_arguments, cluster_topics, topic_states
from streams.local.broker import free_port
from streams.store.client import rows
from streams.verify.run import Verifier
from tests.support.both_paths import commit, history, play, send, watch

pytestmark = pytest.mark.store

FILLED = (
    "SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() AND active AND table NOT LIKE '.%'"
    " AND table NOT IN ('schema_migrations', 'trust_hours')"
)
ROLLED_UP = "service_minutes_now", "category_minutes_now", "counted_differences"


@pytest.fixture
def settings(kafka_settings, store_settings, client):
    """Settings with topics and tables of their own."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    return kafka_settings.model_copy(update=store | {"sql_port": free_port()})


def quiet(said):
    """Do nothing about what is said."""


def asked(client, query):
    """Return the rows of an answer as text, in order."""
    return sorted(client.raw_query(query, fmt="TabSeparated").splitlines())


def rows_of(client):
    """Return all rows of all tables, merged."""
    return {table: asked(client, f"SELECT * FROM {table} FINAL") for [table] in rows(client, FILLED)}


async def records_of(settings):
    """Return all records that topics hold, with their places and times; of what is compacted, the last."""
    with admin(settings) as kafka:
        states = topic_states(kafka, settings)
    topics = [states[settings.topic(topic.name)] for topic in TOPICS]
    compacted, last, found = settings.topic(CHECKPOINTS.name), {}, []
    async for each in LogReader(client_arguments(settings)).whole(topics):
        if each.topic == compacted:
            last[each.key] = each.value
        else:
            found.append((each.topic, each.partition, each.offset, each.timestamp, each.key, each.value, each.headers))
    return last, found


def lose_topics(settings):
    """Lose Kafka's topics."""
    with admin(settings) as kafka:
        kafka.delete_topics([name for name in cluster_topics(kafka) if name.startswith(settings.topic_prefix)])


def lose(settings, client, folder):
    """Lose Kafka's topics and the store's rows, and return the settings of an installation that begins."""
    lose_topics(settings)
    for [table] in rows(client, FILLED):
        client.command(f"TRUNCATE TABLE {table}")
    return settings.model_copy(update={"data_dir": folder})


def go_on(settings, first, end):
    """Send more events, and take them through both paths from where these are."""
    send(settings, first, end)
    asyncio.run(watch(settings))
    asyncio.run(history(settings))
    commit(settings)


def test_a_backup_is_equal_to_the_record(settings, client, tmp_path):
    """Rows, records, their offsets and times, ids and acknowledged offsets are those before, of a log that was cut."""
    play(settings, 400)
    note(settings, [entry("token_created", about="kim")])
    with admin(settings) as kafka:
        kafka.delete_records({TopicPartition(settings.topic(INFERENCE.name), 0): 30})
        states = topic_states(kafka, settings)
    before = rows_of(client), asyncio.run(records_of(settings))
    backup(settings, tmp_path / "saved", quiet)
    with pytest.raises(BackupError, match="not empty"):
        backup(settings, tmp_path / "saved", quiet)
    with pytest.raises(BackupError, match="audit is there already"):
        restore(settings, tmp_path / "saved", quiet)
    there = settings.model_copy(update={"data_dir": tmp_path / "other"})
    with pytest.raises(BackupError, match=r"has .*\.v1 already"):
        restore(there, tmp_path / "saved", quiet)
    lose_topics(settings)
    with pytest.raises(BackupError, match="holds rows of agent_steps already"):
        restore(there, tmp_path / "saved", quiet)
    other = lose(settings, client, tmp_path / "other")
    restore(other, tmp_path / "saved", quiet)
    assert (rows_of(client), asyncio.run(records_of(other))) == before
    with admin(other) as kafka:
        restored = topic_states(kafka, other)
        assert {name: restored[name] for name in states if name in restored} == {
            name: state for name, state in states.items() if name in restored
        }
        group = f"{other.topic_prefix}watchkeeper-history"
        assert sum(at.offset for at in kafka.list_group_offsets({group: None})[group].values()) > 400
    report = Verifier(other, None, None).run()
    assert report.holes == []
    assert sum(counts.rows for counts in report.counts) == 400


def test_events_that_come_meanwhile_are_neither_lost_nor_doubled(settings, client, tmp_path):
    """Between the steps of a backup 800 events are stored and counted; restored and caught up, all is as it was."""
    play(settings, 400)
    more = iter((400, 800))

    def meanwhile(said):
        first = next(more)
        go_on(settings, first, first + 400)

    backup(settings, tmp_path / "saved", meanwhile)
    assert next(more, None) is None
    before = {table: asked(client, f"SELECT * FROM {table} FINAL") for table in ("inferences", "agent_steps")}
    before |= {view: asked(client, f"SELECT * FROM {view}") for view in ROLLED_UP}
    other = lose(settings, client, tmp_path / "other")
    restore(other, tmp_path / "saved", quiet)
    assert len(asked(client, "SELECT * FROM inferences FINAL")) < len(before["inferences"])
    go_on(other, 1200, 1200)
    after = {name: asked(client, f"SELECT * FROM {name}{'' if name in ROLLED_UP else ' FINAL'}") for name in before}
    assert after == before
    report = Verifier(other, None, None).run()
    assert report.holes == []
    assert sum(counts.rows for counts in report.counts) == 1200
