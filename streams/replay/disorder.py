"""Recorded events in another order of arrival: what is found must not depend on it."""

import heapq
import random
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from schemas.events import Event
from schemas.fields import NANO

MOST_NANO: Final = 5 * NANO
"""Half of the lateness that watch allows unless it is told otherwise: every event still counts in its own tick."""


def disordered(events: Iterable[Event], seed: int) -> Iterator[Event]:
    """Yield the same events, each held back by a chance of up to five seconds of their own time.

    Parameters
    ----------
    events
        In the order of their times, more or less.
    seed
        The same seed gives the same order.
    """
    rng, number = random.Random(seed), count()  # noqa: S311  no secret
    waiting: list[tuple[int, int, Event]] = []
    for event in events:
        heapq.heappush(waiting, (event.time_unix_nano + rng.randrange(MOST_NANO), next(number), event))
        while waiting[0][0] <= event.time_unix_nano:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]
