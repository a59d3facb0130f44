"""Moments as people and the store read them."""

import os
import time
from datetime import UTC, datetime

from schemas.fields import NANO


def utc(unix_nano: int) -> str:
    """Return a time to the second.

    >>> utc(1_770_000_000_000_000_000)
    '2026-02-02 02:40:00 UTC'
    """
    return datetime.fromtimestamp(unix_nano // NANO, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def second(moment: datetime) -> str:
    """Return a moment to the second by UTC, as ClickHouse reads a DateTime.

    >>> second(datetime.fromisoformat("2026-02-02T03:40:00.5+01:00"))
    '2026-02-02 02:40:00'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def live_in_utc() -> None:
    """Have this process, and those that it starts, be where it is UTC, wherever the machine is.

    The embedded engine and the client of ClickHouse read and show times without a zone as the machine would.
    """
    os.environ["TZ"] = "UTC"
    time.tzset()
