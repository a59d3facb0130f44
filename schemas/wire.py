"""Bytes to records and back: the only place that decides whether a record is acceptable, and says why not."""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from .approvals import Approval
from .changes import Change
from .controls import Control
from .erasures import Erasure
from .evaluations import EvaluationRun
from .events import Envelope, Event
from .fields import MAX_AHEAD_NANO, MAX_DEPTH, MAX_PARTS, MAX_RECORD_BYTES, MAX_WINDOW_BYTES
from .findings import Finding
from .incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from .reviews import ReviewItem, ReviewLabel
from .shape import certainly_shallow, parts, too_deep
from .triage import Triage
from .windows import Window

Reason = Literal[
    "too_large",
    "too_deep",
    "too_many_parts",
    "not_json",
    "unknown_kind",
    "invalid",
    "nul_character",
    "future_time",
    "not_otlp",  # a record of another's topic that is not what the topic holds
    "unknown_dialect",  # the same, of a topic that takes many
    "foreign_service",  # in a topic that is bound to other services
    "implausible",  # a record of our own that contradicts what its reader knows
    "kills_worker",  # found by halving what was in work when a worker died again and again
]

Record = (
    Event
    | Change
    | ReviewLabel
    | ReviewItem
    | EvaluationRun
    | IncidentTransition
    | IncidentAction
    | IncidentEvidence
    | Delivery
    | Control
    | Triage
    | Erasure
    | Approval
    | Finding
    | Window
)
"""Anything that travels on one of our topics, dead letters and checkpoints aside."""

MOST_EXACT: Final = 1e19
"""Above it no number of a contract is whole."""


_OTLP: Final = (b"resourceSpans", b"resourceLogs", b"resourceMetrics")
OTLP_BELONGS: Final = "; this is OTLP: send it to otlp_spans or otlp_logs, or to the receiver's /v1/traces or /v1/logs"


class InvalidRecordError(ValueError):
    """A record that the contract refuses. `reason` is one of a few words, the message says what and where."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Final = reason


def decoder(accepted: type) -> Callable[[bytes, int], Record]:
    """Return ``decode(value, written_at_unix_nano) -> record`` for one record type or a union of them.

    Parameters
    ----------
    accepted
        What the topic carries.

    Raises
    ------
    InvalidRecordError
        By the returned function: too large, too deep, of too many parts, not JSON, of an unknown kind, against the
        contract, with a NUL character, or from the future. The clock of the second is when its record was written,
        so that the same log is judged alike for ever.
    """
    most = MAX_WINDOW_BYTES if accepted is Window else MAX_RECORD_BYTES
    most_parts = most if accepted is Window else MAX_PARTS
    parse: Callable[[bytes], Record] = msgspec.json.Decoder(accepted).decode

    def decode(value: bytes, written_at_unix_nano: int) -> Record:
        refuse_shape(value, most, most_parts)
        try:
            record = _parsed(parse, value)
        except msgspec.ValidationError as error:
            kind: Reason = "unknown_kind" if "$.event_type" in str(error) else "invalid"
            raise InvalidRecordError(kind, f"{error}{_belongs(value)}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRecordError("not_json", str(error)) from None
        if b"\\u0000" in value:
            refuse_nul(record)
        if isinstance(record, Envelope):
            refuse_future(record.time_unix_nano, written_at_unix_nano)
        return record

    return decode


def _belongs(value: bytes) -> str:
    """Return where a record belongs that is of another topic, as far as its first bytes say it."""
    return OTLP_BELONGS if any(value.lstrip().startswith(b'{"%s"' % name) for name in _OTLP) else ""


def _parsed(parse: Callable[[bytes], Record], value: bytes) -> Record:
    """Return a record; a whole number may be written like 12.0, as JSON Schema has it and some producers do."""
    try:
        return parse(value)
    except msgspec.ValidationError as error:
        if "got `float`" not in str(error):
            raise
        whole = msgspec.json.encode(_whole(msgspec.json.decode(value)))
    return parse(whole)


def _whole(value: Any) -> Any:
    """Return JSON with whole numbers as integers, however they were written.

    >>> _whole({"a": [12.0, 1.5, True]})
    {'a': [12, 1.5, True]}
    """
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < MOST_EXACT else value


def refuse_shape(value: bytes, most_bytes: int, most_parts: int) -> None:
    """Raise `InvalidRecordError` where a record is larger, deeper or of more parts than a parser is to see."""
    if len(value) > most_bytes:
        raise InvalidRecordError("too_large", f"{len(value)} bytes; at most {most_bytes}")
    if not certainly_shallow(value) and too_deep(value):
        raise InvalidRecordError("too_deep", f"nested deeper than {MAX_DEPTH} levels")
    if len(value) > most_parts and parts(value) > most_parts:
        raise InvalidRecordError("too_many_parts", f"{parts(value)} fields and items; at most {most_parts}")


def refuse_nul(record: Record) -> None:
    """Raise `InvalidRecordError` where any text of the record holds a NUL character."""
    if b"\\u0000" in msgspec.json.encode(record).replace(b"\\\\", b""):
        raise InvalidRecordError("nul_character", "a text holds a NUL character; remove it at the source")


def refuse_future(time_unix_nano: int, written_at_unix_nano: int) -> None:
    """Raise `InvalidRecordError` where an event claims to be from well after its record was written."""
    ahead = time_unix_nano - written_at_unix_nano
    if ahead > MAX_AHEAD_NANO:
        raise InvalidRecordError(
            "future_time",
            f"time_unix_nano is {ahead / 1e9:.0f} s ahead of the record; check the clock or unit",
        )


_encoder = msgspec.json.Encoder()


def encode(record: Record) -> bytes:
    """Return the canonical JSON of a record; the kind comes first and absent fields are left out.

    >>> from schemas.events import Telemetry
    >>> encode(Telemetry(event_id="1", source="s", time_unix_nano=1767225600000000000, service_name="a"))[:42]
    b'{"event_type":"ai.safety.telemetry.v1","ev'
    """
    return _encoder.encode(record)
