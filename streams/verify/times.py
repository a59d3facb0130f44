"""Times of a period: as people read them, and in pieces that one query answers in time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from streams.text.times import second

CHUNK_SECONDS: Final = 7 * 86_400
HOUR: Final = 3_600


def shown(seconds: int) -> str:
    """Return Unix seconds as people read them.

    >>> shown(1772442000)
    '2026-03-02 09:00:00'
    """
    return second(datetime.fromtimestamp(seconds, UTC))


def chunks(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield pieces of a span of seconds, each within whole hours but for the ends.

    >>> list(chunks(1000, 700_000))
    [(1000, 604800), (604800, 700000)]
    """
    while first < end:
        until = min((first // HOUR * HOUR) + CHUNK_SECONDS, end)
        yield first, until
        first = until
