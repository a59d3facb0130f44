"""A topic read whole: small topics are their own state."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.kafka_admin import TopicState


async def read_whole(client: Mapping[str, Any], topics: list[TopicState]) -> AsyncIterator[ConsumerRecord]:
    """Yield all records that topics hold now, topic by topic, each partition in its order."""
    consumer = AIOKafkaConsumer(
        **client, enable_auto_commit=False, auto_offset_reset="earliest", max_partition_fetch_bytes=4_000_000
    )
    await consumer.start()
    try:
        for topic in topics:
            for number in range(topic.partitions):
                partition = TopicPartition(topic.name, number)
                consumer.assign([partition])
                end = (await consumer.end_offsets([partition]))[partition]
                await consumer.seek_to_beginning(partition)
                while await consumer.position(partition) < end:
                    for record in (await consumer.getmany(partition, timeout_ms=1000)).get(partition, []):
                        yield record
    finally:
        await consumer.stop()
