"""Bodies that travel by HTTP with `Content-Encoding: gzip`."""

import zlib
from typing import Final

_GZIP: Final = 16 + zlib.MAX_WBITS


def gunzip(data: bytes, most_bytes: int) -> bytes:
    """Return what was compressed.

    Parameters
    ----------
    data
        One gzip stream.
    most_bytes
        Bytes that may come out: a small body can hold a very large one.

    Raises
    ------
    ValueError
        No gzip, cut short, or more than `most_bytes`.

    >>> import gzip
    >>> gunzip(gzip.compress(b"spans"), 5)
    b'spans'
    """
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(data, most_bytes + 1)
    except zlib.error as error:
        raise ValueError(f"no gzip: {error}") from None
    if len(plain) > most_bytes:
        raise ValueError(f"more than {most_bytes} bytes when decompressed; send smaller batches")
    if not stream.eof:
        raise ValueError("gzip ends in the middle; the body was cut")
    return plain
