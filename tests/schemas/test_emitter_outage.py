"""Kafka goes away and comes back: the emitter holds what it can, sends it again, and tells what it lost."""

import json
import time
from collections import defaultdict

import pytest

from schemas.emitter import Emitter
from schemas.topics import INFERENCE
from streams.kafka.topics import create_topics
from streams.local.broker import Broker, free_port
from streams.settings import load
from tests.faults.log import log

DELIVERY_MS = 2000


@pytest.fixture
def own_broker(tmp_path):
    """A broker that may be killed."""
    broker = Broker(tmp_path / "kafka")
    yield broker
    broker.stop()


def events_of(settings):
    """Return the events of the topic in the order of their partitions, each event once."""
    values = [json.loads(record.value) for records in log(settings, INFERENCE).values() for record in records]
    return list({event["event_id"]: event for event in values}.values())


@pytest.mark.kafka
def test_it_begins_without_kafka_and_outlives_an_outage(own_broker, tmp_path):
    """Begun with nobody there, then killed for longer than the delivery time-out: all is sent, each session in order.

    What did not fit into the queue meanwhile is counted as dropped because Kafka was away, and the stream says so.
    """
    began = time.monotonic()
    emitter = Emitter.to_kafka(own_broker.address, source="shop", queue_events=1000, delivery_timeout_ms=DELIVERY_MS)
    emit(emitter, 0, 100)
    assert time.monotonic() - began < 30
    own_broker.start()
    settings = load(kafka=own_broker.address, data_dir=tmp_path)
    create_topics(settings)
    assert emitter.flush(60) == 0
    own_broker.kill()
    emit(emitter, 100, 600)
    time.sleep(2 * DELIVERY_MS / 1000)
    began = time.monotonic()
    assert emitter.flush(0.5) == 500
    assert time.monotonic() - began < 30
    emit(emitter, 600, 1200)
    assert emitter.counts.reasons == {"kafka_away": 100}
    own_broker.start()
    assert emitter.flush(60) == 0
    emit(emitter, 1200, 1300)
    counts = emitter.close()
    assert (counts.emitted, counts.dropped, counts.left) == (1200, 100, 0)
    events = events_of(settings)
    [report] = [event for event in events if event["event_type"] == "ai.safety.telemetry.v1"]
    assert report["reasons"] == {"kafka_away": 100}
    check_order([event for event in events if event is not report], 1200)


def emit(emitter, first, last):
    """Emit numbered events of twenty sessions."""
    for number in range(first, last):
        emitter.inference(service_name="chat", session_id=str(number % 20), turn_index=number)


def check_order(events, count):
    """Hold that so many arrived, those of each session in their order."""
    assert len(events) == count
    sessions = defaultdict(list)
    for event in events:
        sessions[event["session_id"]].append(event["turn_index"])
    assert all(numbers == sorted(numbers) for numbers in sessions.values())


@pytest.mark.kafka
def test_closing_without_kafka_is_bounded_and_says_what_is_left():
    """Nobody answers: `close` gives up in time and counts what it held."""
    emitter = Emitter.to_kafka(f"127.0.0.1:{free_port()}", source="shop")
    for _ in range(50):
        emitter.inference(service_name="chat")
    began = time.monotonic()
    counts = emitter.close(1)
    assert time.monotonic() - began < 30
    assert (counts.emitted, counts.left, counts.reasons) == (0, 50, {"closed": 50})


@pytest.mark.parametrize(
    ("bootstrap", "options"),
    [
        ("", {}),
        ("broker", {}),
        ("broker:port", {}),
        ("broker:9092", {"no_such": 1}),
        ("broker:9092", {"acks": "some"}),
        ("broker:9092", {"compression_type": "zip"}),
        ("broker:9092", {"security_protocol": "TLS"}),
        ("broker:9092", {"security_protocol": "SSL", "ssl_cafile": "/no/such/file"}),
        ("broker:9092", {"request_timeout_ms": 9000, "delivery_timeout_ms": 100}),
        ("broker:9092", {"topic": "no topic"}),
        ("broker:9092", {"source": ""}),
        ("broker:9092", {"queue_events": 0}),
    ],
)
@pytest.mark.kafka  # a producer is made to judge its options, and connects to nobody
def test_wrong_arguments_are_refused_at_once(bootstrap, options):
    """What can't be right whoever is at the address is an error where it is written, and not in the background."""
    with pytest.raises(ValueError, match=r"\w"):
        Emitter.to_kafka(bootstrap, **{"source": "shop", **options})
