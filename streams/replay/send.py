"""Recorded events back into Kafka, at any speed, through the same emitter a service uses."""

import gzip
import itertools
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from kafka import KafkaProducer

from schemas.emitter import Emitter, headers
from schemas.events import Event, Telemetry
from schemas.fields import MAX_RECORD_BYTES, NANO
from schemas.topics import INFERENCE
from schemas.wire import InvalidRecordError, decoder, encode
from streams.kafka.topics import check_topics, client_arguments
from streams.settings import Settings

MARK_EVERY_NANO: Final = 60 * NANO
MARK_EVERY_SECONDS: Final = 0.5
AFTER_THE_END_NANO: Final = 120 * NANO
PATIENCE_SECONDS: Final = 600.0

Progress = Callable[[int, int], None]
"""``progress(events so far, event time in nanoseconds)``."""


class ReplayError(ValueError):
    """A line that is no event; the message names the file and the line."""


def read(paths: Iterable[Path]) -> Iterator[Event]:
    """Yield the events of JSON lines files, ``.gz`` or plain.

    Raises
    ------
    ReplayError
        At the first line that the contract refuses, or that cannot be read.
    """
    decode = decoder(Event)  # type: ignore[arg-type]
    for path in paths:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
            for number in itertools.count(1):
                try:
                    line = lines.readline(MAX_RECORD_BYTES + 2)  # a longer one is refused without being read to its end
                    if line.strip():
                        yield decode(line, time.time_ns())  # type: ignore[misc]
                except InvalidRecordError as error:
                    raise ReplayError(f"{path}, line {number}: {error.reason}: {error}") from None
                except (EOFError, OSError, zlib.error) as error:
                    raise ReplayError(f"{path}, line {number} cannot be read: {error}") from None
                if not line:
                    break


class Replay:
    """Sends events in their order, and marks the passing of time in every partition.

    Parameters
    ----------
    speed
        Times real time; None is as fast as Kafka takes them.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where no broker answers, or the topic is not there.
    """

    def __init__(self, settings: Settings, speed: float | None, progress: Progress = lambda *_: None) -> None:
        self._topic: Final = settings.topic(INFERENCE.name)
        self._speed: Final = speed
        self._progress: Final = progress
        check_topics(settings, [INFERENCE])
        self._kafka: Final = KafkaProducer(**client_arguments(settings), acks="all", linger_ms=20, batch_size=131_072)
        self.sent: Counter[str] = Counter()
        self.marks = 0

    def run(self, events: Iterable[Event]) -> int:
        """Send all events and return how many; every one is in Kafka when this returns."""
        source = iter(events)
        first = next(source, None)
        if first is None:
            return 0
        started, newest, count = time.monotonic(), first.time_unix_nano, 0
        marked, marked_at = newest, started
        emitter = Emitter(self._send, source="watchkeeper-replay")
        for event in itertools.chain([first], source):
            self._wait(started, event.time_unix_nano - first.time_unix_nano)
            emitter.wait_for_room(event)
            self.sent[type(event).__name__] += 1
            count += 1
            newest = max(newest, event.time_unix_nano)
            if count % 500 == 0:
                self._progress(count, newest)
            if newest - marked > MARK_EVERY_NANO and time.monotonic() - marked_at > MARK_EVERY_SECONDS:
                emitter.flush(PATIENCE_SECONDS)  # a mark must not overtake the events before it
                self._mark(newest)
                marked, marked_at = newest, time.monotonic()
        emitter.close(PATIENCE_SECONDS)
        if emitter.counts.refused or emitter.counts.dropped:
            raise ReplayError(f"{emitter.counts.refused} events were refused, {emitter.counts.dropped} were not sent")
        self._mark(newest + AFTER_THE_END_NANO)
        self._kafka.close()
        self._progress(count, newest)
        return count

    def _send(self, key: bytes | None, value: bytes, ce_headers: list[tuple[str, bytes]]) -> object:
        return self._kafka.send(self._topic, value=value, key=key, headers=ce_headers)

    def _wait(self, started: float, elapsed_nano: int) -> None:
        if self._speed is not None:
            ahead = elapsed_nano / NANO / self._speed - (time.monotonic() - started)
            if ahead > 0:
                time.sleep(ahead)

    def _mark(self, time_unix_nano: int) -> None:
        """Tell every partition that event time has come this far, so that none holds the others back."""
        partitions = sorted(self._kafka.partitions_for(self._topic))
        for partition in partitions:
            mark = Telemetry(
                event_id=f"mark-{partition}-{time_unix_nano}",
                source="watchkeeper-replay",
                time_unix_nano=time_unix_nano,
                service_name="watchkeeper",
            )
            self._kafka.send(self._topic, value=encode(mark), partition=partition, headers=headers(mark))
        self._kafka.flush()
        self.marks += len(partitions)
