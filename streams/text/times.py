"""Moments as people read them."""

from datetime import UTC, datetime


def utc(unix_nano: int) -> str:
    """Return a time to the second.

    >>> utc(1_770_000_000_000_000_000)
    '2026-02-02 02:40:00 UTC'
    """
    return datetime.fromtimestamp(unix_nano // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
