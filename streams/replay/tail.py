"""The events of a service as Kafka gets them, so that people see whether what they sent arrived and how it reads."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, cast

from kafka import KafkaConsumer, TopicPartition

from schemas.events import Event, Telemetry
from schemas.fields import NANO
from schemas.topics import INFERENCE
from schemas.wire import InvalidRecordError, decoder
from streams.kafka.topics import check_topics, client_arguments
from streams.replay.line import event_line, shown
from streams.settings import Settings

POLL_MS: Final = 500
_decode: Final = decoder(Event)  # type: ignore[arg-type]
_SERVICE: Final = re.compile(rb'"service_name"\s*:\s*"((?:[^"\\]|\\.){1,256})"')


def tail(settings: Settings, service: str | None, since: datetime | None, *, follow: bool) -> Iterator[str]:
    """Yield a line for each event, in the order in which Kafka has them.

    A record that is refused has a line too, with the reason and without its content; marks of time have none.

    Parameters
    ----------
    service
        Whose events; everybody's if None.
    since
        From when on, by the time that Kafka wrote the records; None for what comes from now on.
    follow
        Wait for more, until it is interrupted; else end at what is there.

    Raises
    ------
    SettingsError
        Where the topic is not there or Kafka can't be reached.
    """
    name = settings.topic(INFERENCE.name)
    state = check_topics(settings, [INFERENCE])[name]
    consumer = KafkaConsumer(**client_arguments(settings), enable_auto_commit=False)
    try:
        partitions = [TopicPartition(name, number) for number in range(state.partitions)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        _seek(consumer, ends, since)
        while follow or any(consumer.position(one) < end for one, end in ends.items()):
            fetched = consumer.poll(timeout_ms=POLL_MS)
            records = [record for batch in fetched.values() for record in batch]
            for record in sorted(records, key=lambda record: (record.timestamp, record.partition, record.offset)):
                if line := record_line(record.value or b"", record.timestamp, service):
                    yield line
    finally:
        consumer.close()


def _seek(consumer: Any, ends: dict[Any, int], since: datetime | None) -> None:
    """Go to the first record of a time; to the end of a partition that has none, or where no time is asked for."""
    asked = {} if since is None else {one: int(since.timestamp() * 1000) for one in ends}
    found = consumer.offsets_for_times(asked) if asked else {}
    for one, end in ends.items():
        consumer.seek(one, found[one].offset if found.get(one) else end)


def record_line(value: bytes, written_ms: int, service: str | None) -> str | None:
    """Return the line of a record; None where it is another service's, or a mark of time.

    >>> record_line(b'{"event_type":"ai.safety.inference.v1","service_name":"chat"}', 1_770_000_000_000, "chat")
    'refused invalid: Object missing required field `event_id`'
    """
    try:
        event = cast("Event", _decode(value, written_ms * NANO // 1000))
    except InvalidRecordError as error:
        named = _SERVICE.search(value)
        of = named[1].decode(errors="replace") if named else None
        return f"refused {error.reason}: {shown(error, 160)}" if service in (None, of) else None
    if service not in (None, event.service_name) or (isinstance(event, Telemetry) and event.reasons is None):
        return None
    line = event_line(event)
    return line if service else f"{shown(event.service_name)} {line}"
