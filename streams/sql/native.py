"""The one answer that ClickHouse's Go client reads in a newer layout than the embedded engine writes.

The client asks for ``displayName(), version(), revision(), timezone()`` first and reads this answer at the protocol
revision it was built for: block information, and a byte per column that says how it is serialised. The engine writes
Native at revision 0, without either. So this block is made by hand, and it names revision 0: all later answers are
then read as the engine writes them. Layout: ClickHouse documentation, "Native protocol: server, data block".
"""

import re
import struct
from typing import Final

from streams.sql.request import Asked

MIN_BLOCK_INFO: Final = 51903
"""First protocol revision with block information (ClickHouse, ``ProtocolDefines.h``)."""

_HELLO: Final = re.compile(
    r"\s*SELECT\s+displayName\(\),\s*version\(\),\s*revision\(\),\s*timezone\(\)\s*", re.IGNORECASE
)
_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"


def is_hello(asked: Asked) -> bool:
    """Tell whether a question is the handshake of the Go client."""
    return asked.output == "Native" and asked.protocol >= MIN_BLOCK_INFO and bool(_HELLO.fullmatch(asked.query))


def hello(version: str) -> bytes:
    r"""Return the answer to the handshake.

    >>> hello("26.9.2.1")[:10]
    b'\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01'
    """
    columns = [
        ("displayName()", "String", _text("watchkeeper")),
        ("version()", "String", _text(version)),
        ("revision()", "UInt32", struct.pack("<I", 0)),
        ("timezone()", "String", _text("UTC")),
    ]
    parts = [_text(name) + _text(kind) + b"\x00" + value for name, kind, value in columns]
    return _INFO + bytes([len(columns), 1]) + b"".join(parts)


def _text(value: str) -> bytes:
    """Return a short string as the protocol writes it; all of ours are below 128 bytes, so one byte is the length."""
    data = value.encode()
    return bytes([len(data)]) + data
