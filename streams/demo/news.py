"""Pages and incidents of the week as they open, read from Kafka: nobody has to wait for the store."""

import threading
import time
from bisect import bisect_left
from collections import deque
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.fields import NANO
from schemas.findings import Finding
from schemas.incidents import IncidentTransition
from schemas.topics import FINDINGS, INCIDENTS
from schemas.wire import InvalidRecordError, decoder
from streams.kafka.topics import client_arguments
from streams.settings import Settings
from streams.text.durations import span

log: Final = structlog.get_logger()

POLL_MS: Final = 500
AGAIN_SECONDS: Final = 2.0


class Played:
    """Which event time was sent when.

    >>> played = Played()
    >>> played.note(1_000, 10.0)
    >>> played.note(2_000, 11.0)
    >>> played.when(500), played.when(1_500), played.when(2_500)
    (10.0, 11.0, None)
    """

    def __init__(self) -> None:
        self._times: Final[list[int]] = []
        self._moments: Final[list[float]] = []

    def note(self, event_time: int, moment: float) -> None:
        """Note that all up to an event time is sent."""
        self._moments.append(moment)
        self._times.append(event_time)

    def when(self, event_time: int) -> float | None:
        """Return when an event time was sent; None where it was not noted."""
        at = bisect_left(self._times, event_time)
        return self._moments[at] if at < len(self._times) else None


class News:
    """Reads findings and incidents that are published from its start on, and makes a line of each that opens."""

    def __init__(self, settings: Settings, played: Played) -> None:
        self._settings: Final = settings
        self._played: Final = played
        self._decoders: Final[dict[str, Any]] = {
            settings.topic(FINDINGS.name): decoder(Finding),
            settings.topic(INCIDENTS.name): decoder(IncidentTransition),
        }
        self._lines: Final[deque[str]] = deque()
        self._known: Final[set[str]] = set()
        self._at: Final[dict[TopicPartition, int]] = {}
        self._stop: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._work, name="news", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def take(self) -> list[str]:
        """Return the lines that are new, in the order of their records."""
        return [self._lines.popleft() for _ in range(len(self._lines))]

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except (KafkaError, OSError) as error:
                log.debug("no news for now", error=str(error))
                self._stop.wait(AGAIN_SECONDS)

    def _read(self) -> None:
        consumer = KafkaConsumer(**client_arguments(self._settings), enable_auto_commit=False)
        try:
            partitions = [
                TopicPartition(name, n) for name in self._decoders for n in consumer.partitions_for_topic(name)
            ]
            consumer.assign(partitions)
            for partition in partitions:
                consumer.seek(partition, self._at.setdefault(partition, consumer.position(partition)))
            while not self._stop.is_set():
                polled = consumer.poll(POLL_MS)
                for record in sorted(
                    (each for some in polled.values() for each in some), key=lambda each: each.timestamp
                ):
                    self._note(record)
        finally:
            consumer.close(autocommit=False)

    def _note(self, record: Any) -> None:
        self._at[TopicPartition(record.topic, record.partition)] = record.offset + 1
        try:
            said = self._decoders[record.topic](record.value or b"", record.timestamp * 1_000_000)
        except InvalidRecordError:
            return  # history makes a dead letter of it
        name = said.finding_id if isinstance(said, Finding) else said.event_id
        text = line(said)
        if text is None or name in self._known:
            return
        self._known.add(name)
        sent = self._played.when(_at(said))
        self._lines.append(
            text if sent is None else f"{text} [{max(time.monotonic() - sent, 0):.1f} s after it was sent]"
        )


def line(said: Finding | IncidentTransition) -> str | None:
    """Return what is said of a page or of an incident that opens; None of anything else."""
    if isinstance(said, Finding):
        if said.severity != "page" or said.kind == "recovery":
            return None
        what = f"PAGE {said.service_name} {said.metric}: {said.evidence or said.detector}"
    elif said.transition == "detected":
        what = (
            f"INCIDENT {said.incident_id} {said.severity} opens: {', '.join(said.services or [])} {said.family or ''}"
        )
    else:
        return None
    onset = said.onset_time_unix_nano
    after = "" if onset is None else f" ({span((_at(said) - onset) / NANO)} after its onset)"
    return f"{datetime.fromtimestamp(_at(said) / NANO, UTC):%a %Y-%m-%d %H:%M:%S} {what.rstrip()}{after}"


def _at(said: Finding | IncidentTransition) -> int:
    return said.detected_time_unix_nano if isinstance(said, Finding) else said.transition_time_unix_nano
