"""How bodies are packed: ClickHouse's own compressed blocks, and the content codings of HTTP."""

import struct
from typing import Final

import pyarrow as pa
from clickhouse_cityhash.cityhash import CityHash128

from streams.sql.errors import CANNOT_PARSE, refused

BLOCK_BYTES: Final = 1 << 20
"""Uncompressed bytes of a block, as ClickHouse writes them."""

CODINGS: Final = {"zstd": "zstd", "gzip": "gzip", "lz4": "lz4", "br": "brotli"}
"""HTTP content codings in the order in which they are preferred, and Arrow's names for them."""

_LZ4: Final = 0x82
_HEADER: Final = struct.Struct("<BII")


def blocks(data: bytes) -> bytes:
    """Return bytes as LZ4 blocks of ClickHouse: checksum, method, sizes, compressed bytes (``compress=1``).

    >>> len(blocks(bytes(100_000))) < 1_000
    True
    """
    parts = []
    for place in range(0, len(data), BLOCK_BYTES):
        chunk = data[place : place + BLOCK_BYTES]
        packed = pa.compress(chunk, codec="lz4_raw", asbytes=True)
        body = _HEADER.pack(_LZ4, len(packed) + _HEADER.size, len(chunk)) + packed
        parts += [checksum(body), body]
    return b"".join(parts)


def checksum(body: bytes) -> bytes:
    """Return CityHash128 as ClickHouse writes it, of version 1.0.2, with which it stays although later ones differ.

    >>> checksum(b"watchkeeper")[7::-1].hex()
    '0c2411e76624fe87'
    """
    return struct.pack("<QQ", *divmod(CityHash128(body), 1 << 64))


def coding(accept: str) -> str | None:
    """Return the preferred coding among those that a client takes.

    >>> coding("gzip, deflate, br;q=1.0, zstd;q=0"), coding("identity")
    ('gzip', None)
    """
    taken = {}
    for part in accept.lower().split(","):
        name, _, weight = part.strip().partition(";")
        taken[name.strip()] = weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return next((name for name in CODINGS if taken.get(name)), None)


def pack(data: bytes, name: str) -> bytes:
    """Return bytes in a content coding."""
    return bytes(pa.compress(data, codec=CODINGS[name], asbytes=True))


def unpack(data: bytes, name: str, limit: int) -> bytes:
    """Return at most `limit` bytes out of a content coding, however much it would unpack to.

    Raises
    ------
    SqlError
        With code 27 where the coding is not known or the bytes are not of it.
    """
    if name not in CODINGS:
        raise refused(CANNOT_PARSE, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", f"Content-Encoding {name!r} is not known")
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), CODINGS[name]) as stream:
            return bytes(stream.read(limit))
    except OSError as error:
        raise refused(CANNOT_PARSE, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", f"the body is not {name}: {error}") from None
