"""What a real Collector wrote to Kafka, recorded: it becomes the events that the Collector was sent.

Recorded of version 0.165 with the exporter's configuration of docs/way-collector.md (tests/real/collector).
"""

import asyncio
import base64
import gzip
import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.kafka.topics import client_arguments
from tests.support.collected import await_events, told, worker

__all__ = ["worker"]

pytestmark = pytest.mark.faults

WRITTEN = sorted(Path(__file__).with_name("collector").glob("*.jsonl.gz"))


@pytest.mark.parametrize("written", WRITTEN, ids=lambda path: path.name.partition(".")[0])
def test_what_a_collector_wrote_becomes_what_it_was_sent(worker, written):
    """Of each encoding and compression, in the partitions and under the keys (trace ids) that it chose."""
    encoding, compression, name = written.name.removesuffix(".jsonl.gz").split("-", 2)
    records = [json.loads(line) for line in gzip.decompress(written.read_bytes()).splitlines()]
    asyncio.run(_put(worker, records, None if compression == "none" else compression))
    assert all(base64.b64decode(each["value"]).startswith(b"{") == (encoding == "otlp_json") for each in records)
    expected = told(name)
    await_events(worker, expected)


async def _put(settings, records, compression):
    """Put records where the Collector had put them; of Kafka's clients this one has all compressions."""
    async with AIOKafkaProducer(**client_arguments(settings), acks="all", compression_type=compression) as producer:
        for record in records:
            topic, key = settings.topic(record["topic"]), record["key"] and record["key"].encode()
            await producer.send_and_wait(topic, base64.b64decode(record["value"]), key, record["partition"])
