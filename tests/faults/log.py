"""What Kafka holds, and how far each group is, read for the comparison."""

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from schemas.wire import decoder
from streams.kafka.topics import client_arguments
from tests.faults.fleet import KINDS


def ends(settings, topic):
    """Return the end of each partition of a topic."""
    name = settings.topic(topic.name)
    consumer = KafkaConsumer(**client_arguments(settings))
    try:
        return consumer.end_offsets([TopicPartition(name, p) for p in consumer.partitions_for_topic(name)])
    finally:
        consumer.close()


def log(settings, topic):
    """Return all records of a topic by partition."""
    last = ends(settings, topic)
    found = {tp.partition: [] for tp in last}
    consumer = KafkaConsumer(**client_arguments(settings), enable_auto_commit=False)
    consumer.assign(list(last))
    consumer.seek_to_beginning(*last)
    while any(consumer.position(tp) < end for tp, end in last.items()):
        for records in consumer.poll(timeout_ms=1000).values():
            for record in records:
                found[record.partition].append(record)
    consumer.close()
    return found


def decoded(settings, topic, kind):
    """Return all records of a topic as structs, one partition after another."""
    decode = decoder(kind)
    held = [record for records in log(settings, topic).values() for record in records]
    return [decode(record.value, record.timestamp * 1_000_000) for record in held]


def committed(settings):
    """Return what each group has committed, by kind of worker."""
    admin = KafkaAdminClient(**client_arguments(settings), request_timeout_ms=10_000)
    try:
        groups = {kind: f"{settings.topic_prefix}watchkeeper-{kind}" for kind in KINDS}
        offsets = admin.list_group_offsets(dict.fromkeys(groups.values()))
        return {kind: {tp: meta.offset for tp, meta in offsets[group].items()} for kind, group in groups.items()}
    finally:
        admin.close()
