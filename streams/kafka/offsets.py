"""What consumer groups have acknowledged, asked and set from outside, also of a broker that is new."""

from collections.abc import Mapping
from typing import Any, Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NoError,
    NotCoordinatorError,
)
from kafka.structs import OffsetAndMetadata
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

BEGIN_SECONDS: Final = 60.0
"""How long a broker that is new may take until it answers: it makes room for groups when the first is asked for."""
_BEGINNING: Final = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)

_patiently: Final[Any] = retry(
    retry=retry_if_exception_type(_BEGINNING), wait=wait_fixed(1), stop=stop_after_delay(BEGIN_SECONDS), reraise=True
)


@_patiently
def acknowledged(client: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """Return where a group goes on, by partition; nothing where it never acknowledged anything.

    Raises
    ------
    kafka.errors.KafkaError
        Where Kafka does not tell.
    """
    return {place: each.offset for place, each in client.list_group_offsets({group: None}).get(group, {}).items()}


@_patiently
def acknowledge(client: KafkaAdminClient, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Set where a group without members goes on.

    Raises
    ------
    kafka.errors.KafkaError
        Where Kafka does not take it.
    """
    if not offsets:
        return
    wanted = {place: OffsetAndMetadata(offset, "", -1) for place, offset in offsets.items()}
    for place, error in client.alter_group_offsets(group, wanted).items():
        if error is not NoError:
            raise error(f"{group} at {place}")
