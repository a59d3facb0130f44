"""Up to where refused records were sent again, so that none is sent twice: for each topic and reason by itself."""

from collections.abc import Mapping
from typing import Final

from kafka import KafkaAdminClient, TopicPartition

from schemas.identity import identity
from streams.kafka.offsets import acknowledge, acknowledged
from streams.settings import RESENT, Settings

Kind = tuple[str, str]
"""The topic that a record was refused in, and the reason."""


class Resent:
    """Remembers in Kafka, where every terminal and console finds it.

    Kafka forgets offsets of a group that nobody used for `offsets.retention.minutes`, seven days unless the broker says
    otherwise, as those that we start do. They are in backups.

    Parameters
    ----------
    settings
        Name the groups.
    client
        Open for as long as this is used.
    """

    def __init__(self, settings: Settings, client: KafkaAdminClient) -> None:
        self._settings: Final = settings
        self._client: Final = client
        self._until: Final[dict[Kind, Mapping[TopicPartition, int]]] = {}

    def before(self, kind: Kind, place: TopicPartition, offset: int) -> bool:
        """Tell whether a letter lies where those of its kind were sent again already."""
        if kind not in self._until:
            self._until[kind] = acknowledged(self._client, self._group(kind))
        return offset < self._until[kind].get(place, 0)

    def keep(self, newest: Mapping[tuple[Kind, TopicPartition], int]) -> None:
        """Write down the newest letter that was sent, by kind and partition of letters.

        Raises
        ------
        kafka.errors.KafkaError
            Where Kafka does not take it.
        """
        for (kind, place), offset in newest.items():
            acknowledge(self._client, self._group(kind), {place: offset + 1})

    def _group(self, kind: Kind) -> str:
        return self._settings.group(RESENT + identity(*kind))
