"""How fast findings become incidents: the fold alone, and one worker on a real broker.

python -m tests.benchmarks.bench_incidents

Beside it a consumer reads and decodes the same findings and does nothing with them; what counts is the ratio.
"""

import os
import random
import tempfile
import time
import uuid
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from schemas.findings import Finding
from schemas.topics import FINDINGS
from schemas.wire import decoder, encode
from streams.incidents.fold.reordering import ReorderingFold
from streams.kafka.topics import create_topics
from streams.local.broker import Broker
from streams.settings import load
from tests.support.incidents.entries import back, page, taken
from tests.support.incidents.process import Worker, transitions
from tests.support.waiting import wait_until

COUNT = 50_000
MARK = "last"


def findings(seed=1):
    """Return findings of fifty services, somewhat out of order, a third of them recoveries."""
    rng, found = random.Random(seed), []
    for number in range(COUNT):
        service = f"s{rng.randrange(50)}"
        if found and rng.random() < 0.3:
            found.append(back(rng.choice(found[-200:]).finding_id, 2 * number, f"r{number}", service=service))
        else:
            severity = rng.choice(["page", "ticket", "ticket"])
            family = rng.choice(["leak", "unsafe", "error"])
            second = 2 * number + rng.randrange(-20, 20)
            found.append(
                page(f"f{number}", second, severity, service=service, family=family, versions=[f"m@{service}"])
            )
    return found


def folded(records):
    """Return findings a second of the fold alone, in batches of a thousand."""
    folding, began = ReorderingFold(lambda _: "sev2"), time.perf_counter()
    entries = taken(records)
    for start in range(0, len(entries), 1_000):
        folding.add(entries[start : start + 1_000])
    return len(records) / (time.perf_counter() - began), len(folding.incidents())


def consumed(settings):
    """Return findings a second of a consumer that only decodes."""
    decode = decoder(Finding)
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, auto_offset_reset="earliest")
    partition = TopicPartition(settings.topic(FINDINGS.name), 0)
    consumer.assign([partition])
    consumer.seek_to_beginning()
    end, count, began = consumer.end_offsets([partition])[partition], 0, time.perf_counter()
    while consumer.position(partition) < end:
        for batch in consumer.poll(500, max_records=5_000).values():
            for record in batch:
                decode(record.value, record.timestamp * 1_000_000)
            count += len(batch)
    consumer.close()
    return count / (time.perf_counter() - began)


def processor_seconds(pid):
    """Return how long a process has kept a processor busy."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def through_kafka(records, folder):
    """Return findings a second of one worker, of its start from the log, and of the consumer beside it."""
    broker = Broker(folder / "kafka")
    broker.start()
    try:
        settings = load(kafka=broker.address, topic_prefix=f"b{uuid.uuid4().hex[:6]}.", data_dir=folder)
        create_topics(settings)
        worker = Worker(settings).start()
        producer = KafkaProducer(bootstrap_servers=settings.kafka, linger_ms=50, batch_size=500_000)
        values = [encode(record) for record in (*records, page(MARK, 3 * COUNT, service="last"))]
        began, busy = time.perf_counter(), processor_seconds(worker.process.pid)
        for value in values:
            producer.send(settings.topic(FINDINGS.name), value)
        producer.flush()
        sending = len(records) / (time.perf_counter() - began)
        wait_until(lambda: worker.ask("GET", f"/inc-{MARK}").status_code == 200, seconds=300)
        live = len(records) / (time.perf_counter() - began)
        busy = len(records) / (processor_seconds(worker.process.pid) - busy)
        told = len(transitions(settings))
        worker.kill()
        began = time.perf_counter()
        worker.start()
        wait_until(lambda: worker.ask("GET", f"/inc-{MARK}").status_code == 200, seconds=300)
        restart = time.perf_counter() - began
        worker.kill()
        return live, busy, sending, restart, told, consumed(settings)
    finally:
        broker.stop()


def main():
    """Measure and print."""
    records = findings()
    alone, incidents = folded(records)
    print(f"fold alone: {alone:,.0f} findings/s, {len(records):,} findings, {incidents} incidents")
    with tempfile.TemporaryDirectory() as folder:
        live, busy, sending, restart, told, plain = through_kafka(records, Path(folder))
    print(
        f"one worker from Kafka to Kafka: {live:,.0f} findings/s, {told:,} transitions; our producer alone sent {sending:,.0f}/s"
    )
    print(f"  a second of its processor time: {busy:,.0f} findings")
    print(f"a consumer that only decodes:   {plain:,.0f} findings/s; ratio {live / plain:.2f}")
    print(f"a start over the whole log of {len(records):,} findings: {restart:.1f} s, the process itself included")


if __name__ == "__main__":
    main()
