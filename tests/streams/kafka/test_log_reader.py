"""The log read directly, on a real broker."""

from schemas.topics import INFERENCE
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import client_arguments


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
