"""The producer's half of the contract: events out of a service, never in its way.

`Emitter.emit` puts an event into a bounded queue and returns; a background thread encodes and sends. It never
blocks and never raises in the service. What does not fit is dropped, counted, and reported in the stream itself.
"""

import contextlib
import hashlib
import hmac
import logging
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from .events import AgentStep, Envelope, Event, GuardVerdict, Inference, Retrieval, Telemetry
from .wire import InvalidRecordError, decoder, encode

log = logging.getLogger(__name__)

Headers = list[tuple[str, bytes]]
Send = Callable[[bytes | None, bytes, Headers], object]
"""``send(key, value, headers)``: hands one record to Kafka, may block, may raise."""

QUEUE_EVENTS: Final = 10_000
REPORT_SECONDS: Final = 10.0


class Counts(msgspec.Struct):
    """What became of the events so far."""

    emitted: int = 0
    dropped: int = 0
    refused: int = 0


class Emitter:
    """Sends events in the background.

    Parameters
    ----------
    send
        Hands one record on; `to_kafka` brings one for kafka-python.
    source
        Who emits, for instance ``shop/checkout-assistant``.
    queue_events
        Events that may wait; above that they are dropped and counted.
    flush_sent, close_sent
        Called by `flush` and `close`, for what `send` keeps in buffers of its own.

    Examples
    --------
    >>> sent = []
    >>> with Emitter(lambda key, value, headers: sent.append(value), source="demo") as emitter:
    ...     emitter.inference(service_name="chat", request_model="gpt-4", session_id="s1")
    >>> len(sent), emitter.counts.emitted
    (1, 1)
    """

    def __init__(
        self,
        send: Send,
        *,
        source: str,
        queue_events: int = QUEUE_EVENTS,
        flush_sent: Callable[[], object] = lambda: None,
        close_sent: Callable[[], object] = lambda: None,
    ) -> None:
        self.source: Final = source
        self.counts = Counts()
        self._send: Final = send
        self._flush_sent: Final = flush_sent
        self._close_sent: Final = close_sent
        self._size: Final = queue_events
        self._check: Final = decoder(Event)  # type: ignore[arg-type]
        self._reported = Counts()
        self._service = source
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._queue: queue.Queue[Event | None] = queue.Queue(self._size)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="watchkeeper-emitter", daemon=True)
        self._thread.start()

    @classmethod
    def to_kafka(
        cls,
        bootstrap: str,
        *,
        source: str,
        topic: str = "inference.v1",
        queue_events: int = QUEUE_EVENTS,
        **producer: Any,
    ) -> Self:
        """Return an emitter that sends with kafka-python; `producer` goes to its ``KafkaProducer``."""
        from kafka import KafkaProducer

        options = {"acks": "all", "linger_ms": 20, "batch_size": 131_072, **producer}
        kafka = KafkaProducer(bootstrap_servers=bootstrap.split(","), **options)

        def send(key: bytes | None, value: bytes, headers: Headers) -> None:
            # no timestamp of our own: event time is in the event, Kafka's retention works on the record's
            kafka.send(topic, value=value, key=key, headers=headers)

        return cls(send, source=source, queue_events=queue_events, flush_sent=kafka.flush, close_sent=kafka.close)

    def inference(self, **fields: Any) -> None:
        """Emit one call of a model; see `schemas.events.Inference` for the fields."""
        self._build(Inference, fields)

    def agent_step(self, **fields: Any) -> None:
        """Emit one step of an agent; see `AgentStep`."""
        self._build(AgentStep, fields)

    def guard_verdict(self, **fields: Any) -> None:
        """Emit a verdict that came later or elsewhere than its event; see `GuardVerdict`."""
        self._build(GuardVerdict, fields)

    def retrieval(self, **fields: Any) -> None:
        """Emit one search in a knowledge base; see `Retrieval`."""
        self._build(Retrieval, fields)

    def _build(self, kind: type[Any], fields: dict[str, Any]) -> None:
        try:
            fields.setdefault("source", self.source)
            fields.setdefault("time_unix_nano", time.time_ns())
            if "event_id" not in fields:
                fields["event_id"] = event_identity(kind, fields.get("trace_id"), fields.get("span_id"))
            event = msgspec.convert(fields, kind) if _is_plain(fields) else kind(**fields)
        except (TypeError, ValueError) as error:
            self._refuse(error)
        else:
            self.emit(event)

    def emit(self, event: Event) -> None:
        """Queue one event; what does not fit is dropped and counted."""
        if self._process != os.getpid():
            self._start()  # a forked child has no thread and must not send its parent's events
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.counts.dropped += 1

    def wait_for_room(self, event: Event) -> None:
        """Queue one event, however long that takes: for replays, never for a service."""
        self._queue.put(event)

    def _run(self) -> None:
        report_at = time.monotonic() + REPORT_SECONDS
        while True:
            with contextlib.suppress(queue.Empty):
                event = self._queue.get(timeout=1.0)
                try:
                    if event is None:
                        self._report()
                        return
                    self._send_one(event)
                finally:
                    self._queue.task_done()
            if time.monotonic() >= report_at:
                self._report()
                report_at = time.monotonic() + REPORT_SECONDS

    def _send_one(self, event: Event) -> None:
        try:
            value = encode(event)
            self._check(value, time.time_ns())
            self._send(routing_key(event), value, headers(event))
        except (InvalidRecordError, TypeError, ValueError, msgspec.MsgspecError) as error:
            self._refuse(error)
        except Exception:
            self.counts.dropped += 1
            log.warning("an event could not be sent and is counted as dropped", exc_info=True)
        else:
            self.counts.emitted += 1
            self._service = event.service_name

    def _refuse(self, error: Exception) -> None:
        self.counts.refused += 1
        log.warning("an event is against the contract and is counted as refused: %s", error)

    def _report(self) -> None:
        """Say in the stream what it is missing."""
        if (self.counts.dropped, self.counts.refused) == (self._reported.dropped, self._reported.refused):
            return
        now = msgspec.structs.replace(self.counts)
        report = Telemetry(
            event_id=event_identity(Telemetry, None, None),
            source=self.source,
            time_unix_nano=time.time_ns(),
            service_name=self._service,
            emitted=now.emitted - self._reported.emitted,
            dropped=now.dropped - self._reported.dropped,
            refused=now.refused - self._reported.refused,
            reason="queue full, Kafka away, or against the contract",
        )
        with contextlib.suppress(Exception):
            self._send(None, encode(report), headers(report))
            self._reported = now

    def flush(self) -> None:
        """Wait until everything queued so far has been handed to Kafka and acknowledged."""
        self._queue.join()
        self._flush_sent()

    def close(self) -> None:
        """Send what is queued and stop."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
            self._flush_sent()
            self._close_sent()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_plain(fields: dict[str, Any]) -> bool:
    """Tell whether guards and the like came as dicts, as they do from a configuration or another library."""
    return any(
        isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict))
        for value in fields.values()
    )


def event_identity(kind: type[Any], trace_id: str | None, span_id: str | None) -> str:
    """Return an event id: the same for the same span, so that a repeat is recognised; else a new one.

    >>> event_identity(Inference, "t", "s") == event_identity(Inference, "t", "s")
    True
    """
    if trace_id and span_id:
        tag = kind.__struct_config__.tag
        return hashlib.sha256(f"{tag}/{trace_id}/{span_id}".encode()).hexdigest()[:32]
    return uuid.uuid4().hex


def routing_key(event: Event) -> bytes:
    """Return the key that keeps all of a session in one partition, in order."""
    return (event.session_id or event.conversation_id or event.trace_id or event.event_id).encode()


def headers(event: Envelope) -> Headers:
    """Return the CloudEvents attributes of an event (Kafka binding, binary mode)."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", str(event.__struct_config__.tag).encode()),
        ("ce_id", event.event_id.encode()),
        ("ce_source", event.source.encode()),
    ]


def hash_text(text: str, key: bytes) -> str:
    """Return a keyed hash of a text, to compare texts without keeping them.

    >>> hash_text("hello", b"k")[:20]
    'hmac-sha256:406e4b43'
    """
    return "hmac-sha256:" + hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
