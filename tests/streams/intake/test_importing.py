"""``watchkeeper import`` on a real broker: files become events in Kafka, once, in order, from where it was left."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from schemas.topics import INFERENCE
from streams.commands.main import app
from streams.intake import importing
from streams.intake.importing import Importer
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import KafkaUnavailableError, check_topics, client_arguments
from streams.settings import load

RUN = {
    "run_type": "llm", "session_name": "assistant", "trace_id": "t", "status": "success",
    "start_time": "2026-02-02T02:40:00Z", "end_time": "2026-02-02T02:40:01Z",
}  # fmt: skip


@pytest.fixture
def sent(kafka_settings):
    """What is on the topic: key and event of each record, by partition and offset."""

    def read():
        state = check_topics(kafka_settings, [INFERENCE])[kafka_settings.topic(INFERENCE.name)]

        async def whole():
            return [one async for one in LogReader(client_arguments(kafka_settings)).whole([state])]

        return [(one.key.decode(), json.loads(one.value)) for one in asyncio.run(whole())]

    return read


def runs(path, numbers):
    path.write_text("".join(json.dumps(RUN | {"id": f"r-{number}"}) + "\n" for number in numbers))
    return str(path)


def test_a_file_becomes_events_under_the_key_of_their_session(kafka_settings, sent, tmp_path):
    """Every record is there, valid, in order, with the trace as its key; nothing is left beside the file."""
    name = runs(tmp_path / "runs.jsonl", range(25))
    done = Importer(kafka_settings, name).run()
    assert (done.records, done.events, done.refused) == (25, 25, 0)
    found = sent()
    assert [event["span_id"] for _, event in found] == [f"r-{number}" for number in range(25)]
    assert {key for key, _ in found} == {"t"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("runs")] == ["runs.jsonl"]


def test_what_can_not_be_taken_is_named_with_its_line_and_reason(kafka_settings, sent, tmp_path):
    """Broken lines, unknown shapes and events that the contract refuses go to a file of their own."""
    path = tmp_path / "mixed.jsonl"
    no_time = {name: value for name, value in RUN.items() if name != "start_time"}
    path.write_text("\n".join(['{"a": NaN}', json.dumps(RUN | {"id": "r-1"}), '{"x": 1}', json.dumps(no_time)]))
    importer = Importer(kafka_settings, str(path))
    done = importer.run()
    assert (done.records, done.events, done.refused) == (4, 1, 3)
    refused = [json.loads(line) for line in importer.refusals.read_text().splitlines()]
    assert [(one["line"], one["reason"]) for one in refused] == [
        (1, "not_json"),
        (3, "unknown_dialect"),
        (4, "invalid"),
    ]
    assert "time_unix_nano" in refused[2]["detail"]
    assert json.loads(refused[2]["record"]) == no_time
    assert importer.refusals.stat().st_mode & 0o077 == 0
    assert len(sent()) == 1


def test_a_new_start_goes_on_where_the_last_one_ended(kafka_settings, sent, tmp_path, monkeypatch):
    """After a broken run no durable block is sent again, and an import of the same file gives the same ids."""
    monkeypatch.setattr(importing, "AT_ONCE", 10)
    path = tmp_path / "runs.jsonl"
    name = runs(path, range(35))

    def stop(records, events, refused):
        if records == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Importer(kafka_settings, name).run(stop)
    done = Importer(kafka_settings, name).run()
    assert (done.records, done.earlier, done.events) == (35, 20, 15)
    ids = [event["event_id"] for _, event in sent()]
    assert len(ids) == len(set(ids)) == 35
    Importer(kafka_settings, name).run()
    assert {event["event_id"] for _, event in sent()} == set(ids)


def test_another_file_of_that_name_begins_anew(kafka_settings, tmp_path, monkeypatch):
    """How far one was says nothing of another."""
    monkeypatch.setattr(importing, "AT_ONCE", 10)
    path = tmp_path / "runs.jsonl"

    def stop(records, events, refused):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Importer(kafka_settings, runs(path, range(35))).run(stop)
    done = Importer(kafka_settings, runs(path, range(100, 120))).run()
    assert (done.records, done.earlier) == (20, 0)


def test_the_command_tells_what_became_of_each_file(kafka_settings, sent, tmp_path, monkeypatch):
    """One line a file, the service that was said, and status 1 where something was refused."""
    monkeypatch.setenv("WATCHKEEPER_KAFKA", kafka_settings.kafka)
    monkeypatch.setenv("WATCHKEEPER_TOPIC_PREFIX", kafka_settings.topic_prefix)
    good, bad = runs(tmp_path / "good.jsonl", range(3)), tmp_path / "bad.jsonl"
    bad.write_text("{")
    done = CliRunner().invoke(app, ["import", good, str(bad), "--dialect", "langsmith", "--service", "chat"])
    assert done.exit_code == 1, done.output
    assert "good.jsonl: 3 records, 3 events sent, 0 refused" in done.stdout
    assert "bad.jsonl: 1 records, 0 events sent, 1 refused" in done.stdout
    assert {event["service_name"] for _, event in sent()} == {"chat"}


@pytest.mark.kafka
def test_without_a_broker_it_says_so_at_once(tmp_path):
    """Nothing is read, and the message says what to do."""
    settings = load(kafka="127.0.0.1:9", data_dir=tmp_path)
    with pytest.raises(KafkaUnavailableError, match="WATCHKEEPER_KAFKA"):
        Importer(settings, runs(tmp_path / "runs.jsonl", range(1))).run()
