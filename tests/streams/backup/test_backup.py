"""What is restored from a backup is equal, also where events came while it was made."""

import asyncio
import shlex

import pytest
from kafka import TopicPartition
from msgspec.structs import replace
from typer.testing import CliRunner

from schemas.topics import CHECKPOINTS, DEAD_LETTERS, INFERENCE, RESTORED, TOPICS
from streams.audit.log import entry, note
from streams.backup import tables
from streams.backup.files import settings_lines
from streams.backup.log import groups_of
from streams.backup.manifest import BackupError, Manifest, write_packed
from streams.backup.run import backup, restore
from streams.backup.tables import restore_rows
from streams.commands.main import app
from streams.kafka.letters import send_again
from streams.kafka.log_reader import LogReader
from streams.kafka.sending import send_all
from streams.kafka.topics import TopicError, admin, check_topics, client_arguments, known_topics, topic_states
from streams.local.broker import free_port
from streams.production.asked import kafka_gaps
from streams.store.client import rows
from streams.verify.run import Verifier
from tests.streams.console.test_letters import letter
from tests.support.both_paths import commit, history, play, send, watch
from tests.support.waiting import wait_until

pytestmark = pytest.mark.store

FILLED = (
    "SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() AND active AND table NOT LIKE '.%'"
    " AND table != 'schema_migrations'"
)
REFRESHED = "SELECT view FROM system.view_refreshes WHERE database = currentDatabase() AND status = 'Running'"
BY_THE_CLOCK = {"trust_hours", "trap_hours"}
"""Tables that views are refreshed into, whenever that is."""
EMPTY = Manifest(made="2026-11-28", topic_prefix="", schema={}, topics={}, groups={}, rows={}, secrets=[])
ROLLED_UP = "service_minutes_now", "category_minutes_now"


@pytest.fixture
def settings(kafka_settings, store_settings, client):
    """Settings with topics and tables of their own."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    return kafka_settings.model_copy(update=store | {"sql_port": free_port()})


def quiet(said):
    """Do nothing about what is said."""


def said(settings, *command):
    """Run a command, its settings as a backup writes them down, and return what it says or why it does not."""
    environment = dict(line.partition("=")[::2] for line in settings_lines(settings))
    result = CliRunner().invoke(app, command, env={name: shlex.split(value)[0] for name, value in environment.items()})
    return result.stdout if result.exception is None else str(result.exception)


def asked(client, query):
    """Return the rows of an answer as text, in order."""
    return sorted(client.raw_query(query, fmt="TabSeparated").splitlines())


def rows_of(client):
    """Return all rows of all tables, merged."""
    names = {table for [table] in rows(client, FILLED)} - BY_THE_CLOCK
    return {table: asked(client, f"SELECT * FROM {table} FINAL") for table in names}


async def records_of(settings):
    """Return all records that topics hold, with their places and times; of what is compacted, the last."""
    with admin(settings) as kafka:
        states = known_topics(kafka, settings)
    topics = [states[settings.topic(topic.name)] for topic in TOPICS]
    compacted, last, found = settings.topic(CHECKPOINTS.name), {}, []
    async for each in LogReader(client_arguments(settings)).whole(topics):
        if each.topic == compacted:
            last[each.key] = each.value
        else:
            found.append((each.topic, each.partition, each.offset, each.timestamp, each.key, each.value, each.headers))
    return last, found


def ours(settings, states):
    """Return those topics of the broker that are of this test."""
    return {name: state for name, state in states.items() if name.startswith(settings.topic_prefix)}


def as_agreed(settings):
    """Tell whether topics have the settings of the contract; a broker hears of them a little later."""
    try:
        check_topics(settings, TOPICS)
    except TopicError:
        return False
    return "topic retention" not in [gap.check for gap in kafka_gaps(settings)]


def lose_topics(settings):
    """Lose Kafka's topics."""
    with admin(settings) as kafka:
        kafka.delete_topics(list(ours(settings, topic_states(kafka))))
        wait_until(lambda: not ours(settings, topic_states(kafka)))


