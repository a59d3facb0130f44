"""How far each worker is, asked from Kafka: it can be from wherever the week is played."""

from typing import Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError

from streams.app import WORKERS, reads
from streams.demo.settled import Look
from streams.kafka.groups import bounds
from streams.kafka.topics import client_arguments, topic_states
from streams.settings import Settings

PATIENCE_MS: Final = 5_000
"""A look that takes longer is one without an answer; the next one comes soon."""


class Offsets:
    """Asks for what each worker has committed, and for the ends of what it reads, over one connection."""

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self._groups: Final = {name: settings.group(name) for name in WORKERS}
        self._client: KafkaAdminClient | None = None
        self._reads: dict[str, list[TopicPartition]] = {}

    def look(self, at: float, sent: int = 0) -> Look:
        """Return what Kafka says; a look without anything where it does not answer."""
        try:
            done, left = self._ask(self._client or self._connect())
        except (KafkaError, OSError):
            self.close()
            return Look(at, sent)
        return Look(at, sent, done, left)

    def members(self, worker: str) -> int | None:
        """Return how many workers of a kind Kafka knows; None where it does not answer."""
        group = self._groups[worker]  # type: ignore[index]
        try:
            return len((self._client or self._connect()).describe_groups([group])[group]["members"])
        except (KafkaError, OSError):
            self.close()
            return None

    def close(self) -> None:
        """Disconnect; the next look connects again."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connect(self) -> KafkaAdminClient:
        self._client = KafkaAdminClient(
            **client_arguments(self._settings), bootstrap_timeout_ms=PATIENCE_MS, request_timeout_ms=PATIENCE_MS
        )
        states = topic_states(self._client)
        self._reads = {
            name: [
                TopicPartition(state.name, number)
                for topic in reads(name)
                if (state := states.get(self._settings.topic(topic.name))) is not None
                for number in range(state.partitions)
            ]
            for name in WORKERS
        }
        return self._client

    def _ask(self, client: KafkaAdminClient) -> tuple[dict[str, int], dict[str, int]]:
        """Return what is done and what is left; the ends are asked for last, so that nothing on its way is missed.

        What a worker makes of a record is in the log before it commits that record. So when every commit is at an
        end that is read after it, what all of them made has been read too.
        """
        groups = client.list_group_offsets(dict.fromkeys(self._groups.values()))
        logs = bounds(client, (each for reads in self._reads.values() for each in reads))
        done, left = {}, {}
        for name, own in self._reads.items():
            known = {each: said.offset for each, said in groups.get(self._groups[name], {}).items()}  # type: ignore[index]
            at = {each: max(known.get(each, 0), logs[each].begin) for each in own}
            done[name] = sum(at.values())
            left[name] = sum(max(logs[each].end - at[each], 0) for each in own)
        return done, left
