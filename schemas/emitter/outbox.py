"""What waits to be sent: a bounded queue, one thread that empties it, and what became of every record.

Kafka may be away for any time. What was handed to it and not acknowledged stays here, is taken back in its order
when the connection breaks, and is sent again; a double is harmless, because `event_id` tells it. A record leaves
by being acknowledged, or by being dropped for a reason that is counted.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from .sink import OVERHEAD_BYTES, Arrival, AwayError, Counts, Headers, Record, RejectedError, Sink

log = logging.getLogger(__name__)

REPORT_SECONDS: Final = 10.0
FLYING_EVENTS: Final = 5_000
"""Records handed to Kafka and not acknowledged; more of them would only wait there instead of here."""

CHUNK: Final = 100
BACK_OFF_SECONDS: Final = (0.1, 5.0)

REFUSED: Final = frozenset({"contract", "too_large"})
"""Reasons that are the event's own."""


class Outbox:
    """Sends records in the background, in their order.

    Parameters
    ----------
    sink
        Where they go.
    events, size
        How many records and bytes may wait; what comes above that is dropped and counted.
    report
        Makes the key-less record that tells what was lost.
    """

    def __init__(
        self, sink: Sink, *, events: int, size: int, report: Callable[[Counts], tuple[bytes, Headers]]
    ) -> None:
        if events < 1 or size < 1:
            raise ValueError("the queue must hold at least one event and one byte")
        self._sink: Final = sink
        self._events: Final = events
        self._size: Final = size
        self._report: Final = report
        self._begin()

    def _begin(self) -> None:
        # reentrant: a signal handler that calls `close` may have interrupted `put` in the same thread
        lock = threading.RLock()
        self._lock = lock
        self._work = threading.Condition(lock)
        self._settled = threading.Condition(lock)
        self._waiting: deque[Record] = deque()
        self._flying: dict[int, Record] = {}
        self._held = 0
        self._next = 0
        self._idle = False
        self._broken: Exception | None = None
        self._away = False
        self._failures = 0
        self._closed = self._stopped = False
        self._thread: threading.Thread | None = None
        self.counts = Counts()
        self._told = Counts()
        self._telling = False
        self._report_at = 0.0
        self._said: dict[str, float] = {}
        self._trouble = ""

    def forget(self) -> None:
        """Start anew in a forked child: its parent's events are the parent's, and no lock may be trusted."""
        closed = self._closed
        self._sink.forget()
        self._begin()
        self._closed = closed

    def put(self, key: bytes | None, value: bytes, headers: Headers) -> None:
        """Queue a record, or drop and count it. Never blocks."""
        with self._lock:
            if self._closed:
                self.drop("closed")
            elif self._full(len(value)):
                self.drop("kafka_away" if self._away else "queue_full")
            else:
                self._add(Record(self._next, key, value, headers))

    def put_waiting(self, key: bytes | None, value: bytes, headers: Headers) -> None:
        """Queue a record, however long that takes."""
        with self._lock:
            while not self._closed and self._full(len(value)):
                self._settled.wait()
        self.put(key, value, headers)

    def _full(self, more: int) -> bool:
        count = len(self._waiting) + len(self._flying)
        return count >= self._events or (count > 0 and self._held + more + OVERHEAD_BYTES > self._size)

    def _add(self, record: Record) -> None:
        self._next += 1
        self._waiting.append(record)
        self._held += len(record.value) + OVERHEAD_BYTES
        if self._thread is None:
            self._ensure_thread()
        if self._idle:
            self._idle = False
            self._work.notify()

    def _ensure_thread(self) -> None:
        """Start the thread with the first record: a process that only forks others never has one."""
        if self._thread is None and not self._stopped:
            self._report_at = time.monotonic() + REPORT_SECONDS
            self._thread = threading.Thread(target=self._run, name="watchkeeper-emitter", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # no more threads now: the next record tries again
                self._thread = None

    def drop(self, reason: str, detail: object = "", *, refused: bool = False) -> None:
        """Count an event that will not be sent."""
        with self._lock:
            if refused:
                self.counts.refused += 1
            else:
                self.counts.dropped += 1
            self.counts.reasons[reason] = self.counts.reasons.get(reason, 0) + 1
            self._trouble = f"{reason}: {detail}" if detail else reason
            if not self._closed:
                self._ensure_thread()
            now = time.monotonic()
            if now - self._said.get(reason, -REPORT_SECONDS) < REPORT_SECONDS:
                return
            self._said[reason] = now
            count = self.counts.reasons[reason]
        log.warning("events are lost: %s, %d so far%s", reason, count, f": {detail}" if detail else "")

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._sink.open()
                self._round()
            except AwayError as error:
                self._wait_for_kafka(error)
            except Exception:
                log.exception("the emitter goes on after an error of its own")
                self._wait_for_kafka(AwayError("an error of the emitter"))
        self._sink.close()

    def _round(self) -> None:
        """Hand over what waits, or wait for something to do."""
        with self._lock:
            self._tell()
            while not self._stopped and self._broken is None and not self._sendable():
                self._idle = True
                self._work.wait(max(0.0, self._report_at - time.monotonic()))
                self._idle = False
                self._tell()
            if self._broken is not None:
                raise AwayError(str(self._broken))
            chunk = [self._waiting.popleft() for _ in range(min(CHUNK, len(self._waiting)))]
            for record in chunk:
                self._flying[record.number] = record
        for record in chunk:
            try:
                self._sink.send(record, self._done)
            except RejectedError as error:
                self._done(record.number, error)

    def _sendable(self) -> bool:
        return bool(self._waiting) and len(self._flying) < FLYING_EVENTS

    def _wait_for_kafka(self, error: AwayError) -> None:
        """Take back what was on its way, and wait a little longer each time."""
        self._sink.discard()
        with self._lock:
            back = sorted(self._flying.values(), key=lambda record: record.number)
            self._flying.clear()
            self._waiting.extendleft(reversed(back))
            self._broken = None
            if not self._away:
                log.warning("Kafka can't be reached; events wait (at most %d): %s", self._events, error)
            self._away, self._trouble = True, f"Kafka can't be reached: {error}"
            least, most = BACK_OFF_SECONDS
            seconds = min(most, least * 2 ** min(self._failures, 10)) * random.uniform(0.8, 1.2)  # noqa: S311
            self._failures += 1
            end = time.monotonic() + seconds
            while not self._stopped and (left := end - time.monotonic()) > 0:
                self._work.wait(left)

    def _done(self, number: int, error: Exception | None) -> None:
        with self._lock:
            record = self._flying.get(number)
            if record is None:  # of a connection that was given up
                return
            if error is not None and not isinstance(error, RejectedError):
                self._broken = error
                self._work.notify()
                return
            del self._flying[number]
            self._held -= record.size
            if error is None:
                self._acknowledged(record)
            elif record.told is not None:
                self._telling = False
            else:
                self.drop(error.reason, error, refused=error.reason in REFUSED)
            if len(self._flying) == FLYING_EVENTS // 2:
                self._work.notify()
            self._settled.notify_all()

    def _acknowledged(self, record: Record) -> None:
        if self._away:
            self._away = False
            log.warning("Kafka takes events again; %d wait", len(self._waiting))
        self._failures = 0
        if record.told is None:
            self.counts.emitted += 1
            return
        self._telling = False
        self._told = self._told.plus(record.told)

    def _tell(self, *, at_once: bool = False) -> None:
        """Say in the stream what it is missing, one report at a time."""
        now = time.monotonic()
        if self._telling or (now < self._report_at and not at_once):
            return
        self._report_at = now + REPORT_SECONDS
        more = self.counts.since(self._told)
        if more.dropped or more.refused:
            value, headers = self._report(more)
            self._telling = True
            self._add(Record(self._next, None, value, headers, more))

    def flush(self, seconds: float) -> int:
        """Wait until everything queued so far is acknowledged or dropped; return how many are not."""
        with self._lock:
            last, end = self._next, time.monotonic() + seconds
            while self._oldest() < last and (left := end - time.monotonic()) > 0:
                self._settled.wait(left)
            return sum(record.number < last for record in (*self._waiting, *self._flying.values()))

    def check(self, seconds: float) -> Arrival:
        """Wait until everything queued so far is settled; say what became of it, and what keeps the rest."""
        waiting = self.flush(seconds)
        with self._lock:
            problem = ""
            if waiting:
                problem = f"{waiting} wait: {self._trouble or 'Kafka has not acknowledged them yet; ask again'}"
            elif self.counts.dropped or self.counts.refused:
                lost = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.reasons.items()))
                problem = f"lost so far: {lost}; the last: {self._trouble}"
            return Arrival(not problem, waiting, self.counts, problem)

    def _oldest(self) -> int:
        first = [self._waiting[0].number] if self._waiting else []
        return min(
            [*first, *(next(iter(self._flying.values())).number for _ in [0] if self._flying)], default=self._next
        )

    def close(self, seconds: float) -> Counts:
        """Send what waits within a time, tell what was lost, and stop; return what became of all."""
        end = time.monotonic() + seconds
        with self._lock:
            first, self._closed = not self._closed, True
            self._settled.notify_all()
        if first and self._thread is not None:
            self.flush(seconds * 0.8)
            self._give_up(end)
            with self._lock:
                self._stopped = True
                self._work.notify_all()
            self._thread.join(max(0.1, end - time.monotonic()))
        return self.counts

    def _give_up(self, end: float) -> None:
        """Count what is left as dropped, and tell so if Kafka takes it."""
        with self._lock:
            left = [record for record in (*self._waiting, *self._flying.values()) if record.told is None]
            for _ in left:
                self.drop("closed")
            self.counts.left = len(left)
            self._waiting.clear()
            self._flying.clear()
            self._held, self._telling = 0, False
            if self._away:
                more = self.counts.since(self._told)
                if more.dropped or more.refused:
                    log.warning("closed without Kafka; what was lost could not be told: %s", more.reasons)
                return
            self._tell(at_once=True)
        self.flush(end - time.monotonic())
