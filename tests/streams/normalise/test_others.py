"""LiteLLM's webhook and topics of other systems become the events that their dialects say, through Kafka."""

import gzip
import json
import signal
import time
import uuid
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaAdminClient

from schemas.events import Event
from schemas.topics import INFERENCE, LITELLM
from schemas.wire import decoder
from streams.dialects.registry import dialect_named
from streams.kafka.letters import read_letters
from streams.kafka.topics import create_topics
from streams.normalise.sources import sources
from streams.settings import SettingsError, load
from tests.faults.fleet import Worker
from tests.faults.log import log
from tests.streams.dialects.test_gateways import KONG
from tests.streams.normalise.test_worker import send
from tests.support.receiver import ReceiverProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

RECORDED = Path(__file__).parents[1] / "dialects/recorded/litellm.jsonl.gz"
decode = decoder(Event)


def recorded():
    """Return records of LiteLLM as its webhook posted them."""
    found = []
    for line in gzip.decompress(RECORDED.read_bytes()).splitlines():
        whole = json.loads(line)
        inner = json.loads(whole["body"]) if "body" in whole else whole
        found += inner if isinstance(inner, list) else [inner]
    return found


@pytest.fixture(scope="module")
def running(broker, tmp_path_factory):
    """A receiver and a worker that reads a topic of CloudEvents and one of anything beside its own."""
    settings = load(kafka=broker, topic_prefix=f"o{uuid.uuid4().hex[:8]}.", data_dir=tmp_path_factory.mktemp("others"))
    create_topics(settings)
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.create_topics(
        [settings.topic("calls"), settings.topic("mixed"), settings.topic("kong_logs"), settings.topic("own")]
    )
    admin.close()
    receiver = ReceiverProcess(settings).start()
    given = {
        "KAFKA": broker,
        "TOPIC_PREFIX": settings.topic_prefix,
        "TELEMETRY_TOPICS": "calls=cloudevents, mixed, kong_logs=kong, own=canonical:shop + mail",
    }
    worker = Worker("normalise", 0, given, settings.data_dir)
    worker.start()
    yield receiver
    worker.end(signal.SIGTERM)
    receiver.stop()
    assert "Traceback" not in worker.words()


def ids(settings):
    """Return the ids of all events."""
    return sorted(decode(r.value, 2**62).event_id for records in log(settings, INFERENCE).values() for r in records)


def test_a_webhook_is_taken_in_each_of_its_formats(running):
    """An array, lines and single records of the same calls are the events that the dialect makes of them, each once."""
    records = [record for record in recorded() if "id" in record][:60]
    expected = sorted(
        {event["event_id"] for record in records for event in dialect_named("litellm").translate(record).events}
    )
    lines = b"\n".join(map(msgspec.json.encode, records))
    for body in (msgspec.json.encode(records), lines, msgspec.json.encode(records[0])):
        answer = running.post(body, "litellm", "application/json", token="")
        assert answer.status_code == 200
        assert answer.json()["refused"] == 0
    assert answer.json()["accepted"] == 1
    wait_until(lambda: len(ids(running.settings)) >= len(expected))
    assert ids(running.settings) == expected
    assert sum(map(len, log(running.settings, LITELLM).values())) == 2 * len(records) + 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [(b"[{", "application/json", 400), (b"x", "application/x-protobuf", 415), (b"[" * 99, "application/json", 400)],
)
def test_a_webhook_that_is_none_is_refused(running, body, content_type, status):
    """With its status; nothing of it is in Kafka."""
    assert running.post(body, "litellm", content_type, token="").status_code == status


def test_a_topic_of_others_has_its_dialect(running):
    """CloudEvents of the named topic and canonical events known by their shape are events; garbage is a dead letter."""
    settings = running.settings
    event = {"event_type": "ai.safety.inference.v1", "event_id": "ours", "source": "t", "service_name": "s",
             "time_unix_nano": time.time_ns()}  # fmt: skip
    cloud = {"specversion": "1.0", "type": "ai.safety.inference.v1", "source": "t", "id": "theirs", "data": event |
             {"event_id": "theirs"}}  # fmt: skip
    for name, value in (("calls", cloud), ("mixed", event), ("mixed", [event | {"event_id": "listed"}])):
        send(settings, [msgspec.json.encode(value)], LITELLM.__class__(name=name, key="", partitions=1, retention_ms=1))
    send(settings, [b"{}", b"\xff"], LITELLM.__class__(name="mixed", key="", partitions=1, retention_ms=1))
    wait_until(lambda: {"ours", "theirs", "listed"} <= set(ids(settings)))
    wait_until(lambda: len(read_letters(settings)) == 2)
    reasons = sorted(letter.headers["reason"] for letter in read_letters(settings))
    assert reasons == ["not_json", "unknown_dialect"]


def test_a_topic_that_is_bound_to_services_brings_no_others(running):
    """Events of its services count; one under another's name is a dead letter that says whose the topic is."""
    settings, before = running.settings, len(read_letters(running.settings))
    event = {"event_type": "ai.safety.inference.v1", "source": "t", "time_unix_nano": time.time_ns()}
    named = [event | {"event_id": f"of-{name}", "service_name": name} for name in ("shop", "bank", "mail")]
    topic = LITELLM.__class__(name="own", key="", partitions=1, retention_ms=1)
    send(settings, [msgspec.json.encode(each) for each in named], topic)
    wait_until(lambda: {"of-shop", "of-mail"} <= set(ids(settings)))
    wait_until(lambda: len(read_letters(settings)) > before)
    letter = read_letters(settings)[-1].headers
    assert (letter["reason"], letter["detail"]) == (
        "foreign_service", "an event of bank, in a topic for mail, shop alone"
    )  # fmt: skip
    assert "of-bank" not in ids(settings)


def test_logs_of_kong_are_read_from_the_topic_that_it_writes(running):
    """Its `kafka-log` plugin writes a record a call: each is the event that the dialect makes of it, once."""
    settings, started = running.settings, int(time.time() * 1_000)
    logs = [KONG | {"started_at": started + at, "request": KONG["request"] | {"id": f"kong-{at}"}} for at in range(3)]
    made = [event for log_ in logs for event in dialect_named("kong").translate(log_).events]
    topic = LITELLM.__class__(name="kong_logs", key="", partitions=1, retention_ms=1)
    send(settings, [msgspec.json.encode(each) for each in [*logs, logs[0]]], topic)
    wait_until(lambda: {event["event_id"] for event in made} <= set(ids(settings)))
    assert sum(each in {event["event_id"] for event in made} for each in ids(settings)) == len(logs)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [("kong_logs=poem", "no dialect is called 'poem'"), ("=kong", "no topic"), ("a=:", "without a name")],
)
def test_a_wrong_name_is_refused_at_the_start(value, wrong):
    """A dialect that there is not and an item without a topic are told with what there is."""
    with pytest.raises(SettingsError, match=wrong):
        sources(load(telemetry_topics=value))