def lose(settings, client, folder):
    """Lose Kafka's topics and the store's rows, and return the settings of an installation that begins."""
    lose_topics(settings)
    for [view] in rows(client, REFRESHED):
        client.command(f"SYSTEM WAIT VIEW {view}")
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
        states = known_topics(kafka, settings)
        committed = kafka.list_group_offsets({f"{settings.topic_prefix}watchkeeper-history": None})
    before = rows_of(client), asyncio.run(records_of(settings))
    saved = str(tmp_path / "saved")
    assert "saved in" in said(settings, "backup", saved)
    assert "is not empty" in said(settings, "backup", saved)
    assert "audit is there already" in said(settings, "restore", saved)
    there = settings.model_copy(update={"data_dir": tmp_path / "other"})
    assert ".v1 already" in said(there, "restore", saved)
    lose_topics(settings)
    assert "holds rows of agent_steps already" in said(there, "restore", saved)
    other = lose(settings, client, tmp_path / "other")
    assert "restored: " in said(other, "restore", saved)
    assert other.data_dir.stat().st_mode & 0o777 == 0o700
    assert (rows_of(client), asyncio.run(records_of(other))) == before
    with admin(other) as kafka:
        restored = ours(other, known_topics(kafka, other))
        assert restored.pop(other.topic(RESTORED.name))
        assert restored == ours(settings, states)
        group = f"{other.topic_prefix}watchkeeper-history"
        assert kafka.list_group_offsets({group: None}) == committed
    wait_until(lambda: as_agreed(other))
    report = Verifier(other, None, None).run()
    assert report.holes == []
    assert sum(counts.rows for counts in report.counts) == 400


def test_events_that_come_meanwhile_are_neither_lost_nor_doubled(settings, client, tmp_path, monkeypatch):
    """Between the steps of a backup 800 events are stored and counted; restored and caught up, all is as it was."""
    monkeypatch.setattr(tables, "PIECE_ROWS", 150)  # several pieces of a partition
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


def test_what_was_sent_again_is_not_sent_twice_after_a_restore(settings, client, tmp_path):
    """Kafka forgets groups with their topics; restored, it knows which refused records were sent again."""
    send_all(settings, DEAD_LETTERS, [letter(settings, INFERENCE, n, "future_time", b"%d" % n) for n in range(3)])
    assert send_again(settings) == (3, 0)
    send_all(settings, DEAD_LETTERS, [letter(settings, INFERENCE, 9, "future_time", b"9")])
    send_all(settings, DEAD_LETTERS, [letter(settings, INFERENCE, 10, "not_json", b"{")])
    backup(settings, tmp_path / "saved", quiet)
    other = lose(settings, client, tmp_path / "other")
    with admin(other) as kafka:
        wait_until(lambda: not any(groups_of(kafka, other).values()))
    restore(other, tmp_path / "saved", quiet)
    wait_until(lambda: as_agreed(other))
    assert send_again(other) == (2, 3)
    assert send_again(other) == (0, 5)


def test_rows_of_an_older_schema_get_what_new_columns_are_by_default(client, tmp_path):
    """Columns go by their names; of rows that are not as many as were saved nothing is said to be well."""
    names, values = b"kafka_offset\tevent_id\tservice_name\tkafka_partition", b"7\te\\t1\tshop\t3"
    write_packed(tmp_path / "store" / "telemetry" / "000000.tsv.gz", [names + b"\n", values + b"\n"])
    restore_rows(client, tmp_path, replace(EMPTY, rows={"telemetry": 1}))
    found = rows(client, "SELECT event_id, service_name, kafka_partition, kafka_offset, tenant_id FROM telemetry")
    assert found == [("e\t1", "shop", 3, 7, "")]
    with pytest.raises(BackupError, match="telemetry has 1 rows of 2"):
        restore_rows(client, tmp_path, replace(EMPTY, rows={"telemetry": 2}))
