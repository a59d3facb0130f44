"""Records of a file, whatever wraps them: JSON, JSON lines, an array, gzip, recorded HTTP requests, OTLP bytes."""

import base64
import binascii
import gzip
import itertools
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from schemas.fields import MAX_DEPTH

MOST_WHOLE_BYTES: Final = 256_000_000
"""Of a file that is one JSON value or one protobuf message; one of lines may be of any length."""

MOST_LINE_BYTES: Final = 32_000_000
"""Of a line: a batch of a gateway's records is one."""

_GZIP: Final = b"\x1f\x8b"
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_WRAPPED: Final = ("record", "event", "raw")


class UnreadableFileError(ValueError):
    """A file that cannot be read; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Read:
    """One record of a file.

    Parameters
    ----------
    line
        Where it stands, from 1; records of one array or batch share it.
    value
        What was read, or None where `refused` says why nothing was.
    raw
        The bytes as they stood, where the record is a line of its own.
    written_ms
        When it was written, in milliseconds of Unix time, where the record says so itself.
    """

    line: int
    value: Any = None
    raw: bytes = b""
    refused: str = ""
    detail: str = ""
    written_ms: int | None = None


def read_file(name: str) -> Iterator[Read]:
    """Yield the records of a file; ``-`` is the standard input.

    Raises
    ------
    UnreadableFileError
        Where there is none, or its bytes end before they should.
    """
    try:
        with _opened(name) as stream:
            yield from read_stream(stream)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(f"{name} cannot be read: {error}") from None


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    with ExitStack() as opened:
        stream: Any = sys.stdin.buffer if name == "-" else opened.enter_context(Path(name).open("rb"))
        packed = stream.peek(2)[:2] == _GZIP
        yield opened.enter_context(gzip.GzipFile(fileobj=stream)) if packed else stream  # type: ignore[arg-type]


def read_stream(stream: IO[bytes]) -> Iterator[Read]:
    """Yield the records of a stream of bytes: lines where the first is a JSON value of its own, else one whole."""
    start = line = stream.readline(MOST_LINE_BYTES)
    while line and not line.strip():
        line = stream.readline(MOST_LINE_BYTES)
        start += line
    if _parsed(start) is not None:
        yield from _lines(itertools.chain(start.splitlines(), _rest(stream)))
        return
    whole = start + stream.read(MOST_WHOLE_BYTES)
    value = _parsed(whole)
    if value is not None:
        yield from _records(1, value, whole)
    elif _is_text(whole):
        yield from _lines(whole.splitlines())
    elif whole:
        yield Read(1, whole, whole)


def _rest(stream: IO[bytes]) -> Iterator[bytes]:
    while line := stream.readline(MOST_LINE_BYTES):
        yield line


def _lines(lines: Iterable[bytes]) -> Iterator[Read]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield from _line(number, line.strip())


def _line(number: int, line: bytes) -> Iterator[Read]:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield Read(number, raw=line, refused="not_json", detail=_said(error))
        return
    yield from _records(number, value, line)


def _said(error: Exception) -> str:
    return f"nested deeper than {MAX_DEPTH} levels" if isinstance(error, RecursionError) else str(error)


def _records(number: int, value: Any, raw: bytes) -> Iterator[Read]:
    """Yield the records that a value holds: an array has many, a recorded request those of its body."""
    if isinstance(value, list):
        for item in value:
            yield from _records(number, item, msgspec.json.encode(item))
        return
    if isinstance(value, dict) and "written_ms" in value:
        yield from _written(number, value, raw)
    elif isinstance(value, dict) and "path" in value and ("body" in value or "body_b64" in value):
        yield from _body(number, value)
    else:
        yield Read(number, value, raw)


def _written(number: int, value: dict[str, Any], raw: bytes) -> Iterator[Read]:
    """Yield a record that says when it was written: in itself, or beside it in a wrapper."""
    when = value["written_ms"] if type(value["written_ms"]) is int else None
    for key in _WRAPPED:
        if key in value and set(value) <= {key, "written_ms"}:
            inner = value[key]
            text = inner.encode(errors="surrogatepass") if isinstance(inner, str) else msgspec.json.encode(inner)
            for found in _line(number, text):
                yield Read(number, found.value, found.raw, found.refused, found.detail, when)
            return
    yield Read(number, {name: item for name, item in value.items() if name != "written_ms"}, raw, written_ms=when)


def _body(number: int, value: dict[str, Any]) -> Iterator[Read]:
    """Yield the records of a recorded HTTP request, as a receiver would have got them."""
    try:
        packed = value.get("body_b64", value.get("body") if "protobuf" in str(value.get("content-type")) else None)
        body = str(value["body"]).encode() if packed is None else base64.b64decode(packed)
        body = gzip.decompress(body) if body.startswith(_GZIP) else body
    except (binascii.Error, TypeError, EOFError, OSError, zlib.error, UnicodeEncodeError) as error:
        yield Read(number, refused="not_json", detail=f"the body of a recorded request cannot be read: {error}")
        return
    parsed = _parsed(body)
    if parsed is not None:
        yield from _records(number, parsed, body)
    elif _is_text(body):
        for line in body.splitlines():
            yield from _line(number, line)
    else:
        yield Read(number, body, body)


def _parsed(value: bytes) -> Any:
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_text(value: bytes) -> bool:
    """Tell whether bytes are text, also broken text: messages of protobuf hold control characters."""
    return value[:1] in (b"{", b"[") or not _CONTROL.search(value[:4096])
