"""Agent traces as single things: what each came to when it was over.

A trace is over when nothing has come for the memory's time. Only traces with a tool step are kept: a call by itself
is an event like any other.
"""

from typing import Final

import msgspec
import numpy as np

from streams.events.flags import BIT
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.watch.cascades import UNSAFE
from streams.watch.ticks import EventColumns

CAPACITY: Final = 20_000
"""Open traces of a partition; beyond it the ones that were silent longest are closed early."""

FEATURES: Final = ("steps", "tool_steps", "unsafe_steps", "tokens", "seconds")

_TOOL = BIT["denied_tool"]


class Trace(msgspec.Struct):
    """An open trace."""

    service: str
    event_id: str
    first: int
    last: int
    tick: int
    steps: int = 0
    tool_steps: int = 0
    unsafe_steps: int = 0
    tokens: float = 0.0

    def features(self) -> list[float]:
        """Return what tells this trace from others, on a logarithmic scale."""
        seconds = (self.last - self.first) / 1e9
        return np.log1p([self.steps, self.tool_steps, self.unsafe_steps, self.tokens, seconds]).tolist()


class OpenTraces:
    """The traces of one partition that are not over yet.

    Parameters
    ----------
    idle_ticks
        Ticks without an event after which a trace is over.
    """

    def __init__(self, idle_ticks: int) -> None:
        self._idle: Final = idle_ticks
        self._open: dict[int, Trace] = {}

    def add(self, tick: int, columns: EventColumns, services: list[str], event_ids: list[str]) -> list[Trace]:
        """Take the events of a tick, and return the traces that are over by then.

        Parameters
        ----------
        tick
            Its number; ticks must come in order.
        columns
            The events, in log order.
        services, event_ids
            The service and id of each.
        """
        steps = (columns.trials & _TOOL > 0) & (columns.call == 0)
        of_agents = np.isin(columns.trace, columns.trace[steps]) | np.isin(
            columns.trace, np.fromiter(self._open, np.uint64, len(self._open))
        )
        tokens = np.nan_to_num(columns.measures[:, 2] + columns.measures[:, 3])
        unsafe = (columns.flagged & UNSAFE) > 0
        for at in np.flatnonzero(of_agents).tolist():
            key, time = int(columns.trace[at]), int(columns.time[at])
            trace = self._open.get(key)
            if trace is None:
                self._open[key] = trace = Trace(services[at], event_ids[at], time, time, tick)
            trace.first, trace.last, trace.tick = min(trace.first, time), max(trace.last, time), tick
            trace.steps += 1
            trace.tool_steps += bool(steps[at])
            trace.unsafe_steps += bool(unsafe[at])
            trace.tokens += float(tokens[at])
        return self._over(tick)

    def _over(self, tick: int) -> list[Trace]:
        over = [key for key, trace in self._open.items() if trace.tick <= tick - self._idle]
        excess = len(self._open) - len(over) - CAPACITY
        if excess > 0:
            oldest = sorted(self._open, key=lambda key: (self._open[key].tick, key))
            over = oldest[: len(over) + excess]
        return [self._open.pop(key) for key in sorted(over)]

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"traces": encoded(self._open)}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._open = decoded(state["traces"], dict[int, Trace])
