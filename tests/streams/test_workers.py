"""The workers as processes: bad input, outages, static membership, a severe event."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid

import pytest
import requests
from kafka import KafkaProducer

from schemas.emitter import Emitter
from schemas.events import Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.topics import INFERENCE
from schemas.wire import encode
from streams.kafka.letters import read_letters, send_again
from streams.kafka.topics import create_topics
from streams.local.broker import free_port
from streams.local.up import Installation
from streams.settings import load
from streams.store.ask import ask_rows as rows
from streams.store.ask import endpoint_answers
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.faults


@contextlib.contextmanager
def installed(settings):
    """Give three running workers."""
    store = {"clickhouse": f"chdb://{settings.data_dir}/clickhouse", "sql_port": free_port()}
    with pytest.MonkeyPatch.context() as patch:
        ports = {name: free_port() for name in ("history", "watch", "detect")}
        patch.setattr("streams.local.up.WORKER_PORTS", ports)
        running = Installation(settings.model_copy(update=store), kafka=settings.kafka)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def installation(kafka_settings):
    """Three running workers on the session's broker."""
    with installed(kafka_settings) as running:
        yield running


@pytest.fixture(scope="module")
def shared(broker, tmp_path_factory):
    """Three running workers for tests that each send events of a service of their own."""
    given = {"topic_prefix": f"t{uuid.uuid4().hex[:8]}.", "data_dir": tmp_path_factory.mktemp("shared")}
    settings = load(kafka=broker, kafka_session_seconds=3, **given)
    create_topics(settings)
    with installed(settings) as running:
        yield running


def inference(number, **fields):
    """Return an event of now."""
    given = {"service_name": "chat", "session_id": str(number), "time_unix_nano": time.time_ns()} | fields
    return Inference(event_id=f"e{number}", source="test", **given)


def count(settings, query):
    """Return the one number of a query, or -1 while nobody answers."""
    with contextlib.suppress(ValueError, RuntimeError, OSError):
        if endpoint_answers(settings):
            return int(rows(settings, f"SELECT ({query}) AS n")[0]["n"])
    return -1


def test_bad_records_become_dead_letters_and_good_ones_rows(shared):
    """Each bad record is kept with its reason and origin, its neighbours are stored, and both can be sent again."""
    settings = shared.settings
    topic = settings.topic(INFERENCE.name)
    producer = KafkaProducer(bootstrap_servers=settings.kafka)
    bad = [
        b"not json",
        b'{"event_type":"ai.safety.poem.v1"}',
        b"\xff",
        b"",
        encode(inference(1)).replace(b'"chat"', b"7"),
    ]
    bad.append(encode(inference(1, time_unix_nano=time.time_ns() + 10**12)))
    for number, value in enumerate(bad):
        producer.send(topic, value=value, partition=0)
        producer.send(topic, value=encode(inference(100 + number)), partition=0)
    producer.send(topic, value=encode(inference(100)), partition=0)  # a duplicate is stored as it was sent
    producer.send(topic, value=encode(inference(99, time_unix_nano=time.time_ns() - 86_400 * 10**9)), partition=0)
    producer.close()
    wait_until(lambda: count(settings, "SELECT count() FROM dead_letters") == len(bad))
    wait_until(lambda: count(settings, "SELECT count() FROM inferences WHERE service_name = 'chat'") == len(bad) + 2)
    letters = read_letters(settings)
    assert [letter.headers["reason"] for letter in letters] == [
        "not_json", "unknown_kind", "not_json", "not_json", "invalid", "future_time",
    ]  # fmt: skip
    first = letters[0].origin[2]
    assert [letter.origin[2] - first for letter in letters] == [0, 2, 4, 6, 8, 10]
    assert [letter.value for letter in letters] == bad
    counted = "SELECT sum(events) FROM service_minutes_now WHERE service_name = 'chat'"
    assert count(settings, counted) == len(bad) + 2
    assert send_again(settings, "future_time").records == 1
    wait_until(lambda: count(settings, "SELECT count() FROM dead_letters") == len(bad) + 1)


def test_a_severe_event_is_a_finding_at_once(shared):
    """One critical event that nothing stopped is a page within seconds, without waiting for a tick."""
    settings = shared.settings
    guard = GuardResult(
        guard_name="dlp", layer="tool_call", status="ok", verdict="flag", action="none", mode="monitor",
        findings=[GuardFinding(category="sec.exfiltration.tool", severity=4)],
    )  # fmt: skip
    with Emitter.to_kafka(settings.kafka, source="t", topic=settings.topic(INFERENCE.name)) as emitter:
        emitter.emit(inference(200, service_name="harmed", guards=[guard]))
    wait_until(lambda: count(settings, "SELECT count() FROM findings WHERE kind = 'severe_event'") == 1)
    told = "SELECT severity, service_name, event_ids, evidence_sql FROM findings FINAL WHERE kind = 'severe_event'"
    [found] = rows(settings, told)
    assert (found["severity"], found["service_name"], found["event_ids"]) == ("page", "harmed", ["e200"])
    wait_until(lambda: len(rows(settings, found["evidence_sql"])) == 1)


