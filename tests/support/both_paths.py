"""Events through both paths in this process: a real broker, the real stages, the real engine."""

import asyncio
import time
from dataclasses import replace

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from schemas.events import AgentStep, Inference
from schemas.topics import DEAD_LETTERS, INFERENCE, WINDOWS
from schemas.wire import encode
from streams.app import module
from streams.app import stage as stage_of
from streams.kafka.publisher import Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts
from tests.streams.events.test_flags import guard

START_NANO = (int(time.time()) // 3600 - 5) * 3600 * 10**9


def event(number):
    """Return an event: services, verdicts and kinds vary; one in 50 is late, one in 40 a probe."""
    seconds = number * 0.9 - (200 if number % 50 == 49 else 0)
    fields = {
        "event_id": str(number), "source": "s", "service_name": f"svc{number % 3}", "model_version": "m@1",
        "time_unix_nano": START_NANO + int((300 + seconds) * 10**9), "session_id": str(number // 2),
        "probe_id": "p" if number % 40 == 7 else None,
        "guards": [guard("content.ncr") if number % 5 == 0 else guard("qual.refusal", verdict="allow")],
    }  # fmt: skip
    return AgentStep(**fields, step_kind="execute_tool") if number % 7 == 3 else Inference(**fields)


def send(settings, first, end):
    """Send events, a record that is refused among them, to the partitions in turn."""
    producer = KafkaProducer(**client_arguments(settings))
    name = settings.topic(INFERENCE.name)
    for number in range(first, end):
        producer.send(name, value=encode(event(number)), partition=number % 4)
        if number % 100 == 50:
            producer.send(name, value=b"not json", partition=number % 4)
    producer.close()


def read(settings, topic, size=200):
    """Yield the batches of a topic, partition by partition."""
    name = settings.topic(topic.name)
    state = check_topics(settings, [topic])[name]
    consumer = KafkaConsumer(**client_arguments(settings), enable_auto_commit=False)
    for number in range(state.partitions):
        tp = TopicPartition(name, number)
        consumer.assign([tp])
        end, records = consumer.end_offsets([tp])[tp], []
        consumer.seek_to_beginning(tp)
        while consumer.position(tp) < end:
            records += consumer.poll(timeout_ms=500).get(tp, [])
        for start in range(0, len(records), size):
            yield LogBatch(state, number, tuple(records[start : start + size]), lambda: None)
    consumer.close()


def commit(settings, topics=(INFERENCE, WINDOWS, DEAD_LETTERS)):
    """Commit the ends of topics for history, as one does that has stored them."""
    consumer = KafkaConsumer(**client_arguments(settings), group_id=settings.group("history"))
    for topic in topics:
        tps = [TopicPartition(settings.topic(topic.name), number) for number in range(topic.partitions)]
        ends = consumer.end_offsets(tps)
        consumer.commit({tp: OffsetAndMetadata(end, "", -1) for tp, end in ends.items() if end})
    consumer.close()


def made(settings, name):
    """Return the stage of a worker."""
    topics = check_topics(settings, module(name).NEEDED)
    return stage_of(name, Parts(settings, topics, Publisher(client_arguments(settings)), lambda: True))


def history_stage(settings):
    """Return the stage of history."""
    return made(settings, "history")


async def watch(settings, spoil=lambda batch: batch):
    """Run the watch stage over the log, from its checkpoints on; `spoil` may change a batch or drop it."""
    stage = made(settings, "watch")
    await stage.start()
    state = check_topics(settings, [INFERENCE])[settings.topic(INFERENCE.name)]
    begins = [await stage.position(state, number) for number in range(INFERENCE.partitions)]
    for batch in read(settings, INFERENCE):
        left = tuple(each for each in batch.records if each.offset >= begins[batch.partition])
        if left and (kept := spoil(replace(batch, records=left))) is not None:
            await stage.take(kept)
    await stage.stop()


async def history(settings, topics=(INFERENCE, WINDOWS, DEAD_LETTERS)):
    """Run the history stage over topics, one after the other."""
    stage = history_stage(settings)
    await stage.start()
    for topic in topics:
        for batch in read(settings, topic):
            await stage.take(batch)
    await stage.stop()


def play(settings, number=1200, spoil=lambda batch: batch):
    """Send events and take them through both paths."""
    send(settings, 0, number)
    asyncio.run(watch(settings, spoil))
    asyncio.run(history(settings))
    commit(settings)
