"""Changes to JSON that are likely to hurt: by structure where it parses, by bytes where it does not."""

import json
import random
from typing import Any

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**400, 1e300, 1e-320,
    -0.0, float("nan"), float("inf"), "", "a", "\x00", "\ud800", "é", "\U0001f600", "x" * 257, "y" * 3_000, "~other",
    "*", "\x1f", "1" * 5_000, [], {}, [[]], [None], {"": ""}, "0", "-1", "2026-01-01", "<script>", "\x1b[31m",
]  # fmt: skip
BYTES = [
    b"[", b"]", b"{", b"}", b'"', b",", b":", b"\\", b"\\u0000", b"\\ud800", b"\xff", b"\x00", b"\n", b" ", b"1e999",
    b"-", b"null", b'{"a":' * 40, b"[" * 40, b"[" * 3_000, b'"x":1,' * 50, b"\xef\xbb\xbf", b"&a [*a]", b"!!python/x ",
    b"<<: *a", b"- ", b"%", b"@", b"`", b"? ", b"\t", b"9" * 400, b'"guards":[{}],', b'"labels":{"a":"b"},',
]  # fmt: skip


def mutated(seed: bytes, draw: random.Random, others: list[bytes]) -> bytes:
    """Return a seed with a few changes."""
    records = seed.split(b"\x00")
    at = draw.randrange(len(records))
    for _ in range(draw.choice([1, 1, 2, 4])):
        records[at] = _structure(records[at], draw) if draw.random() < 0.7 else _bytes(records[at], draw, others)
    return b"\x00".join(records)


def _structure(value: bytes, draw: random.Random) -> bytes:
    head, body = (value[:1], value[1:]) if value[:1] not in (b"{", b"[") else (b"", value)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return _bytes(value, draw, [])
    data = _changed(data, draw)
    try:
        return head + json.dumps(data, separators=(",", ":"), ensure_ascii=draw.random() < 0.5).encode(errors="replace")
    except ValueError:
        return value


def _changed(data: Any, draw: random.Random, depth: int = 0) -> Any:
    """Change one place somewhere in the data."""
    if isinstance(data, dict) and data and draw.random() < 0.8:
        key = draw.choice(list(data))
        kind = draw.random()
        if kind < 0.1:
            return {name: item for name, item in data.items() if name != key}
        if kind < 0.2:
            return data | {draw.choice(["x", "", "new", key + " ", "service_name"]): draw.choice(ODD)}
        return data | {key: _changed(data[key], draw, depth + 1)}
    if isinstance(data, list) and data and draw.random() < 0.8:
        at = draw.randrange(len(data))
        changed = _changed(data[at], draw, depth + 1)
        return [*data[:at], *[changed] * draw.choice([0, 1, 1, 2, 30]), *data[at + 1 :]]
    if isinstance(data, int) and not isinstance(data, bool) and draw.random() < 0.5:
        return data + draw.choice([-1, 1, -(10**9), 10**12, -(10**17), 2**62])
    return draw.choice(ODD)


def _bytes(value: bytes, draw: random.Random, others: list[bytes]) -> bytes:
    at, end = sorted((draw.randint(0, len(value)), draw.randint(0, len(value))))
    middle = draw.choice([b"", draw.choice(BYTES), bytes([draw.randrange(256)])])
    if others and draw.random() < 0.2:
        other = draw.choice(others)
        middle = other[draw.randint(0, len(other)) :]
    return value[:at] + middle + value[draw.choice([at, at + 1, end]) :]
