"""What a predecessor knew: the traces of the records before those that were not acknowledged, read again."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from aiokafka import ConsumerRecord

from streams.dialects.otlp.assembly.traces import REMEMBERED
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import TopicState

MARGIN_MS: Final = 10_000
"""So far may the clocks of two brokers be apart."""


class Before(NamedTuple):
    """Records that were acknowledged and still matter, by topic and in the order of their time, and when they begin."""

    records: list[tuple[str, ConsumerRecord]]
    since_ms: int


async def before(
    reader: LogReader, group: str, topics: Sequence[TopicState], number: int, first_ms: int, wait_nano: int
) -> Before:
    """Return what a predecessor had read of the partitions of one number and may still have known.

    Parameters
    ----------
    group
        The consumer group, whose commits say what was acknowledged.
    first_ms
        When the first record that was not acknowledged was written.
    wait_nano
        How long a span waits; it is known for a few times as long.
    """
    here = [topic for topic in topics if number < topic.partitions]
    done = {topic.name: await reader.committed(group, topic.name, number) or 0 for topic in here}
    firsts = [await _written(reader, topic.name, number, done[topic.name]) for topic in here]
    first = min([first_ms, *(written for written in firsts if written is not None)])
    since = first - MARGIN_MS - REMEMBERED * wait_nano // 1_000_000
    found = [
        (topic.name, record)
        for topic in here
        async for record in reader.since(topic.name, number, since)
        if record.offset < done[topic.name]
    ]
    found.sort(key=lambda item: int(item[1].timestamp))
    return Before(found, since)


async def _written(reader: LogReader, topic: str, number: int, offset: int) -> int | None:
    """Return when the first record from an offset on was written; None where there is none yet."""
    begin, end = await reader.bounds(topic, number)
    found = await reader.between(topic, number, max(begin, offset), end, 1)
    return int(found[0].timestamp) if found else None
