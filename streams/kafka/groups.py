"""How far kinds of workers have read, asked from Kafka: it can be asked from wherever one of them runs."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import structlog
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from streams.kafka.log_reader import Bounds
from streams.kafka.topics import client_arguments
from streams.settings import Settings

log: Final = structlog.get_logger()

PATIENCE_MS: Final = 10_000
_NOBODY: Final = "GroupIdNotFound"

Place = tuple[str, int]
"""A topic and the number of a partition."""


class Standing(NamedTuple):
    """How many workers of a kind there are, and by partition what comes next for them and where the log ends."""

    members: int
    read: dict[Place, tuple[int, int]]


class Groups:
    """Asks over one connection, which is made anew after an error.

    Parameters
    ----------
    names
        Kinds of workers.
    """

    def __init__(self, settings: Settings, names: Iterable[str]) -> None:
        self._settings: Final = settings
        self._names: Final = {settings.group(name): name for name in names}
        self._client: KafkaAdminClient | None = None

    def look(self) -> dict[str, Standing] | None:
        """Return how each kind stands; None where Kafka does not answer, or does not tell us."""
        try:
            if self._client is None:
                arguments = client_arguments(self._settings)
                self._client = KafkaAdminClient(
                    **arguments, bootstrap_timeout_ms=PATIENCE_MS, request_timeout_ms=PATIENCE_MS
                )
            return self._ask(self._client)
        except (KafkaError, OSError) as error:
            log.warning("Kafka does not say how far workers are", why=repr(error))
            self.close()
            return None

    def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _ask(self, client: KafkaAdminClient) -> dict[str, Standing]:
        """Ask what is assigned and what is committed; then for the ends, so that these are the newer."""
        groups, members, at = list(self._names), dict[str, int](), dict[str, dict[TopicPartition, int]]()
        said = client.describe_groups(groups)
        if refused := [each["error"] for each in said.values() if each["error"] and _NOBODY not in each["error"]]:
            raise KafkaError(refused[0])
        for group, committed in client.list_group_offsets(dict.fromkeys(groups)).items():
            members[group] = len(said[group]["members"])
            at[group] = dict.fromkeys(_assigned(said[group]["members"]), 0)
            at[group] |= {place: offset.offset for place, offset in committed.items()}
        logs = bounds(client, (place for each in at.values() for place in each))
        return {
            name: Standing(
                members.get(group, 0),
                {
                    (place.topic, place.partition): (max(offset, logs[place].begin), logs[place].end)
                    for place, offset in at.get(group, {}).items()
                },
            )
            for group, name in self._names.items()
        }


def bounds(client: KafkaAdminClient, places: Iterable[TopicPartition]) -> dict[TopicPartition, Bounds]:
    """Return where partitions begin and end now; the ends are asked for last."""
    asked = sorted(set(places))
    if not asked:
        return {}
    begins = client.list_partition_offsets(dict.fromkeys(asked, OffsetSpec.EARLIEST))
    ends = client.list_partition_offsets(dict.fromkeys(asked, OffsetSpec.LATEST))
    return {place: Bounds(begins[place].offset, ends[place].offset) for place in asked}


def _assigned(members: Iterable[dict[str, Any]]) -> list[TopicPartition]:
    """Return what the members of a group have, also where nothing was committed yet."""
    return [
        TopicPartition(topic["topic"], number)
        for member in members
        if (own := member["member_assignment"])
        for topic in own["assigned_partitions"]
        for number in topic["partitions"]
    ]
