"""How many requests each one may send: the generic cell rate algorithm (ITU-T I.371), one number for each of them.

Every key has an allowance of its own, so that nobody's flood is another's. Libraries that do this keep as many keys as
there come, and sweep them from a thread that each request may start; here the table has an end.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec import Struct

MOST: Final = 10_000
"""Keys that are remembered; beyond them, whoever has asked nothing for longest begins anew."""
NEWS_SECONDS: Final = 60.0
"""How often it is news that somebody asks too much."""


class Over(Struct, frozen=True):
    """That somebody asks too much.

    `seconds` is until the next request is taken. `news` says that this was not said within the last minute, and
    `unsaid` how many requests were refused since it was.
    """

    seconds: float
    news: bool = True
    unsaid: int = 0


class _Each(Struct):
    due: float = 0.0
    said: float | None = None
    unsaid: int = 0


class Pace:
    """The allowances of all that ask; may be used from any thread.

    Parameters
    ----------
    a_minute
        Requests that a key may send at once, and as many a minute after them; without an end where it is 0.
    clock
        Seconds that only grow.
    """

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self.a_minute: Final = a_minute
        self._clock: Final = clock
        self._most: Final = most
        self._lock: Final = threading.Lock()
        self._known: Final[OrderedDict[object, _Each]] = OrderedDict()

    def take(self, key: object) -> Over | None:
        """Count a request of a key, and return None; or, where it is one too many, since when and for how long."""
        if not self.a_minute:
            return None
        interval = 60.0 / self.a_minute
        with self._lock:
            now, each = self._clock(), self._known.pop(key, None) or _Each()
            self._known[key] = each
            while len(self._known) > self._most:
                self._known.popitem(last=False)
            due = max(each.due, now)
            if (early := due - now - (self.a_minute - 1) * interval) > interval * 1e-6:  # what floats may be wrong by
                return _over(each, now, early)
            each.due = due + interval
            return None

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._known)


def _over(each: _Each, now: float, early: float) -> Over:
    news = each.said is None or now - each.said >= NEWS_SECONDS
    found = Over(early, news, each.unsaid if news else 0)
    each.unsaid = 0 if news else each.unsaid + 1
    each.said = now if news else each.said
    return found
