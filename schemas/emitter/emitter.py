"""The producer's half of the contract: events out of a service, never in its way.

`Emitter.emit` puts an event into a bounded queue and returns; a background thread sends it, by way of
`schemas.emitter.outbox`. It never blocks and never raises in the service, whether Kafka is there or not. What cannot be
sent is counted by its reason, and reported in the stream itself as soon as Kafka takes it.
"""

import time
from types import TracebackType
from typing import Any, Final, Self

from ..events import AgentStep, Event, GuardVerdict, Inference, Retrieval, Telemetry
from ..fields import MAX_RECORD_BYTES
from ..reviews import ReviewLabel
from ..wire import InvalidRecordError, decoder, encode
from .endings import flush_on_sigterm, look_after
from .kafka_sink import KafkaSink
from .observation import Observation
from .outbox import Outbox
from .records import built, event_identity, headers, is_name, routing_key
from .sink import Arrival, Counts, Direct, Headers, RejectedError, Send, Sink

QUEUE_EVENTS: Final = 50_000
QUEUE_BYTES: Final = 64 * 1024 * 1024
FLUSH_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 10.0


class Emitter:
    """Sends events in the background.

    Parameters
    ----------
    send
        Takes one record; `to_kafka` brings what sends to Kafka and again after an outage. A function of your own is
        given feedback too; `ce_type` of the headers tells it from events.
    source
        Who emits, for instance ``shop/checkout-assistant``.
    service_name
        Of the service, for events that name none, and for losses before the first event.
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
    ...     event_id = emitter.inference(service_name="chat", request_model="gpt-4", session_id="s1")
    >>> len(sent), emitter.counts.emitted
    (1, 1)
    """

    def __init__(
        self,
        send: Send | KafkaSink,
        *,
        source: str,
        service_name: str | None = None,
        queue_events: int = QUEUE_EVENTS,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        for name, value in (("source", source), ("service_name", service_name if service_name is not None else source)):
            if not is_name(value):
                raise ValueError(f"{name}={value!r} must be a text of 1 to 256 characters")
        sink: Sink = send if isinstance(send, KafkaSink) else Direct(send, _check)
        self.source = source
        self.service_name = service_name
        self._service = service_name or source
        self._used = False
        self._outbox = Outbox(sink, events=queue_events, size=queue_bytes, report=self._report)
        look_after(self._outbox)

    @classmethod
    def to_kafka(
        cls,
        bootstrap: str,
        *,
        source: str,
        service_name: str | None = None,
        topic: str = "inference.v1",
        reviews_topic: str = "reviews.v1",
        queue_events: int = QUEUE_EVENTS,
        queue_bytes: int = QUEUE_BYTES,
        sigterm: bool = True,
        **producer: Any,
    ) -> Self:
        """Return an emitter that sends with kafka-python. Returns at once; it connects with the first event.

        Parameters
        ----------
        topic, reviews_topic
            Where events go, and what users say of them (`feedback`).
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
        sink = KafkaSink(bootstrap, topic, _check, producer, reviews_topic)
        emitter = cls(
            sink, source=source, service_name=service_name, queue_events=queue_events, queue_bytes=queue_bytes
        )
        if sigterm:
            flush_on_sigterm()
        return emitter

    @property
    def counts(self) -> Counts:
        """What became of the events of this process so far."""
        return self._outbox.counts

    def inference(self, **fields: Any) -> str | None:
        """Emit one call of a model; see `schemas.events.Inference` for the fields.

        Returns
        -------
        The event's id, for verdicts and feedback that come later; None where the fields made no event.
        """
        return self._build(Inference, fields)

    def agent_step(self, **fields: Any) -> str | None:
        """Emit one step of an agent; see `AgentStep`."""
        return self._build(AgentStep, fields)

    def guard_verdict(self, **fields: Any) -> str | None:
        """Emit a verdict that came later or elsewhere than its event; see `GuardVerdict`."""
        return self._build(GuardVerdict, fields)

    def retrieval(self, **fields: Any) -> str | None:
        """Emit one search in a knowledge base; see `Retrieval`."""
        return self._build(Retrieval, fields)

    def feedback(self, target_event_id: str, score: Any, **fields: Any) -> str | None:
        """Emit what a user thought of an answer, under the event's id.

        It goes to the topic of reviews and makes the KPI `satisfaction`. It judges no safety unless `label` says so
        (`schemas.reviews.ReviewLabel` has the fields), and it is not drawn at random: no true rate rests on it.

        Parameters
        ----------
        target_event_id
            As `inference` returned it or `Observation.event_id` says.
        score
            From 0, thumbs down, to 1.
        """
        usual = {"evaluation_name": "user_feedback", "label": "cannot_judge", "annotator_kind": "end_user"}
        drawn = {"sampling_method": "appeal", "sampling_probability": 1.0}
        said = {"target_event_id": target_event_id, "score": score}
        if not isinstance(score, int | float) or not 0 <= score <= 1:
            self._outbox.drop("contract", f"score={score!r} of a feedback must be from 0 to 1", refused=True)
            return None
        return self._build(ReviewLabel, usual | drawn | fields | said)

    def measure(self, measures: dict[str, float], **fields: Any) -> str | None:
        """Emit numbers of the service's own by name, as adoption or business value; `service_measures` sums them."""
        return self._build(Telemetry, fields | {"measures": measures})

    def observe(self, kind: type[Any] = Inference, **fields: Any) -> Observation:
        """Return what times a call and emits it at its end; see `Observation`.

        Parameters
        ----------
        kind
            `Inference`, `AgentStep` or `Retrieval`, of `schemas.events`.
        fields
            Of the event, as far as they are known at the beginning.

        Examples
        --------
        >>> sent = []
        >>> with Emitter(lambda key, value, headers: sent.append(value), source="demo", service_name="chat") as emitter:
        ...     with emitter.observe(session_id="s1", request_model="gpt-4o") as call:
        ...         _ = call.add(finish_reasons=["stop"], usage_output_tokens=7)
        >>> b'"duration_ms"' in sent[0], b'"finish_reason_norm":"stop"' in sent[0]
        (True, True)
        """
        event_id = fields.get("event_id") or event_identity(kind, fields.get("trace_id"), fields.get("span_id"))
        return Observation(self._build, kind, event_id, fields)

    def check(self, seconds: float = CLOSE_SECONDS) -> Arrival:
        """Say whether all events so far have arrived in Kafka, and if not, why; waits at most so long.

        Without events it sends a mark of time, which counts nowhere: a service may ask at its start whether the
        connection holds. Whether Watchkeeper then counts the events, `watchkeeper tail --service NAME` shows.
        """
        if not self._used and self.counts == Counts():
            mark = Telemetry(
                event_id=event_identity(Telemetry, None, None),
                source=self.source,
                time_unix_nano=time.time_ns(),
                service_name=self._service,
            )
            self.emit(mark)
        return self._outbox.check(seconds)

    def _build(self, kind: type[Any], fields: dict[str, Any]) -> str | None:
        try:
            if is_name(fields.get("service_name")):
                self._service = fields["service_name"]
            event = built(kind, fields, self.source, self.service_name)
        except Exception as error:  # noqa: BLE001  whatever a service hands over, it goes on
            self._outbox.drop("contract", error, refused=True)
            return None
        self.emit(event)
        return str(event.event_id)

    def emit(self, event: Event | ReviewLabel) -> None:
        """Queue one event; what does not fit is dropped and counted."""
        if record := self._encoded(event):
            self._outbox.put(*record)

    def wait_for_room(self, event: Event) -> None:
        """Queue one event, however long that takes: for replays, never for a service."""
        if record := self._encoded(event):
            self._outbox.put_waiting(*record)

    def _encoded(self, event: Event | ReviewLabel) -> tuple[bytes, bytes, Headers] | None:
        try:
            record = routing_key(event), encode(event), headers(event)
        except Exception as error:  # noqa: BLE001  as above
            self._outbox.drop("contract", error, refused=True)
            return None
        if len(record[1]) > MAX_RECORD_BYTES:
            self._outbox.drop("too_large", f"{len(record[1])} bytes", refused=True)
            return None
        if is_name(event.service_name):
            self._service = event.service_name
        self._used = True
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


_decode: Final = decoder(Event | ReviewLabel)  # type: ignore[arg-type]


def _check(value: bytes) -> None:
    """Hold a record against the contract, before it leaves and not in the service's own thread."""
    try:
        _decode(value, time.time_ns())
    except InvalidRecordError as error:
        raise RejectedError("contract", f"{error.reason}: {error}") from None
