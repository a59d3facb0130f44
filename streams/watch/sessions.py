"""Which sessions were flagged lately: bounded memory that keeps bursts out of the counts.

Unsafe events come in bursts (one session, one agent loop); a detector that takes each for a trial of its own
breaks its promise a thousandfold. So a session counts once a tick, and once flagged for a rate it is left out
of that rate for a while, both as a trial and as flagged.
"""

import itertools
from typing import Final

import numpy as np

from detectors.base import State

CAPACITY: Final = 65_536
"""Sessions remembered a partition; beyond it the oldest are forgotten, and `forgotten` counts them."""

SWEEP_FROM: Final = 1_024
"""Sessions below which nobody looks for those that may be forgotten."""


class FlaggedSessions:
    """Remembers keys with the tick they were flagged in, for `memory` ticks.

    Ticks must come in order; the same sequence of calls gives the same state. Within a tick keys come ascending, so
    that which of them is forgotten first does not depend on the order of the log.
    """

    def __init__(self, memory: int) -> None:
        self.memory: Final = memory
        self.forgotten = 0
        self._ticks: dict[int, int] = {}  # by key, the oldest first
        self._now = -(2**62)
        self._swept_to = 0

    def __contains__(self, key: int) -> bool:
        return key in self._ticks

    def flagged_before(self, key: int, tick: int) -> bool:
        """Tell whether a key was flagged within the memory before `tick`."""
        known = self._ticks.get(key)
        return known is not None and tick > known > tick - self.memory

    def remember(self, key: int, tick: int) -> None:
        """Remember a key as flagged in `tick`."""
        self._ticks.pop(key, None)
        self._ticks[key] = tick

    def forget(self, key: int) -> None:
        """Forget a key, whether it was remembered or not."""
        self._ticks.pop(key, None)

    def end(self, tick: int) -> None:
        """End a tick: forget what is older than the memory, and what is too much."""
        self._now = tick
        if len(self._ticks) <= min(max(2 * self._swept_to, SWEEP_FROM), CAPACITY):
            return
        self._ticks = self._alive()
        excess = len(self._ticks) - CAPACITY
        if excess > 0:
            self._ticks = dict(itertools.islice(self._ticks.items(), excess, None))
            self.forgotten += excess
        self._swept_to = len(self._ticks)

    def _alive(self) -> dict[int, int]:
        return {key: tick for key, tick in self._ticks.items() if tick > self._now - self.memory}

    def state(self) -> State:
        """Return the memory as flat arrays, by key."""
        kept = sorted(self._alive().items())
        return {
            "keys": np.array([key for key, _ in kept], np.uint64),
            "ticks": np.array([tick for _, tick in kept], np.int64),
            "forgotten": np.array([self.forgotten]),
        }

    def restore(self, state: State) -> None:
        """Take over the memory that `state` returned."""
        keys, ticks = state["keys"].astype(np.uint64), state["ticks"].astype(np.int64)
        order = np.lexsort((keys, ticks))
        self._ticks = dict(zip(keys[order].tolist(), ticks[order].tolist(), strict=True))
        self._now = max(self._ticks.values(), default=self._now)
        self.forgotten = int(state["forgotten"][0])
