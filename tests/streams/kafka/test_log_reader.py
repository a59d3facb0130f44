"""The log read directly, on a real broker."""

import asyncio

from aiokafka import AIOKafkaConsumer

from schemas.topics import INFERENCE
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import client_arguments
from tests.support.waiting import PATIENCE_SECONDS


async def test_nothing_is_read_of_nothing(kafka_settings):
    """An empty range, an empty partition and a time after the last record are empty, and no error."""
    reader, topic = LogReader(client_arguments(kafka_settings)), kafka_settings.topic(INFERENCE.name)
    for _ in range(20):
        assert await reader.between(topic, 0, 0, 0, 1) == []
    assert [record async for record in reader.since(topic, 0, 0)] == []
    assert await reader.committed("nobody", topic, 0) is None


async def test_records_are_read_from_a_time_on(kafka_settings):
    """By the broker's clock: all from before them, those from a record's own time on, none from after them."""
    reader, topic = LogReader(client_arguments(kafka_settings)), kafka_settings.topic(INFERENCE.name)
    publisher = Publisher(client_arguments(kafka_settings))
    await publisher.start()
    for value in (b"1", b"2", b"3"):
        await publisher.publish([Message(topic, value, partition=1)])
    await publisher.stop()
    found = [record async for record in reader.since(topic, 1, -1)]
    assert [record.value for record in found] == [b"1", b"2", b"3"]
    later = [record.value async for record in reader.since(topic, 1, found[1].timestamp)]
    assert later in ([b"2", b"3"], [b"1", b"2", b"3"])  # two may be of one millisecond
    assert [record async for record in reader.since(topic, 1, found[2].timestamp + 1)] == []


async def test_whoever_is_cancelled_while_a_client_is_closed_has_ended(kafka_settings, monkeypatch):
    """What closing a client would swallow: a task that reads again and again ends by its first cancellation."""
    closing, close = asyncio.Event(), AIOKafkaConsumer.stop

    async def stop(consumer):
        closing.set()
        await close(consumer)

    monkeypatch.setattr(AIOKafkaConsumer, "stop", stop)
    reader, topic = LogReader(client_arguments(kafka_settings)), kafka_settings.topic(INFERENCE.name)

    async def read():
        while True:
            await reader.bounds(topic, 0)

    reading = asyncio.create_task(read())
    await closing.wait()
    reading.cancel()
    await asyncio.wait([reading], timeout=PATIENCE_SECONDS)
    assert reading.cancelled()
