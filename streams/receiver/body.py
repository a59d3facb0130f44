"""Bytes of a request to a message of OTLP: inflated, parsed, and refused with what is wrong."""

import base64
import zlib
from typing import Any, Final, NamedTuple

import msgspec
from fastapi import HTTPException, status
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError

from schemas.wire import InvalidRecordError, refuse_shape
from streams.receiver.signals import Signal

MOST_BYTES: Final = 8_388_608
"""The longest body as it travels; the batches of an SDK with all their text are a tenth of it."""

MOST_INFLATED_BYTES: Final = 16_777_216
MOST_JSON_BYTES: Final = 4_194_304
"""JSON costs a hundred times as much as protobuf."""

MOST_JSON_PARTS: Final = 400_000

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

_WINDOWS: Final = {"gzip": 31, "deflate": 15}
_IDS: Final = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


class Kind(NamedTuple):
    """What a client says of its body."""

    content_type: str
    encoding: str


def kind_of(content_type: str, encoding: str) -> Kind:
    """Return what the header fields of a request say.

    Raises
    ------
    HTTPException
        415 where it is something that is not taken.

    >>> kind_of("Application/JSON; charset=utf-8", "GZIP")
    Kind(content_type='application/json', encoding='gzip')
    """
    said, packed = content_type.partition(";")[0].strip().lower(), encoding.strip().lower()
    if said not in {PROTOBUF, JSON}:
        text = f"a body of type {said[:100]!r} is not taken here; send {PROTOBUF} or {JSON}"
        raise HTTPException(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, text)
    if packed not in {"", "identity", *_WINDOWS}:
        text = f"Content-Encoding {packed[:100]!r} is not taken here; send gzip, deflate or none"
        raise HTTPException(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, text)
    return Kind(said, packed)


def inflate(body: bytes, encoding: str, most_bytes: int = MOST_INFLATED_BYTES) -> bytes:
    """Return a body without its compression.

    Raises
    ------
    HTTPException
        400 where it is not compressed as its header says, 413 where it would grow beyond `most_bytes`.
    """
    if encoding not in _WINDOWS:
        return body
    packed = zlib.decompressobj(_WINDOWS[encoding])
    try:
        found = packed.decompress(body, most_bytes + 1)
    except zlib.error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, f"the body is not {encoding}, as it says") from None
    if len(found) > most_bytes:
        text = f"a body has at most {most_bytes} bytes when it is inflated; send fewer items at once"
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, text)
    if not packed.eof or packed.unused_data:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, f"the body is not one whole {encoding} stream")
    return found


def parsed(signal: Signal, kind: Kind, body: bytes) -> Any:
    """Return the request that an inflated body holds.

    Raises
    ------
    HTTPException
        400 where it holds none, 413 for JSON that is larger than is taken.
    """
    if kind.content_type == JSON:
        return _from_json(signal, body)
    try:
        return signal.request.FromString(body)
    except DecodeError:
        text = f"the body is no protobuf of the {signal.name} of OTLP"
        raise HTTPException(status.HTTP_400_BAD_REQUEST, text) from None


def _from_json(signal: Signal, body: bytes) -> Any:
    if len(body) > MOST_JSON_BYTES:
        text = f"JSON has at most {MOST_JSON_BYTES} bytes; send protobuf, or fewer items at once"
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, text)
    try:
        refuse_shape(body, MOST_JSON_BYTES, MOST_JSON_PARTS)
        return ParseDict(
            _bytes_of_ids(msgspec.json.decode(body, type=dict[str, Any])), signal.request(), ignore_unknown_fields=True
        )
    except InvalidRecordError as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, str(error)) from None
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError):  # never their text: it repeats values
        text = f"the body is no JSON of the {signal.name} of OTLP; ids are hexadecimal there"
        raise HTTPException(status.HTTP_400_BAD_REQUEST, text) from None


def _bytes_of_ids(value: Any) -> Any:
    """Return JSON of OTLP as JSON of protobuf: ids are hexadecimal in the one and base64 in the other."""
    if isinstance(value, list):
        return [_bytes_of_ids(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _base64(each) if name in _IDS else _bytes_of_ids(each) for name, each in value.items()}


def _base64(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()
