"""Which topics were restored from a backup, and which topics they were.

A topic that is made again gets another id, and rows, windows and checkpoints name records by the id of their topic. So
a restored installation says once, in a topic of its own, whose records its topics hold.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError

POLL_MS: Final = 1000
POLLS: Final = 60

_known: Final[dict[str, dict[str, str]]] = {}


def former_ids(client: Mapping[str, Any], name: str, topic_id: str) -> dict[str, str]:
    """Return the ids under which records were written, by the ids that their topics have now.

    Parameters
    ----------
    client
        Arguments of a Kafka client.
    name, topic_id
        Of the topic that says it: what it once said, it says for ever.
    """
    if topic_id not in _known:
        said = _said(client, name)
        if said is None:
            return {}
        _known[topic_id] = msgspec.json.decode(said, type=dict[str, str])
    return _known[topic_id]


def _said(client: Mapping[str, Any], name: str) -> bytes | None:
    """Return the first record of the topic; None where there is none yet."""
    consumer, place = KafkaConsumer(**client, enable_auto_commit=False), TopicPartition(name, 0)
    try:
        consumer.assign([place])
        if not consumer.end_offsets([place])[place]:
            return None
        consumer.seek_to_beginning(place)
        for _ in range(POLLS):
            if found := consumer.poll(timeout_ms=POLL_MS, max_records=1).get(place):
                return bytes(found[0].value)
        raise KafkaTimeoutError(f"{name} holds a record, and the broker does not give it")
    finally:
        consumer.close()


def say(client: Mapping[str, Any], name: str, former: Mapping[str, str]) -> None:
    """Say whose records topics hold, in one record: whoever reads knows all of it or nothing."""
    producer = KafkaProducer(**client, acks="all")
    try:
        producer.send(name, value=msgspec.json.encode(former), partition=0).get()
    finally:
        producer.close()
