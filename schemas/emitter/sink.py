"""What the emitter's queue needs of a place where records go, and what comes back from it."""

from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

Headers = list[tuple[str, bytes]]

OVERHEAD_BYTES: Final = 600
"""What a record takes in memory beside its value: key, headers and their Python objects."""


class AwayError(Exception):
    """Kafka can't take this now; nothing is wrong with the record."""


class RejectedError(Exception):
    """Kafka will never take this record. `reason` is the word it is counted under."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason: Final = reason


class Counts(msgspec.Struct):
    """What became of the events so far.

    `emitted` were acknowledged by the broker, `dropped` could not be sent, `refused` were against the contract;
    `reasons` says why, for the last two together. `left` were still waiting when `close` gave up; they are in
    `dropped` too.
    """

    emitted: int = 0
    dropped: int = 0
    refused: int = 0
    left: int = 0
    reasons: dict[str, int] = msgspec.field(default_factory=dict)

    def since(self, before: "Counts") -> "Counts":
        """Return what has come since."""
        reasons = {name: count - before.reasons.get(name, 0) for name, count in self.reasons.items()}
        return Counts(
            emitted=self.emitted - before.emitted,
            dropped=self.dropped - before.dropped,
            refused=self.refused - before.refused,
            reasons={name: count for name, count in reasons.items() if count},
        )

    def plus(self, more: "Counts") -> "Counts":
        """Return both together."""
        reasons = {name: self.reasons.get(name, 0) + count for name, count in more.reasons.items()}
        return Counts(
            emitted=self.emitted + more.emitted,
            dropped=self.dropped + more.dropped,
            refused=self.refused + more.refused,
            reasons=self.reasons | reasons,
        )


class Arrival(msgspec.Struct, frozen=True):
    """Whether all events so far are in Kafka; `problem` says what to do where they are not."""

    arrived: bool
    waiting: int
    counts: Counts
    problem: str = ""


class Record(msgspec.Struct):
    """One record on its way; `number` is its place in the order, `told` what it says if it is a report."""

    number: int
    key: bytes | None
    value: bytes
    headers: Headers
    told: Counts | None = None

    @property
    def size(self) -> int:
        """Bytes that it holds in memory."""
        return len(self.value) + OVERHEAD_BYTES


Done = Callable[[int, Exception | None], None]
"""``done(number, error)``: a record was acknowledged, or not; called from any thread."""


class Sink(Protocol):
    """Where records go."""

    def open(self) -> None:
        """Connect where it is not connected; raises `AwayError`."""

    def send(self, record: Record, done: Done) -> None:
        """Hand over one record; raises `AwayError` or `RejectedError`, or says so later by `done`."""

    def discard(self) -> None:
        """Let go of a broken connection at once; what it held comes back from the outbox."""

    def close(self) -> None:
        """Close; nothing is on its way any more."""

    def forget(self) -> None:
        """Forget a connection that belongs to the parent process, without touching it."""


Send = Callable[[bytes | None, bytes, Headers], object]
"""``send(key, value, headers)``: takes one record, may block, may raise; may return a future of kafka-python."""


class Direct:
    """A function that takes records; what it raises is the end of that record."""

    def __init__(self, send: Send, check: Callable[[bytes], None]) -> None:
        self._send: Final = send
        self._check: Final = check

    def open(self) -> None: ...
    def discard(self) -> None: ...
    def close(self) -> None: ...
    def forget(self) -> None: ...

    def send(self, record: Record, done: Done) -> None:
        if record.told is None:
            self._check(record.value)
        number = record.number
        try:
            future: Any = self._send(record.key, record.value, record.headers)
        except Exception as error:
            raise RejectedError("failed", f"{type(error).__name__}: {error}") from error
        if hasattr(future, "add_errback"):
            future.add_callback(lambda _: done(number, None))
            future.add_errback(lambda error: done(number, RejectedError("failed", str(error))))
        else:
            done(number, None)
