"""What LiteLLM's webhook logger posts, cut into its records: an array, lines, or a single one."""

import msgspec
from fastapi import HTTPException, status

from schemas.wire import InvalidRecordError, refuse_shape
from streams.receiver.body import JSON, MOST_JSON_BYTES, MOST_JSON_PARTS, NDJSON, Kind
from streams.receiver.signals import MOST_RECORD_BYTES, Cut


class _Named(msgspec.Struct):
    """What a record is keyed by: all attempts of a call have one trace."""

    trace_id: str | None = None
    litellm_call_id: str | None = None


def cut_webhook(kind: Kind, body: bytes) -> Cut:
    """Return the records of a body, each as it stands.

    Raises
    ------
    HTTPException
        400 where it is neither JSON nor lines of it, 413 where it is larger than is taken, 415 for protobuf.
    """
    if kind.content_type not in {JSON, NDJSON}:
        raise HTTPException(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, f"records of LiteLLM are {JSON} or {NDJSON}")
    if len(body) > MOST_JSON_BYTES:
        text = f"JSON has at most {MOST_JSON_BYTES} bytes; post fewer records at once"
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, text)
    found = Cut()
    for record in _records(body):
        if len(record) > MOST_RECORD_BYTES:
            found.refused, found.why = found.refused + 1, f"{len(record)} bytes, at most {MOST_RECORD_BYTES}"
        else:
            found.records.append((_key(record), bytes(record)))
    return found


def _records(body: bytes) -> list[msgspec.Raw]:
    try:
        refuse_shape(body, MOST_JSON_BYTES, MOST_JSON_PARTS)
        if body.lstrip()[:1] == b"[":
            return msgspec.json.decode(body, type=list[msgspec.Raw])
        return msgspec.json.Decoder(msgspec.Raw).decode_lines(body)
    except InvalidRecordError as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = "the body is no JSON: neither an array, nor lines, nor one record"
        raise HTTPException(status.HTTP_400_BAD_REQUEST, text) from None


def _key(record: msgspec.Raw) -> bytes | None:
    try:
        named = msgspec.json.decode(record, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # whatever it is, the worker says what is wrong with it
    return (named.trace_id or named.litellm_call_id or "").encode() or None
