"""What a Collector wrote to Kafka, beside what it was sent."""

import asyncio
import uuid

import msgspec
import pytest

from schemas.topics import INFERENCE
from streams.dialects.otlp import Rules, Traces, read_proto
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import client_arguments, create_topics
from streams.settings import load
from tests.faults.fleet import Worker
from tests.faults.log import log
from tests.support.otlp import requests as recorded
from tests.support.waiting import wait_until

MEASURED = {f"{side}_{what}" for side in ("input", "output", "system") for what in ("hash", "chars")} | {"capture_mode"}
"""What only logs say of a text, and a log may come after its span is out."""
ENDED = {"finish_reasons", "finish_reason_norm"}
"""The same of a call that failed."""


@pytest.fixture(scope="module")
def worker(broker, tmp_path_factory):
    """Settings with topics of their own, and a normalise worker that reads them."""
    folder = tmp_path_factory.mktemp("collected")
    settings = load(kafka=broker, topic_prefix=f"g{uuid.uuid4().hex[:8]}.", data_dir=folder)
    create_topics(settings)
    running_worker = Worker("normalise", 0, {"KAFKA": broker, "TOPIC_PREFIX": settings.topic_prefix}, folder)
    running_worker.start()
    yield settings
    running_worker.end(15)


def await_events(settings, expected):
    """Wait until all of some events are out, and hold those that are out against them."""
    wait_until(lambda: expected.keys() <= events_of(settings).keys())
    out = events_of(settings)
    assert {name: out[name] for name in expected} == expected


def bodies(name):
    """Return signal and body of each request of a recording that a Collector passes on."""
    return [(signal, body) for signal, body in recorded(name) if signal in ("traces", "logs")]


def told(name):
    """Return the events of a recording by id, as its requests themselves say them."""
    traces = Traces(Rules())
    events = [event for signal, body in bodies(name) for event in traces.add(read_proto(body, signal), 0)]
    return _by_id([*events, *traces.close()])


def events_of(settings):
    """Return the events that are out by id."""
    return _by_id(msgspec.json.decode(each.value) for records in log(settings, INFERENCE).values() for each in records)


def keys_of(settings, topic):
    """Return the keys of all records of a topic."""
    return asyncio.run(_keys(settings, topic))


async def _keys(settings, topic):
    reader, name = LogReader(client_arguments(settings)), settings.topic(topic.name)
    return {each.key for number in range(topic.partitions) async for each in reader.since(name, number, 0)}


def _by_id(events):
    """Return events by their ids, without what logs add to them, with times as they travel."""
    plain = msgspec.json.decode(msgspec.json.encode(list(events)))
    for event in plain:
        for name in event.keys() & (MEASURED | ENDED if event.get("outcome") == "error" else MEASURED):
            del event[name]
    return {event["event_id"]: event for event in plain}
