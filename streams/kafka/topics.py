"""Topics as the contract wants them: create them, check them, read what Kafka says of them."""

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from schemas.topics import RESTORED, TOPICS, Topic
from streams.health.renewed import Renewed
from streams.kafka.password import password
from streams.kafka.restored import former_ids
from streams.settings import Settings, SettingsError
from streams.tls.renewed import CHANGED, Calling


class KafkaUnavailableError(ConnectionError):
    """No broker answered at the address of the settings."""


class TopicError(ValueError):
    """A topic is missing or not as the contract wants it; the message holds the command that mends it."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """What Kafka says of a topic: its unique id, which a recreated topic does not share, and its partitions.

    A topic restored from a backup has the id of the one that was backed up: its records are the same, at their offsets.
    """

    name: str
    topic_id: str
    partitions: int


def client_arguments(settings: Settings) -> dict[str, Any]:
    """Return the arguments that every kafka-python and aiokafka client of these settings needs.

    Certificates and password that lie in files are those of the moment at which a connection is opened.
    """
    return {"bootstrap_servers": settings.kafka.split(","), **_security(settings)}


PROBLEM: Final = "kafka certificate"


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context towards the brokers; each connection is opened with its files as they are then.

    Raises
    ------
    SettingsError
        Where the certificate that is to be shown to them, its key or their authority can't be read.
    """
    files = settings.kafka_ca_file, settings.kafka_cert_file, settings.kafka_key_file
    return Calling(Renewed(files, lambda: _context(settings), PROBLEM, CHANGED))


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
        if settings.kafka_cert_file is not None:  # no passphrase: or a terminal is asked for one
            context.load_cert_chain(settings.kafka_cert_file, settings.kafka_key_file, password="")
    except OSError as error:
        named = filter(None, (settings.kafka_ca_file, settings.kafka_cert_file, settings.kafka_key_file))
        files = ", ".join(map(str, named))
        raise SettingsError(f"the certificates towards Kafka can't be used ({files}): {error}") from None
    return context


def _security(settings: Settings) -> dict[str, Any]:
    if settings.kafka_security == "PLAINTEXT":
        return {}
    arguments: dict[str, Any] = {
        "security_protocol": settings.kafka_security,
        "ssl_context": tls_context(settings),
    }
    if settings.kafka_security == "SASL_SSL":
        arguments |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": password(settings),
        }
    return arguments


@contextmanager
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """Open an admin client.

    Raises
    ------
    KafkaUnavailableError
        Where no broker answers.
    """
    try:
        client = KafkaAdminClient(request_timeout_ms=10_000, **client_arguments(settings))
    except (KafkaError, OSError) as error:
        raise KafkaUnavailableError(
            f"no Kafka broker answers at {settings.kafka} ({type(error).__name__}); set WATCHKEEPER_KAFKA, or "
            "start one with `watchkeeper broker`"
        ) from None
    try:
        yield client
    finally:
        client.close()


def known_topics(client: KafkaAdminClient, settings: Settings) -> dict[str, TopicState]:
    """Return every topic of the cluster by name, with the id that rows and checkpoints know it by."""
    states = topic_states(client)
    restored = states.get(settings.topic(RESTORED.name))
    if restored is None:
        return states
    former = former_ids(client_arguments(settings), restored.name, restored.topic_id)
    return {name: replace(state, topic_id=former.get(state.topic_id, state.topic_id)) for name, state in states.items()}


def topic_states(client: KafkaAdminClient) -> dict[str, TopicState]:
    """Return every topic of the cluster by name, with the id that the cluster gave it."""
    return {
        item["name"]: TopicState(item["name"], str(item["topic_id"]), len(item["partitions"]))
        for item in client.describe_topics()
        if not item["error_code"]
    }


def create_topics(settings: Settings, partitions: int | None = None, replication: int = 1) -> list[str]:
    """Create the topics that are missing and return their names.

    Parameters
    ----------
    partitions
        Partitions of ``inference.v1``, which bounds how many workers can share it; the contract's own if None.
    replication
        Copies of each partition.
    """
    with admin(settings) as client:
        existing = topic_states(client)
        missing = {
            settings.topic(topic.name): options_of(topic, partitions if topic.scales else None, replication)
            for topic in TOPICS
            if settings.topic(topic.name) not in existing
        }
        if missing:
            client.create_topics(missing, wait_for_metadata=True)
    return list(missing)


def options_of(topic: Topic, partitions: int | None = None, replication: int = 1) -> dict[str, Any]:
    """Return the options that a topic is created with, as the contract wants them; partitions are its own if None."""
    config = {
        "cleanup.policy": topic.cleanup,
        "retention.ms": str(topic.retention_ms),
        "max.message.bytes": str(topic.max_message_bytes),
        "segment.bytes": str(topic.segment_bytes),
        "message.timestamp.type": topic.timestamp,
    }
    if topic.cleanup == "compact":
        config |= {"min.cleanable.dirty.ratio": "0.1", "max.compaction.lag.ms": "600000"}
    return {"num_partitions": partitions or topic.partitions, "replication_factor": replication, "configs": config}


def check_topics(settings: Settings, needed: Iterable[Topic]) -> dict[str, TopicState]:
    """Return the state of the needed topics, by their full names.

    Raises
    ------
    TopicError
        Where one is missing, or keeps the time of producers where the contract wants the broker's.
    """
    with admin(settings) as client:
        states = known_topics(client, settings)
        wanted = {settings.topic(topic.name): topic for topic in needed}
        if missing := sorted(set(wanted) - set(states)):
            raise TopicError(f"missing topics: {', '.join(missing)}; run `watchkeeper topics create`")
        _check_timestamps(client, wanted)
    return {name: states[name] for name in wanted}


def _check_timestamps(client: KafkaAdminClient, wanted: dict[str, Topic]) -> None:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
    described = client.describe_configs(resources)["topic"]
    for name, topic in wanted.items():
        found = described[name].get("message.timestamp.type", {}).get("value", "CreateTime")
        if topic.timestamp is not None and found != topic.timestamp:
            raise TopicError(
                f"topic {name} has message.timestamp.type={found}, it must be {topic.timestamp}; run "
                f"`kafka-configs --alter --topic {name} --add-config message.timestamp.type={topic.timestamp}`"
            )


def set_configs(client: KafkaAdminClient, configs: Mapping[str, Mapping[str, str]]) -> None:
    """Change settings of topics, by name.

    Raises
    ------
    TopicError
        Where the broker does not let one of them be changed: its client says so in the answer alone.
    """
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name, dict(given)) for name, given in configs.items()]
    answers = client.alter_configs(wanted).get("topic", {})
    for name in configs:
        if (said := answers.get(name, "no answer")) != "OK":
            raise TopicError(f"Kafka does not let settings of {name} be changed: {said}")
