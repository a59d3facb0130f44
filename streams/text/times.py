"""Moments as people read them."""

from datetime import UTC, datetime

from schemas.fields import NANO


def utc(unix_nano: int) -> str:
    """Return a time to the second.

    >>> utc(1_770_000_000_000_000_000)
    '2026-02-02 02:40:00 UTC'
    """
    return datetime.fromtimestamp(unix_nano // NANO, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
