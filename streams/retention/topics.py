"""For how long Kafka keeps each topic: never longer than the policy keeps what is in it."""

from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from schemas.topics import Topic
from streams.kafka.topics import KafkaUnavailableError, TopicError, admin, client_arguments, set_configs, topic_states
from streams.policy.retention import Retention
from streams.retention.classes import TOPICS, retention_ms
from streams.retention.store import Going
from streams.settings import Settings

_LONGEST_SEGMENT_MS: Final = 86_400_000
"""Kafka removes whole segments: none holds more than a day, or a record would be kept for longer than it says."""


def plan(settings: Settings, retention: Retention, now: float) -> list[Going]:
    """Return what Kafka removes by itself as soon as topics have the settings of the policy: records, by topic.

    Raises
    ------
    KafkaUnavailableError
        Where no broker answers.
    """
    with admin(settings) as client:
        states = topic_states(client)
    wanted = {settings.topic(topic.name): topic for topic in TOPICS if settings.topic(topic.name) in states}
    try:
        consumer = KafkaConsumer(**client_arguments(settings), enable_auto_commit=False)
        try:
            return [
                _going(consumer, name, states[name].partitions, topic, now - retention_ms(topic, retention) / 1000)
                for name, topic in wanted.items()
                if retention_ms(topic, retention) > 0
            ]
        finally:
            consumer.close()
    except KafkaError as error:
        raise KafkaUnavailableError(f"Kafka at {settings.kafka} does not answer: {error}") from error


def _going(consumer: Any, name: str, partitions: int, topic: Topic, before: float) -> Going:
    tps = [TopicPartition(name, number) for number in range(partitions)]
    begins, ends = consumer.beginning_offsets(tps), consumer.end_offsets(tps)
    kept = consumer.offsets_for_times(dict.fromkeys(tps, max(int(before * 1000), 0)))
    firsts = consumer.offsets_for_times(dict.fromkeys(tps, 0))
    gone = sum((kept[tp].offset if kept.get(tp) else ends[tp]) - begins[tp] for tp in tps)
    oldest = min((found.timestamp // 1000 for found in firsts.values() if found), default=None)
    of = TOPICS[topic][0]
    return Going("topic", name, of, max(int(before), 0), gone, oldest if gone else None)


def carry_out(settings: Settings, retention: Retention) -> dict[str, str]:
    """Set how long Kafka keeps each topic, where it says otherwise, and return what was changed.

    Raises
    ------
    KafkaUnavailableError
        Where no broker answers, or it does not let us.
    """
    with admin(settings) as client:
        try:
            changed = _differing(client, settings, retention)
            set_configs(client, changed)
        except (KafkaError, TopicError) as error:
            raise KafkaUnavailableError(f"Kafka does not let retention.ms be set: {error}") from error
    return {name: configs["retention.ms"] for name, configs in changed.items()}


def _differing(client: KafkaAdminClient, settings: Settings, retention: Retention) -> dict[str, dict[str, str]]:
    states = topic_states(client)
    wanted = {
        settings.topic(topic.name): _configs(topic, retention)
        for topic, classes in TOPICS.items()
        if classes and settings.topic(topic.name) in states
    }
    described = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted])["topic"]
    return {
        name: configs
        for name, configs in wanted.items()
        if any(described[name].get(key, {}).get("value", "") != value for key, value in configs.items())
    }


def _configs(topic: Topic, retention: Retention) -> dict[str, str]:
    kept = retention_ms(topic, retention)
    return {"retention.ms": str(kept), "segment.ms": str(min(kept, _LONGEST_SEGMENT_MS))}
