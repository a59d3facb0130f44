"""Records to Kafka with kafka-python: connects in the background, and anew after every break and every fork.

Without idempotence: the idempotent producer of kafka-python 3.0 never sends again once a batch has expired, and
what it is for, no doubles, `event_id` gives us anyway.
"""

import atexit
import encodings.idna  # noqa: F401  for names of hosts: a fork while a thread imports it leaves the child without it
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from ..reviews import ReviewLabel
from .sink import AwayError, Done, Record, RejectedError

log = logging.getLogger(__name__)

DEFAULTS: Final[dict[str, Any]] = {
    "acks": "all",
    "enable_idempotence": False,
    "max_in_flight_requests_per_connection": 1,  # keeps the order within a partition when a request is repeated
    "linger_ms": 20,
    "batch_size": 131_072,
    "bootstrap_timeout_ms": 5_000,
    "max_block_ms": 5_000,
    "delivery_timeout_ms": 30_000,
}
REQUEST_MS: Final = 10_000
_PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_ACKS: Final = ("all", -1, 0, 1)
_ASK: Final = "are address, security_protocol and password right? the logger `kafka` says more"
_REVIEW: Final = ("ce_type", str(ReviewLabel.__struct_config__.tag).encode())
_INHERITED: Final[list[object]] = []
"""Producers of a parent process: kept for ever, because letting go of one would reach into its connections."""


class KafkaSink:
    """Hands events to their topic, and judgements to that of reviews.

    Parameters
    ----------
    bootstrap
        ``host:port``, several with commas.
    check
        Judges a record before it leaves; raises `RejectedError`.
    options
        Of ``KafkaProducer``.

    Raises
    ------
    ValueError
        Where an argument can't be right, whoever is at the address; the message says which.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        check: Callable[[bytes], None],
        options: dict[str, Any],
        reviews_topic: str = "reviews.v1",
    ) -> None:
        self._topics: Final = {True: reviews_topic, False: topic}
        self._check: Final = check
        self._options: Final = {"bootstrap_servers": _addresses(bootstrap), **_completed(options)}
        self._producer: Any = None
        _try_out(self._topics.values(), self._options)

    def open(self) -> None:
        """Connect; raises `AwayError` after at most the bootstrap's time-out."""
        if self._producer is not None:
            return
        from kafka import KafkaProducer

        try:
            producer = KafkaProducer(**self._options)
        except Exception as error:  # noqa: BLE001  whatever it is, it may be gone at the next try
            raise AwayError(f"{error}; {_ASK}") from None
        _without_its_exit(producer)
        self._producer = producer

    def send(self, record: Record, done: Done) -> None:
        """Check and hand over one record."""
        from kafka.errors import KafkaError

        if record.told is None:
            self._check(record.value)
        number = record.number
        try:
            # no timestamp of our own: event time is in the event, Kafka's retention works on the record's
            topic = self._topics[_REVIEW in record.headers]
            future = self._producer.send(topic, value=record.value, key=record.key, headers=record.headers)
        except (KafkaError, OSError) as error:
            raise _meant(error) from None
        except Exception as error:
            raise RejectedError("failed", f"{type(error).__name__}: {error}") from error
        future.add_callback(lambda _: done(number, None))
        future.add_errback(lambda error: done(number, _meant(error)))

    def discard(self) -> None:
        """End the producer without waiting; its records fail, and are ours again."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=0)
        except Exception:  # it says so when records are on their way
            log.debug("a broken producer was closed", exc_info=True)
        finally:
            producer._sender.force_close()  # noqa: SLF001  `close` leaves its thread running in that case
            producer._closed = True  # noqa: SLF001

    def close(self) -> None:
        """End the producer."""
        self.discard()

    def forget(self) -> None:
        """Make the parent's producer harmless in a forked child: its threads are not here, its sockets not ours."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer._closed = True  # noqa: SLF001
            _INHERITED.append(producer)


def _without_its_exit(producer: Any) -> None:
    """Take away the exit handler that would close the producer before us, with a second for what it holds."""
    cleanup = getattr(producer, "_cleanup", None)
    if cleanup is not None:
        atexit.unregister(cleanup)


def _meant(error: BaseException) -> AwayError | RejectedError:
    """Return what an error of Kafka means for the record: send it again, or never."""
    from kafka import errors

    text = f"{type(error).__name__}: {error}"
    if isinstance(error, errors.MessageSizeTooLargeError | errors.RecordListTooLargeError):
        return RejectedError("too_large", text)
    if isinstance(error, errors.InvalidRecordError):
        return RejectedError("failed", text)
    return AwayError(text)


def _addresses(bootstrap: str) -> list[str]:
    addresses = [part.strip() for part in bootstrap.split(",") if part.strip()]
    for address in addresses or [""]:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ValueError(f"{address!r} is no address of a broker; write host:port")
    return addresses


def _completed(options: dict[str, Any]) -> dict[str, Any]:
    full = DEFAULTS | options
    if "request_timeout_ms" not in full:
        full["request_timeout_ms"] = max(1, min(REQUEST_MS, full["delivery_timeout_ms"] - full["linger_ms"]))
    return full


def _try_out(topics: Iterable[str], options: dict[str, Any]) -> None:
    """Raise what can be known to be wrong without a broker: a producer told its version connects to none."""
    from kafka import KafkaProducer
    from kafka.errors import KafkaError
    from kafka.util import ensure_valid_topic_name

    if options["acks"] not in _ACKS:
        raise ValueError(f"acks={options['acks']!r}; one of {', '.join(map(repr, _ACKS))}")
    if options.get("security_protocol", "PLAINTEXT") not in _PROTOCOLS:
        raise ValueError(f"security_protocol={options['security_protocol']!r}; one of {', '.join(_PROTOCOLS)}")
    for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_crlfile"):
        if options.get(name) and not Path(options[name]).is_file():
            raise ValueError(f"{name}: there is no file {options[name]}")
    try:
        for topic in topics:
            ensure_valid_topic_name(topic)
        producer = KafkaProducer(**{"api_version": (2, 6), **options})
    except (KafkaError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"Kafka's producer does not take these arguments: {error}") from None
    _without_its_exit(producer)
    producer.close(timeout=0)
