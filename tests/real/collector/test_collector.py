"""A real Collector with the configuration of our page: what it writes to Kafka becomes the events that it was sent.

make collector builds the program, of hundreds of packages, and runs it; the check reads what it wrote, recorded.
"""

import copy

import pytest
import requests
import yaml

from schemas.topics import OTLP_LOGS, OTLP_SPANS
from streams.local.broker import free_port
from tests.docs.pages import PAGES, blocks
from tests.real.collector.program import collector, judged, running
from tests.support.collected import await_events, bodies, keys_of, told, worker
from tests.support.receiver import PROTOBUF

__all__ = ["collector", "worker"]

pytestmark = pytest.mark.faults

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


def test_the_collector_takes_the_configuration_of_the_page(collector, tmp_path):
    """As it stands, by its own types; one with a setting that there is not it refuses."""
    assert judged(collector, PAGE, tmp_path) == ""
    wrong = copy.deepcopy(PAGE)
    wrong["exporters"]["kafka"]["partition_traces_by_session"] = True
    assert "partition_traces_by_session" in judged(collector, wrong, tmp_path)


@pytest.mark.parametrize(
    ("encoding", "compression", "name"),
    [("otlp_proto", "zstd", "openai-v2-content"), ("otlp_json", "gzip", "langgraph-openllmetry"),
     ("otlp_proto", "none", "botocore-bedrock"), ("otlp_json", "lz4", "openinference-openai-agents")],
)  # fmt: skip
def test_what_the_collector_writes_is_what_it_was_sent(collector, worker, tmp_path, encoding, compression, name):
    """In each encoding and compression the events are those of the spans themselves; keys are trace ids."""
    configuration, port = configured(worker, encoding, compression)
    with running(collector, configuration, tmp_path):
        for signal, body in bodies(name):
            url = f"http://127.0.0.1:{port}/v1/{signal}"
            assert requests.post(url, body, headers={"Content-Type": PROTOBUF}, timeout=60).ok
    expected = told(name)
    await_events(worker, expected)
    keys = keys_of(worker, OTLP_SPANS)
    assert {event["trace_id"].encode() for event in expected.values()} <= keys
    assert keys_of(worker, OTLP_LOGS) <= keys
