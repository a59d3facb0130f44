"""The producer's half of the contract: events out of a service, never in its way.

`Emitter.emit` puts an event into a bounded queue and returns; a background thread sends it, by way of
`schemas.emitter.outbox`. It never blocks and never raises in the service, whether Kafka is there or not. What cannot be
sent is counted by its reason, and reported in the stream itself as soon as Kafka takes it.
"""

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable
from functools import cache
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from ..events import AgentStep, Envelope, Event, GuardVerdict, Inference, Retrieval, Telemetry
from ..fields import MAX_RECORD_BYTES
from ..identity import identity
from ..wire import InvalidRecordError, decoder, encode
from .endings import flush_on_sigterm, look_after
from .kafka_sink import KafkaSink
from .outbox import Outbox
from .sink import Counts, Done, Headers, Record, RejectedError, Sink

Send = Callable[[bytes | None, bytes, Headers], object]
"""``send(key, value, headers)``: takes one record, may block, may raise; may return a future of kafka-python."""

QUEUE_EVENTS: Final = 50_000
QUEUE_BYTES: Final = 64 * 1024 * 1024
FLUSH_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 10.0


class Emitter:
    """Sends events in the background.

    Parameters
    ----------
    send
        Takes one record; `to_kafka` brings what sends to Kafka and again after an outage.
    source
        Who emits, for instance ``shop/checkout-assistant``.
    queue_events, queue_bytes
        What may wait, on its way included; above that events are dropped and counted.

    Raises
    ------
    ValueError
        Where the source is empty or too long, or the queue can hold nothing.

    Examples
    --------
    >>> sent = []
    >>> with Emitter(lambda key, value, headers: sent.append(value), source="demo") as emitter:
    ...     emitter.inference(service_name="chat", request_model="gpt-4", session_id="s1")
    >>> len(sent), emitter.counts.emitted
    (1, 1)
    """

    def __init__(
        self, send: Send | KafkaSink, *, source: str, queue_events: int = QUEUE_EVENTS, queue_bytes: int = QUEUE_BYTES
    ) -> None:
        if not _is_name(source):
            raise ValueError(f"source={source!r} must be a text of 1 to 256 characters")
        sink: Sink = send if isinstance(send, KafkaSink) else _Direct(send)
        self.source = source
        self._service = source
        self._outbox = Outbox(sink, events=queue_events, size=queue_bytes, report=self._report)
        look_after(self._outbox)

    @classmethod
    def to_kafka(
        cls,
        bootstrap: str,
        *,
        source: str,
        topic: str = "inference.v1",
        queue_events: int = QUEUE_EVENTS,
        queue_bytes: int = QUEUE_BYTES,
        sigterm: bool = True,
        **producer: Any,
    ) -> Self:
        """Return an emitter that sends with kafka-python. Returns at once; it connects with the first event.

        Parameters
        ----------
        sigterm
            Flush for up to ten seconds before SIGTERM ends the process, where the application has no handler of
            its own; see `schemas.endings.flush_on_sigterm`.
        producer
            Options of ``KafkaProducer``, such as ``security_protocol`` or ``delivery_timeout_ms``: after that long
            without an acknowledgement (30 s) it connects anew and sends again.

        Raises
        ------
        ValueError
            Where an argument can't be right. Kafka being away is no error.
        """
        sink = KafkaSink(bootstrap, topic, _check, producer)
        emitter = cls(sink, source=source, queue_events=queue_events, queue_bytes=queue_bytes)
        if sigterm:
            flush_on_sigterm()
        return emitter

    @property
    def counts(self) -> Counts:
        """What became of the events of this process so far."""
        return self._outbox.counts

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
        except Exception as error:  # noqa: BLE001  whatever a service hands over, it goes on
            self._outbox.drop("contract", error, refused=True)
        else:
            self.emit(event)

    def emit(self, event: Event) -> None:
        """Queue one event; what does not fit is dropped and counted."""
        if record := self._encoded(event):
            self._outbox.put(*record)

    def wait_for_room(self, event: Event) -> None:
        """Queue one event, however long that takes: for replays, never for a service."""
        if record := self._encoded(event):
            self._outbox.put_waiting(*record)

    def _encoded(self, event: Event) -> tuple[bytes, bytes, Headers] | None:
        try:
            record = routing_key(event), encode(event), headers(event)
        except Exception as error:  # noqa: BLE001  as above
            self._outbox.drop("contract", error, refused=True)
            return None
        if len(record[1]) > MAX_RECORD_BYTES:
            self._outbox.drop("too_large", f"{len(record[1])} bytes", refused=True)
            return None
        if _is_name(event.service_name):
            self._service = event.service_name
        return record

    def _report(self, lost: Counts) -> tuple[bytes, Headers]:
        """Return the event that says what the stream is missing."""
        report = Telemetry(
            event_id=event_identity(Telemetry, None, None),
            source=self.source,
            time_unix_nano=time.time_ns(),
            service_name=self._service,
            emitted=lost.emitted,
            dropped=lost.dropped,
            refused=lost.refused,
            reason=", ".join(f"{name} {count}" for name, count in sorted(lost.reasons.items())),
            reasons=lost.reasons,
        )
        return encode(report), headers(report)

    def flush(self, seconds: float = FLUSH_SECONDS) -> int:
        """Wait until all that was queued is acknowledged by the broker or counted as lost, at most so long.

        Returns
        -------
        How many are still waiting; they stay queued.
        """
        return self._outbox.flush(seconds)

    def close(self, seconds: float = CLOSE_SECONDS) -> Counts:
        """Send what is queued and stop, within that time; return what became of all events.

        What is left is counted as dropped (`Counts.left`, reason ``closed``), and told in the stream if Kafka takes it.
        """
        return self._outbox.close(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Direct:
    """A function that takes records; what it raises is the end of that record."""

    def __init__(self, send: Send) -> None:
        self._send: Final = send

    def open(self) -> None: ...
    def discard(self) -> None: ...
    def close(self) -> None: ...
    def forget(self) -> None: ...

    def send(self, record: Record, done: Done) -> None:
        if record.told is None:
            _check(record.value)
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


_decode: Final = decoder(Event)  # type: ignore[arg-type]


def _check(value: bytes) -> None:
    """Hold a record against the contract, before it leaves and not in the service's own thread."""
    try:
        _decode(value, time.time_ns())
    except InvalidRecordError as error:
        raise RejectedError("contract", f"{error.reason}: {error}") from None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 256


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
        return identity(kind.__struct_config__.tag, trace_id, span_id)
    return uuid.uuid4().hex


def routing_key(event: Event) -> bytes:
    """Return the key that keeps all of a session in one partition, in order."""
    return (event.session_id or event.conversation_id or event.trace_id or event.event_id).encode()


def headers(event: Envelope) -> Headers:
    """Return the CloudEvents attributes of an event (Kafka binding, binary mode)."""
    return [
        _SPECVERSION,
        ("ce_type", _tag(type(event))),
        ("ce_id", event.event_id.encode()),
        ("ce_source", event.source.encode()),
    ]


_SPECVERSION: Final = ("ce_specversion", b"1.0")


@cache
def _tag(kind: type[Envelope]) -> bytes:
    return str(kind.__struct_config__.tag).encode()


def hash_text(text: str, key: bytes) -> str:
    """Return a keyed hash of a text, to compare texts without keeping them.

    >>> hash_text("hello", b"k")[:20]
    'hmac-sha256:406e4b43'
    """
    return "hmac-sha256:" + hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
