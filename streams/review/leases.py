"""Who looks at what just now, so that two people do not take the same item by chance.

Leases are kept in the memory of the process that hands out items, and end by themselves. Losing them costs a second
label at most, which is an agreement pair.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

SECONDS: Final = 300.0
"""How long somebody may look at an item before it is handed to the next one."""


class Leases:
    """Items that are being looked at.

    Parameters
    ----------
    clock
        Returns seconds that only grow.

    >>> leases = Leases()
    >>> items = [{"target_event_id": "a", "reviewers": 1, "readers": 0}]
    >>> leases.take("kim", items)["target_event_id"], leases.take("ann", items)
    ('a', None)
    >>> leases.end("kim", "a"); leases.take("ann", items)["target_event_id"]
    'a'
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock: Final = clock
        self._ends: Final[dict[str, dict[str, float]]] = {}
        self._lock: Final = threading.Lock()

    def __len__(self) -> int:
        """Return how many items are being looked at."""
        with self._lock:
            self._drop()
            return len(self._ends)

    def take(self, reviewer: str, items: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the first item that has room for a reviewer, and hold it for them; None where none has.

        Parameters
        ----------
        items
            Each with `target_event_id`, how many `reviewers` it wants, and by how many (`readers`) it was judged.
        """
        with self._lock:
            self._drop()
            for item in items:
                holders = self._ends.get(item["target_event_id"], {})
                if len(holders.keys() - {reviewer}) < int(item["reviewers"]) - int(item["readers"]):
                    self._ends.setdefault(item["target_event_id"], {})[reviewer] = self._clock() + SECONDS
                    return item
        return None

    def end(self, reviewer: str, event: str) -> None:
        """Let an item go."""
        with self._lock:
            self._ends.get(event, {}).pop(reviewer, None)

    def _drop(self) -> None:
        now = self._clock()
        for event in list(self._ends):
            left = {name: end for name, end in self._ends[event].items() if end > now}
            if left:
                self._ends[event] = left
            else:
                del self._ends[event]
