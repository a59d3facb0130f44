"""How long it takes from an OTLP request to the finding of a severe event, and what translation costs beside parsing.

python -m tests.benchmarks.bench_otlp

A receiver, a normalise and a watch worker as processes on a real broker. One request at a time holds a whole trace
whose guard found an injection in what a tool returned; the clock runs from before the request to the finding in Kafka.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np
from aiokafka import AIOKafkaConsumer
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from schemas.findings import Finding
from schemas.topics import FINDINGS
from schemas.wire import decoder
from streams.dialects.otlp import Traces, read_proto
from streams.kafka.topics import create_topics
from streams.local.broker import Broker
from streams.settings import load
from tests.faults.fleet import Worker
from tests.support.receiver import ReceiverProcess, attributes, calls_request

REQUESTS = 100
WARM = 10
LIMIT_SECONDS = 1.5
SPANS = 3_000
REPEATS = 5


def severe(number):
    """Return a request with one severe call."""
    request = calls_request([{"trace": number, "number": number}], "bench")
    span = request.resource_spans[0].scope_spans[0].spans[0]
    event = span.events.add(name="gen_ai.guardrail.result", time_unix_nano=span.end_time_unix_nano)
    said = {"component__name": "shield", "target__type": "tool_result", "result__value": "flag",
            "risk__category": "sec.exfiltration.tool", "risk__score": 0.99}  # fmt: skip
    attributes(event, **{f"gen_ai__guardrail__{name}": value for name, value in said.items()})
    return request.SerializeToString()


async def measured(settings, receiver):
    """Return the seconds from each request to its finding."""
    decode, found = decoder(Finding), []
    consumer = AIOKafkaConsumer(settings.topic(FINDINGS.name), bootstrap_servers=settings.kafka,
                                auto_offset_reset="earliest", fetch_max_wait_ms=10)  # fmt: skip
    await consumer.start()
    for number in range(1, REQUESTS + WARM + 1):
        body, began = severe(number), time.perf_counter()
        answer = await asyncio.to_thread(receiver.post, body, token="")
        assert answer.status_code == 200, answer.text
        async with asyncio.timeout(120):
            while True:
                record = await consumer.getone()
                if decode(record.value, 2**62).kind == "severe_event":
                    break
        found.append(time.perf_counter() - began)
    await consumer.stop()
    return found[WARM:]


def call(number):
    """Return a call with what a usual instrumentation says of it: sixteen attributes."""
    said = {"session__id": f"s-{number}", "user__id": f"u-{number % 50}", "gen_ai__response__model": "gpt-4o-2024-08-06",
            "gen_ai__response__id": f"chatcmpl-{number}", "gen_ai__response__finish_reasons": "stop",
            "gen_ai__request__temperature": 0.2, "gen_ai__request__max_tokens": 512, "server__address": "127.0.0.1",
            "server__port": 443, "gen_ai__agent__name": "clerk", "deployment": "blue"}  # fmt: skip
    return {"trace": number, "number": number} | said


def translation():
    """Return microseconds of processor time a span: parsed alone, read into attributes, and made events."""
    batches = [
        calls_request([call(at + step) for step in range(100)]).SerializeToString() for at in range(1, SPANS, 100)
    ]
    return [min(_seconds(work, batches) for _ in range(REPEATS)) / SPANS * 1e6 for work in (_parse, _read, _events)]


def _seconds(work, batches):
    began = time.process_time()
    work(batches)
    return time.process_time() - began


def _parse(batches):
    for batch in batches:
        TracesData.FromString(batch)


def _read(batches):
    for batch in batches:
        read_proto(batch, "traces")


def _events(batches):
    traces = Traces()
    made = sum(len(traces.add(read_proto(batch, "traces"), now)) for now, batch in enumerate(batches, 1))
    assert made + len(traces.close()) == SPANS


def main():
    """Print the figures; the status is 1 where a severe event takes too long."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        broker = Broker(folder / "kafka")
        broker.start()
        settings = load(kafka=broker.address, data_dir=folder)
        create_topics(settings)
        workers = [Worker(kind, 0, {"KAFKA": broker.address}, folder) for kind in ("normalise", "watch")]
        receiver = ReceiverProcess(settings).start()
        try:
            for worker in workers:
                worker.start()
            seconds = asyncio.run(measured(settings, receiver))
        finally:
            for worker in workers:
                worker.end(15)
            receiver.stop()
            broker.stop()
    half, late = np.percentile(seconds, [50, 99])
    print(f"request to finding of a severe event, {REQUESTS} times: median {half:.2f} s, p99 {late:.2f} s")
    parsed, read, made = translation()
    print(f"processor time a span: parsed alone {parsed:.1f} us, read {read:.1f} us, made events {made:.1f} us")
    print(f"throughput against parsing alone: read {parsed / read:.3f}, made events {parsed / made:.3f}")
    raise SystemExit(late > LIMIT_SECONDS)


if __name__ == "__main__":
    main()
