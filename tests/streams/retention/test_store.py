"""What is too old goes from the real engine, under a clock that is moved, and every sum stays what it was."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from typer.testing import CliRunner

from schemas.events import Inference
from schemas.topics import TOPICS
from schemas.wire import encode
from streams.commands.retention import retention_app
from streams.events.decode import events_decoder
from streams.history.rollups import kept_from
from streams.history.rows import Origin, rows_of
from streams.history.two_paths import TwoPaths
from streams.history.writer import HistoryWriter
from streams.policy.policy import PolicyError, parse_policy
from streams.policy.retention import DAY, Retention
from streams.retention import classes
from streams.retention.show import went
from streams.retention.store import carry_out, plan
from streams.store.client import named_rows, rows
from tests.streams.events.test_decode import Record

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
LATER = (START + timedelta(days=91)).timestamp()
SUMS = ("service_minutes", "service_hours", "stage_minutes", "stage_hours", "counted_minutes", "counted_hours")

store = pytest.mark.store


def write(client, first, times, **fields):
    """Store events of some times from an offset on, with all sums, as history does."""
    made = [
        Inference(
            event_id=f"e{first + number}", source="s", service_name="a", time_unix_nano=int(time.timestamp()) * 10**9,
            duration_ms=5.0, **fields,
        )
        for number, time in enumerate(times)
    ]  # fmt: skip
    written = int(max(times).timestamp() * 1000)
    records = [Record(encode(each), written) for each in made]
    origin = Origin("inference.v1", "id", 0, np.arange(first, first + len(records)))
    parts = [part for columns in events_decoder()(records).kinds.values() for part in rows_of(columns, origin)]
    paths, writer = TwoPaths(10, 10, several_writers=False), HistoryWriter(client)
    [timed] = paths.timed(client, [(origin, np.full(len(times), written), parts)])
    writer.store([(origin, timed.rows)])
    writer.roll_up([(origin, timed.rows)])
    paths.sum(client, [timed], [])


def sums(client):
    """Return what all sums say, but for their versions."""
    return {name: rows(client, f"SELECT * EXCEPT version FROM {name} FINAL ORDER BY ALL") for name in SUMS}


def stored(client, name="inferences"):
    """Return which events a table holds."""
    return [event for (event,) in rows(client, f"SELECT event_id FROM {name} ORDER BY event_id")]


@store
def test_an_event_of_a_time_that_is_gone_changes_no_sum_of_it(client):
    """Minutes and hours whose events went stay exact when one comes late; it counts in the tick in which it came."""
    write(client, 0, [START + timedelta(seconds=number) for number in range(60)])
    before = sums(client)
    assert carry_out(client, Retention(), LATER)
    assert stored(client) == []
    assert sums(client) == before
    now = datetime.fromtimestamp(LATER, UTC)
    write(client, 60, [now, START + timedelta(seconds=30)])
    after = sums(client)
    for name in ("service_minutes", "service_hours", "stage_minutes", "stage_hours"):
        assert [row for row in after[name] if row[0] < now.replace(tzinfo=None)] == before[name]
    assert stored(client) == ["e60", "e61"]
    assert [row[2] for row in after["counted_hours"]] == [60, 1, 1]
    assert carry_out(client, Retention(), LATER + DAY) == []


@store
def test_a_sum_that_is_made_anew_without_what_is_gone_would_differ(client):
    """Where nobody has written down that rows went, the same late event bends the minute: the proof above can fail."""
    write(client, 0, [START + timedelta(seconds=number) for number in range(60)])
    before = sums(client)
    carry_out(client, Retention(), LATER)
    client.command("TRUNCATE TABLE retention_runs")
    write(client, 60, [START + timedelta(seconds=30)])
    assert sums(client)["service_minutes"] != before["service_minutes"]


@store
def test_text_goes_first_and_what_a_hold_cites_stays(client):
    """After a week texts are empty, after 90 days events go; those that an incident under a hold cites stay whole."""
    write(client, 0, [START, START + timedelta(seconds=1)], input_text="please", output_text="no")
    client.insert(
        "incident_transitions",
        [["held", "t1", START, ["e0"]], ["other", "t2", START, ["e1"]]],
        column_names=["incident_id", "event_id", "time", "evidence_event_ids"],
    )
    texts = "SELECT input_text, output_text FROM inferences ORDER BY event_id"
    retention = Retention(holds=["held"])
    carry_out(client, retention, (START + timedelta(days=9)).timestamp())
    assert rows(client, texts) == [("please", "no"), ("", "")]
    carry_out(client, retention, LATER)
    assert stored(client) == ["e0"]
    carry_out(client, retention, LATER + 8 * 365 * DAY)
    assert stored(client, "incident_transitions") == ["t1"]
    carry_out(client, Retention(), LATER + 8 * 365 * DAY)
    assert (stored(client), stored(client, "incident_transitions")) == ([], [])


@store
def test_a_refused_record_keeps_whose_it_was_and_nothing_else(client):
    """After a week the text of a dead letter has gone, and the views that count refused records say the same."""
    value = b'{"service_name":"a \\"b\\"","source":"s","time_unix_nano":1772445600000000000,"input_text":"please"}'
    letters = [[START, "inference.v1", 0, value, "why"], [START, "inference.v1", 1, b"\xffplease", ""]]
    client.insert("dead_letters", letters, column_names=["time", "origin_topic", "origin_offset", "value", "detail"])
    day = f"since='{START:%Y-%m-%d} 00:00:00', until='{START:%Y-%m-%d} 23:00:00'"
    asked = (
        f"SELECT * EXCEPT last_detail FROM refused_records({day}) ORDER BY ALL",
        "SELECT window_start, service_name, dead_letters FROM kpi_trust ORDER BY ALL",
    )
    before = [rows(client, query) for query in asked]
    carry_out(client, Retention(), (START + timedelta(days=9)).timestamp())
    assert [rows(client, query) for query in asked] == before
    assert len(before[0]) == 2
    left = "SELECT count() FROM dead_letters WHERE position(value, 'please') > 0 OR detail != ''"
    assert rows(client, left) == [(0,)]


@store
def test_what_went_is_planned_and_written_down(client, store_settings):
    """The plan names table, rows and the oldest; afterwards it is empty, and what went can be read."""
    write(client, 0, [START, START + timedelta(days=50)], input_text="please")
    due = [each for _, each in plan(partial(named_rows, client), Retention(), LATER) if each.gone]
    assert [(each.name, each.of, each.gone, each.oldest) for each in due] == [
        ("inferences", "text", 2, int(START.timestamp())),
        ("inferences", "events", 1, int(START.timestamp())),
    ]
    assert carry_out(client, Retention(), LATER) == due
    assert [each.gone for _, each in plan(partial(named_rows, client), Retention(), LATER) if each.gone] == []
    assert sorted((row["class"], int(row["gone"])) for row in went(store_settings)) == [("events", 1), ("text", 2)]
    assert kept_from(client) // 10**9 == due[1].before == int(LATER - 90 * DAY) // DAY * DAY


@store
def test_the_commands_say_what_would_go_and_what_went(client, store_settings, kafka_settings, monkeypatch):
    """With nothing to show there are words; `--json` gives a line for each."""
    given = store_settings.model_dump(exclude_unset=True) | kafka_settings.model_dump(exclude_unset=True)
    for name, value in given.items():
        monkeypatch.setenv(f"WATCHKEEPER_{name.upper()}", str(value))

    def said(*arguments):
        done = CliRunner().invoke(retention_app, arguments)
        assert done.exit_code == 0, done.output
        return done.output

    assert said("show") == "nothing was removed yet\n"
    assert "nothing is older than that" in said("plan")
    write(client, 0, [START], input_text="please")
    output = said("plan")
    assert "events 90d" in output
    assert "inferences" in output
    carry_out(client, Retention(), LATER)
    [first, second] = [json.loads(line) for line in said("show", "--json").splitlines()]
    assert {first["class"], second["class"]} == {"text", "events"}
    assert "2026-03-02" in said("show")


@store
def test_every_table_and_topic_is_of_a_class_or_kept_for_ever(client):
    """Nothing can be added of which nobody said for how long it is kept."""
    query = (
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
        " AND NOT startsWith(name, '.')"
    )
    tables = {name for (name,) in rows(client, query)}
    named = {kept.table for kept in classes.TABLES}
    assert named | set(classes.FOR_EVER) == tables
    assert not named & set(classes.FOR_EVER)
    assert set(classes.TOPICS) == set(TOPICS)


def test_the_policy_says_for_how_long():
    """Whole days, at least two of events, and nothing for longer than what is made of it."""
    found = parse_policy("retention: {events: 30d, minutes: 1y, holds: [i1]}").retention
    assert (found.seconds("events"), found.seconds("text"), found.holds) == (30 * DAY, 7 * DAY, ["i1"])
    for wrong, said in (
        ("{events: 12h}", "whole days"), ("{events: 1d, text: 1d}", "two days"), ("{events: soon}", "no duration"),
        ("{text: 100d}", "text may not be kept for longer than events"), ("{event: 9d}", "retention.event"),
    ):  # fmt: skip
        with pytest.raises(PolicyError, match=said):
            parse_policy(f"retention: {wrong}")
