"""A record as it is read, and one that is no event, for workers that decode no columns too."""

from dataclasses import dataclass
from typing import Protocol

from schemas.wire import Reason


class LogRecord(Protocol):
    """What decoding needs of a Kafka record: its bytes and when it was written, in milliseconds."""

    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that the contract refuses, by its position in the batch."""

    position: int
    reason: Reason
    detail: str
