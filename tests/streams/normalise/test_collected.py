"""What a real Collector wrote to Kafka, recorded: it becomes the events that the Collector was sent.

Recorded of version 0.165 with the exporter's configuration of docs/way-collector.md (tests/real/collector).
"""

import asyncio
import base64
import gzip
import json
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.kafka.topics import client_arguments, create_topics
from streams.settings import load
from tests.faults.fleet import Worker
from tests.support.collected import events_of, told
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

WRITTEN = sorted(Path(__file__).with_name("collector").glob("*.jsonl.gz"))


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


@pytest.mark.parametrize("written", WRITTEN, ids=lambda path: path.name.partition(".")[0])
def test_what_a_collector_wrote_becomes_what_it_was_sent(worker, written):
    """Of each encoding and compression, in the partitions and under the keys (trace ids) that it chose."""
    encoding, compression, name = written.name.removesuffix(".jsonl.gz").split("-", 2)
    records = [json.loads(line) for line in gzip.decompress(written.read_bytes()).splitlines()]
    asyncio.run(_put(worker, records, None if compression == "none" else compression))
    assert all(base64.b64decode(each["value"]).startswith(b"{") == (encoding == "otlp_json") for each in records)
    expected = told(name)
    wait_until(lambda: expected.keys() <= events_of(worker).keys())
    out = events_of(worker)
    assert {name: out[name] for name in expected} == expected


async def _put(settings, records, compression):
    """Put records where the Collector had put them; of Kafka's clients this one has all compressions."""
    async with AIOKafkaProducer(**client_arguments(settings), acks="all", compression_type=compression) as producer:
        for record in records:
            topic, key = settings.topic(record["topic"]), record["key"] and record["key"].encode()
            await producer.send_and_wait(topic, base64.b64decode(record["value"]), key, record["partition"])
