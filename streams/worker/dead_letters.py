"""Records that the contract refused: kept with their reason, up to a size for each of those they came from."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from schemas.fields import MAX_KEPT_BYTES
from streams.events.records import LogRecord, Refused
from streams.health.metrics import LETTERS, LETTERS_LEFT
from streams.kafka.publisher import Message

if TYPE_CHECKING:
    from streams.worker.faust_app import LogBatch

MOST_OWNERS: Final = 1_000
"""Names that have a share of their own; those that come when there are as many share one."""

HOUR_MS: Final = 3_600_000

NUMBERED: Final = r"^([0-9]+) records of .+ between offsets ([0-9]+) and ([0-9]+) are not kept"
"""How a letter begins that stands for a number of records: how many, from which offset to which."""
_NAMED: Final = {
    name: re.compile(rb'"' + name + rb'"\s{0,8}:\s{0,8}("(?:[^"\\]|\\.){1,512}+")', re.DOTALL)
    for name in (b"service_name", b"source")
}


class Letters:
    """Makes the dead letters of refused records.

    A source that goes wrong may send as many as it likes: beyond `MAX_KEPT_BYTES` an hour only their number is kept,
    by reason and with the offsets at which the log still has them. Whose records they are is told by `owner_of`.
    """

    def __init__(self, topic: str) -> None:
        self._topic: Final = topic
        self._kept: dict[str, tuple[int, int]] = {}  # by owner: the hour, and the bytes kept in it

    def of(self, batch: "LogBatch", refused: Sequence[Refused]) -> Iterator[Message]:
        """Yield the letters of a batch: the records as they were, and one for those of each kind that are not kept."""
        left: dict[tuple[str, str], list[Refused]] = {}
        for item in refused:
            record = batch.records[item.position]
            owner = owner_of(record, batch.partition)
            if self._has_room(owner, record):
                LETTERS.labels(item.reason).inc()
                yield dead_letter(self._topic, batch, item)
            else:
                left.setdefault((owner, item.reason), []).append(item)
        for (owner, _), items in left.items():
            LETTERS_LEFT.labels(items[-1].reason).inc(len(items))
            yield _number_of(self._topic, batch, owner, items)

    def _has_room(self, owner: str, record: LogRecord) -> bool:
        if owner not in self._kept and len(self._kept) >= MOST_OWNERS:
            owner = "~other"
        hour = record.timestamp // HOUR_MS
        since, kept = self._kept.get(owner, (hour, 0))
        if hour > since:
            since, kept = hour, 0
        kept += len(record.value or b"") + 200
        if kept > MAX_KEPT_BYTES:
            return False
        self._kept[owner] = since, kept
        return True


def owner_of(record: LogRecord, partition: int) -> str:
    """Return whose a refused record is: the service or source it names, its header's source, else its partition.

    The record may be anything, so that it is searched and not parsed.
    """
    for pattern in _NAMED.values():
        if found := pattern.search(record.value or b""):
            try:
                return msgspec.json.decode(found[1], type=str)[:256] or f"unknown/{partition}"
            except (msgspec.DecodeError, UnicodeDecodeError):
                break
    headers = dict(getattr(record, "headers", ()) or ())
    said = (headers.get("ce_source") or b"").decode(errors="replace")[:256]
    return said.replace("\x00", "") or f"unknown/{partition}"


def dead_letter(topic: str, batch: "LogBatch", refused: Refused) -> Message:
    """Return the dead letter of a refused record: its bytes as they were, the reason in the headers."""
    record = batch.records[refused.position]
    return _letter(topic, batch, refused, (record.value or b"")[:1_500_000])


def _number_of(topic: str, batch: "LogBatch", owner: str, items: Sequence[Refused]) -> Message:
    first, last = (batch.records[item.position].offset for item in (items[0], items[-1]))
    detail = (
        f"{len(items)} records of {owner} between offsets {first} and {last} are not kept, because too many of it were "
        f"refused; the topic has them for as long as it lasts. The latest: {items[-1].detail}"
    )
    counted = Refused(items[-1].position, items[-1].reason, detail)
    return _letter(topic, batch, counted, b"", ("count", str(len(items))))


def _letter(topic: str, batch: "LogBatch", refused: Refused, value: bytes, *more: tuple[str, str]) -> Message:
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
    headers = [(name, value.encode(errors="replace")) for name, value in (*origin.items(), *more)]
    return Message(topic, value, identity.encode(), headers=headers)


def schema_version(record: LogRecord) -> str:
    """Return what a record's headers say its contract is; empty where they say nothing."""
    headers = dict(getattr(record, "headers", ()) or ())
    return (headers.get("ce_type") or headers.get("ce_dataschema") or b"").decode(errors="replace")[:128]
