"""Records to Kafka from commands: sent, and on disk with all replicas when the call returns."""

from collections.abc import Iterable, Sequence

from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.emitter import headers, routing_key
from schemas.events import Envelope
from schemas.topics import Topic
from schemas.wire import Record, encode
from streams.identifiers.guard import guard_of
from streams.kafka.publisher import Message
from streams.kafka.topics import KafkaUnavailableError, check_topics, client_arguments
from streams.settings import Settings

SECONDS = 30.0
"""How long a command waits for Kafka to take a message."""


def message(
    settings: Settings, topic: Topic, record: Record, key: str, more: Sequence[tuple[str, bytes]] = ()
) -> Message:
    """Return a record as it travels, with the CloudEvents headers of an event and more beside them.

    It travels without direct identifiers, also in the key where that is what events are routed by.
    """
    clean = guard_of(settings).clean(record)
    if clean is not record and isinstance(record, Envelope) and key.encode() == routing_key(record):
        key = routing_key(clean).decode()  # type: ignore[arg-type]
    own = headers(clean) if isinstance(clean, Envelope) else []
    return Message(settings.topic(topic.name), encode(clean), key.encode(), headers=(*own, *more))


def send(settings: Settings, topic: Topic, record: Record, key: str, more: Sequence[tuple[str, bytes]] = ()) -> None:
    """Send one record.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where it is not in Kafka; the message says what to do.
    """
    send_all(settings, topic, [message(settings, topic, record, key, more)])


def send_all(settings: Settings, topic: Topic, messages: Iterable[Message]) -> int:
    """Send the messages of one topic, in order, and return how many.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where not all of them are in Kafka; the message says what to do.
    """
    check_topics(settings, [topic])
    producer = KafkaProducer(**client_arguments(settings), acks="all")
    try:
        futures = [
            producer.send(each.topic, value=each.value, key=each.key, headers=list(each.headers)) for each in messages
        ]
        for future in futures:
            future.get(timeout=SECONDS)
    except KafkaError as error:
        raise KafkaUnavailableError(
            f"Kafka at {settings.kafka} did not take the message ({type(error).__name__}); try again when it answers"
        ) from None
    finally:
        producer.close()
    return len(futures)
