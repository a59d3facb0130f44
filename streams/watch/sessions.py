"""Which sessions were flagged lately: bounded memory that keeps bursts out of the counts.

Unsafe events come in bursts (one session, one agent loop); a detector that takes each for a trial of its own
breaks its promise a thousandfold. So a session counts once a tick, and once flagged for a rate it is left out
of that rate for a while, both as a trial and as flagged.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.base import State
from detectors.columns import prefixed, under

CAPACITY: Final = 65_536
"""Sessions remembered a partition; beyond it the oldest are forgotten, and `forgotten` counts them."""

UInt64s = npt.NDArray[np.uint64]
Int64s = npt.NDArray[np.int64]


class FlaggedSessions:
    """Remembers keys with the tick they were flagged in, for `memory` ticks.

    Ticks must come in order; the same sequence of calls gives the same state.
    """

    def __init__(self, memory: int) -> None:
        self.memory: Final = memory
        self.forgotten = 0
        self._keys: UInt64s = np.empty(0, np.uint64)  # sorted
        self._ticks: Int64s = np.empty(0, np.int64)

    def repeated(self, keys: UInt64s, tick: int) -> npt.NDArray[np.bool_]:
        """Tell for each key whether it was flagged within the memory before `tick`."""
        if not len(self._keys):
            return np.zeros(len(keys), bool)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return (self._keys[at] == keys) & (self._ticks[at] > tick - self.memory)

    def remember(self, keys: UInt64s, tick: int) -> None:
        """Remember keys as flagged in `tick`, and forget what is older than the memory."""
        alive = self._ticks > tick - self.memory
        if not len(keys) and alive.all():
            return
        merged = np.concatenate([keys, self._keys[alive]])
        ticks = np.concatenate([np.full(len(keys), tick, np.int64), self._ticks[alive]])
        self._keys, first = np.unique(merged, return_index=True)
        self._ticks = ticks[first]
        excess = len(self._keys) - CAPACITY
        if excess > 0:
            keep = np.sort(np.argsort(self._ticks, kind="stable")[excess:])
            self._keys, self._ticks = self._keys[keep], self._ticks[keep]
            self.forgotten += excess

    def forget(self, keys: UInt64s) -> None:
        """Forget keys, whether they were remembered or not."""
        if not len(self._keys) or not len(keys):
            return
        kept = ~np.isin(self._keys, keys)
        self._keys, self._ticks = self._keys[kept], self._ticks[kept]

    def state(self) -> State:
        """Return the memory as flat arrays."""
        return {"keys": self._keys.copy(), "ticks": self._ticks.copy(), "forgotten": np.array([self.forgotten])}

    def restore(self, state: State) -> None:
        """Take over the memory that `state` returned."""
        self._keys = state["keys"].astype(np.uint64)
        self._ticks = state["ticks"].astype(np.int64)
        self.forgotten = int(state["forgotten"][0])


class Memory:
    """What the sums of a tick need to know of the ticks before it.

    Parameters
    ----------
    ticks
        For how long sessions and traces are remembered.
    """

    def __init__(self, ticks: int) -> None:
        self.flagged: Final = FlaggedSessions(ticks)
        self.unsafe_traces: Final = FlaggedSessions(ticks)
        """Traces whose latest step was unsafe."""

    def state(self) -> State:
        """Return the memory as flat arrays."""
        return prefixed("flagged_", self.flagged.state()) | prefixed("traces_", self.unsafe_traces.state())

    def restore(self, state: State) -> None:
        """Take over the memory that `state` returned."""
        self.flagged.restore(under("flagged_", state))
        self.unsafe_traces.restore(under("traces_", state))