def test_time_passes_in_a_silent_live_partition(shared):
    """Events of now reach the windows although no later event follows them: marks let their ticks close."""
    settings = shared.settings
    with Emitter.to_kafka(settings.kafka, source="t", topic=settings.topic(INFERENCE.name)) as emitter:
        for number in range(300, 340):
            emitter.emit(inference(number, service_name="silent"))
    query = "SELECT sum(events) FROM (SELECT * FROM windows FINAL WHERE metric = 'error' AND service_name = 'silent')"
    wait_until(lambda: count(settings, query) == 40)


def test_events_of_one_partition_alone_are_judged(installation):
    """A few long sessions may all lie in one partition: the others, never written to, hold no detector back."""
    settings = installation.settings
    guard = GuardResult(
        guard_name="dlp", layer="output", status="ok", verdict="flag", action="none", mode="monitor",
        findings=[GuardFinding(category="sec.data_leakage.pii", severity=2)],
    )  # fmt: skip
    producer = KafkaProducer(bootstrap_servers=settings.kafka)
    for number in range(60):
        event = inference(number, service_name="alone", guards=[guard])
        producer.send(settings.topic(INFERENCE.name), encode(event), partition=0)
    producer.close()
    query = "SELECT uniqExact(source_partition) FROM window_messages"
    wait_until(lambda: count(settings, "SELECT count() FROM findings WHERE kind = 'rate'") > 0)
    assert count(settings, query) == 1


def test_a_killed_worker_is_back_in_time_and_health_tells(shared):
    """After kill -9 a worker works again within the session time-out, and its pages answer."""
    settings = shared.settings
    child = shared.supervisor._children[0]
    child.process.send_signal(signal.SIGKILL)
    child.process.wait()
    shared.supervisor.check()
    with Emitter.to_kafka(settings.kafka, source="t", topic=settings.topic(INFERENCE.name)) as emitter:
        emitter.emit(inference(400, service_name="killed"))
    end = time.monotonic() + PATIENCE_SECONDS
    while count(settings, "SELECT count() FROM inferences WHERE service_name = 'killed'") != 1:
        shared.supervisor.check()
        assert time.monotonic() < end
        time.sleep(0.1)
    for port in shared._ports.values():
        base = f"http://127.0.0.1:{port}"
        assert requests.get(f"{base}/health", timeout=60).json()["healthy"]
        assert requests.get(f"{base}/ready", timeout=60).json()["ready"]
        assert "watchkeeper_records_total" in requests.get(f"{base}/metrics", timeout=60).text


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["worker", "watch"], {"WATCHKEEPER_TOPIC_PREFIX": "none."}, "watchkeeper topics create"),
        (["worker", "watch"], {"WATCHKEEPER_TICK_SECONDS": "0"}, "WATCHKEEPER_TICK_SECONDS"),
        (["worker", "detect"], {"WATCHKEEPER_POLICY": "no/such.yaml"}, "no/such.yaml cannot be read"),
        (["worker", "poet"], {}, "history, watch, detect"),
        (["sql", "SELEC 1"], {}, "Syntax error"),
    ],
)
def test_a_wrong_start_is_refused_with_what_mends_it(kafka_settings, tmp_path, arguments, environment, message):
    """Wrong settings and missing topics end the command with status 78 and one line that helps."""
    given = {"WATCHKEEPER_KAFKA": kafka_settings.kafka, "WATCHKEEPER_SQL_PORT": str(free_port()),
             "WATCHKEEPER_CLICKHOUSE": f"chdb://{tmp_path}/c", "WATCHKEEPER_DATA_DIR": str(tmp_path)}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "streams", *arguments], env={**os.environ, **given, **environment},
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 78
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_replay_names_the_line_that_is_no_event(kafka_settings, tmp_path):
    """A line that the contract refuses stops a replay, with its file and number."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(inference(1)) + b"\n" + json.dumps({"a": 1}).encode() + b"\n")
    given = {"WATCHKEEPER_KAFKA": kafka_settings.kafka, "WATCHKEEPER_TOPIC_PREFIX": kafka_settings.topic_prefix}
    done = subprocess.run(
        [sys.executable, "-m", "streams", "replay", str(path)], env={**os.environ, **given},
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 78
    assert "line 2" in done.stderr
