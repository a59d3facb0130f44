"""Records that the contract refused: kept with their reason, never dropped, and bounded in their share."""

from collections import deque
from typing import Final

from streams.column_reader import LogRecord
from streams.decode import Refused
from streams.faust_app import LogBatch
from streams.health import REFUSED
from streams.publisher import Message

LAST_RECORDS: Final = 10_000
AT_LEAST: Final = 100


class TooManyRefusedError(RuntimeError):
    """So many records are refused that something is wrong at their source, or here: a person must look."""


class RefusalLimit:
    """Stops a worker before a bad deploy drains a topic into the dead letters.

    Parameters
    ----------
    share
        Of the last ten thousand records, from a hundred refused ones on.
    """

    def __init__(self, share: float) -> None:
        self._share: Final = share
        self._batches: deque[tuple[int, int]] = deque()
        self._records = self._refused = 0

    def check(self, topic: str, records: int, refused: list[Refused]) -> None:
        """Count a batch.

        Raises
        ------
        TooManyRefusedError
            Where the share is above the limit.
        """
        for item in refused:
            REFUSED.labels(topic, item.reason).inc()
        self._batches.append((records, len(refused)))
        self._records += records
        self._refused += len(refused)
        while self._records - self._batches[0][0] >= LAST_RECORDS:
            gone = self._batches.popleft()
            self._records -= gone[0]
            self._refused -= gone[1]
        if self._refused >= AT_LEAST and self._refused > self._share * self._records:
            raise TooManyRefusedError(
                f"{self._refused} of the last {self._records} records of {topic} were refused, the latest because: "
                f"{refused[-1].reason}: {refused[-1].detail}. Nothing of this batch was acknowledged. Mend the "
                "producer, or raise WATCHKEEPER_DEAD_LETTER_LIMIT to let them pass to the dead letters"
            )


def dead_letter(topic: str, batch: LogBatch, refused: Refused) -> Message:
    """Return the dead letter of a refused record: its bytes as they were, the reason in the headers."""
    record = batch.records[refused.position]
    origin = {
        "origin-topic": batch.topic.name,
        "origin-topic-id": batch.topic.topic_id,
        "origin-partition": str(batch.partition),
        "origin-offset": str(record.offset),
        "origin-timestamp": str(record.timestamp),
        "reason": refused.reason,
        "detail": refused.detail[:1000],
        "schema-version": schema_version(record),
    }
    identity = f"{batch.topic.topic_id}/{batch.partition}/{record.offset}"
    return Message(
        topic,
        (record.value or b"")[:1_500_000],
        identity.encode(),
        headers=[(name, value.encode()) for name, value in origin.items()],
    )


def schema_version(record: LogRecord) -> str:
    """Return what a record's headers say its contract is; empty where they say nothing."""
    headers = dict(getattr(record, "headers", ()) or ())
    return (headers.get("ce_type") or headers.get("ce_dataschema") or b"").decode(errors="replace")[:128]
