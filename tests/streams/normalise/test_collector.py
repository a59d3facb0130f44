"""A real Collector with the configuration of our page: what it writes to Kafka becomes the events that it was sent."""

import asyncio
import copy
import uuid

import msgspec
import pytest
import requests
import yaml

from schemas.topics import INFERENCE, OTLP_LOGS, OTLP_SPANS
from streams.dialects.otlp import Rules, Traces, read_proto
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import client_arguments, create_topics
from streams.local.broker import free_port
from streams.settings import load
from tests.docs.pages import PAGES, blocks
from tests.faults.fleet import Worker
from tests.faults.log import log
from tests.real.collector.program import collector, judged, running
from tests.support.otlp import requests as recorded
from tests.support.receiver import PROTOBUF
from tests.support.waiting import wait_until

__all__ = ["collector"]

pytestmark = pytest.mark.faults

MEASURED = {f"{side}_{what}" for side in ("input", "output", "system") for what in ("hash", "chars")} | {"capture_mode"}
"""What only logs say of a text, and a log may come after its span is out."""
ENDED = {"finish_reasons", "finish_reason_norm"}
"""The same of a call that failed."""

RECORDINGS = ("openai-v2-content", "langgraph-openllmetry", "botocore-bedrock", "openinference-openai-agents")
[BLOCK] = blocks(PAGES["docs/way-collector.md"], "yaml")
PAGE = yaml.safe_load(BLOCK)


def configured(settings, encoding, compression):
    """Return the configuration of the page on other ports and topics, and the port of its HTTP receiver."""
    found, port = copy.deepcopy(PAGE), free_port()
    protocols, kafka = found["receivers"]["otlp"]["protocols"], found["exporters"]["kafka"]
    protocols["http"]["endpoint"], protocols["grpc"]["endpoint"] = f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}"
    kafka["brokers"] = [settings.kafka]
    kafka["producer"]["compression"] = compression
    for signal in ("traces", "logs"):
        kafka[signal] = {"topic": settings.topic(kafka[signal]["topic"]), "encoding": encoding}
    return found, port


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


def events_of(settings):
    """Return what is out by id."""
    return by_id(msgspec.json.decode(each.value) for records in log(settings, INFERENCE).values() for each in records)


def by_id(events):
    """Return events by their ids, without what logs add to them, with times as they travel."""
    plain = msgspec.json.decode(msgspec.json.encode(list(events)))
    for event in plain:
        for name in event.keys() & (MEASURED | ENDED if event.get("outcome") == "error" else MEASURED):
            del event[name]
    return {event["event_id"]: event for event in plain}


def told(bodies):
    """Return the events of requests by id."""
    traces = Traces(Rules())
    events = [event for signal, body in bodies for event in traces.add(read_proto(body, signal), 0)]
    return by_id([*events, *traces.close()])


def test_the_collector_takes_the_configuration_of_the_page(collector, tmp_path):
    """As it stands, by its own types; one with a setting that there is not it refuses."""
    assert judged(collector, PAGE, tmp_path) == ""
    wrong = copy.deepcopy(PAGE)
    wrong["exporters"]["kafka"]["partition_traces_by_session"] = True
    assert "partition_traces_by_session" in judged(collector, wrong, tmp_path)


async def keys_of(settings, topic):
    """Return the keys of all records of a topic."""
    reader = LogReader(client_arguments(settings))
    name = settings.topic(topic.name)
    return {each.key for number in range(topic.partitions) async for each in reader.since(name, number, 0)}


@pytest.mark.parametrize(
    ("encoding", "compression", "name"),
    [("otlp_proto", "zstd", RECORDINGS[0]), ("otlp_json", "gzip", RECORDINGS[1]), ("otlp_proto", "none", RECORDINGS[2]),
     ("otlp_json", "lz4", RECORDINGS[3])],
)  # fmt: skip
def test_what_the_collector_writes_is_what_it_was_sent(collector, worker, tmp_path, encoding, compression, name):
    """In each encoding and compression the events are those of the spans themselves; keys are trace ids."""
    bodies = [(signal, body) for signal, body in recorded(name) if signal in ("traces", "logs")]
    configuration, port = configured(worker, encoding, compression)
    with running(collector, configuration, tmp_path):
        for signal, body in bodies:
            url = f"http://127.0.0.1:{port}/v1/{signal}"
            assert requests.post(url, body, headers={"Content-Type": PROTOBUF}, timeout=60).ok
    expected = told(bodies)
    wait_until(lambda: expected.keys() <= events_of(worker).keys())
    out = events_of(worker)
    assert {name: out[name] for name in expected} == expected
    keys = asyncio.run(keys_of(worker, OTLP_SPANS))
    assert {event["trace_id"].encode() for event in expected.values()} <= keys
    assert asyncio.run(keys_of(worker, OTLP_LOGS)) <= keys
