"""Agent traces as single things: what each came to when it was over.

A trace is over when nothing has come for the memory's time. Only traces with a tool step are kept: a call by itself
is an event like any other.
"""

import itertools
from collections.abc import Container
from typing import Final

import msgspec
import numpy as np

from streams.events.flags import BIT
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.watch.batches import Batch, Int64s
from streams.watch.blocks import Block
from streams.watch.cascades import UNSAFE

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
    """The traces of one partition that are not over yet, those that were silent longest first.

    Parameters
    ----------
    idle_ticks
        Ticks without an event after which a trace is over.
    """

    def __init__(self, idle_ticks: int) -> None:
        self._idle: Final = idle_ticks
        self._open: dict[int, Trace] = {}

    def add(self, block: Block) -> list[tuple[int, Trace]]:
        """Take the events of closed ticks; return the traces that are over by them, with the index of the tick."""
        steps = _Steps(block.batch)
        candidates = steps.of_agents(self._open)
        edges = np.searchsorted(candidates, block.starts).tolist()
        rows, over = candidates.tolist(), []
        for index, tick in enumerate(block.ticks.tolist()):
            own = rows[edges[index] : edges[index + 1]]
            if own:
                self._take(tick, own, steps)
            over += [(index, trace) for trace in self._over(tick)]
        return over

    def _take(self, tick: int, rows: list[int], steps: "_Steps") -> None:
        acting = {steps.key[at] for at in rows if steps.tool[at]}
        for at in rows:
            key, time = steps.key[at], steps.time[at]
            trace = self._open.pop(key, None)
            if trace is None:
                if key not in acting:
                    continue
                trace = Trace(steps.service(at), steps.event_id(at), time, time, tick)
            self._open[key] = trace
            trace.first, trace.last, trace.tick = min(trace.first, time), max(trace.last, time), tick
            trace.steps += 1
            trace.tool_steps += steps.tool[at]
            trace.unsafe_steps += steps.unsafe[at]
            trace.tokens += steps.tokens[at]

    def _over(self, tick: int) -> list[Trace]:
        over = list(itertools.takewhile(lambda key: self._open[key].tick <= tick - self._idle, self._open))
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
        found = decoded(state["traces"], dict[int, Trace])
        self._open = dict(sorted(found.items(), key=lambda item: item[1].tick))


class _Steps:
    """The events of some ticks as plain values."""

    def __init__(self, batch: Batch) -> None:
        events = batch.events
        tool = (events.trials & _TOOL > 0) & (events.call == 0)
        self._batch, self._tool, self._trace = batch, tool, events.trace
        self.key: list[int] = events.trace.tolist()
        self.time: list[int] = events.time.tolist()
        self.tool: list[bool] = tool.tolist()
        self.unsafe: list[bool] = ((events.flagged & UNSAFE) > 0).tolist()
        self.tokens: list[float] = np.nan_to_num(events.measures[:, 2] + events.measures[:, 3]).tolist()

    def of_agents(self, known: Container[int]) -> Int64s:
        """Return the rows whose trace has a tool step among them or is known."""
        ours = np.fromiter((key in known for key in self.key), bool, len(self.key))
        return np.flatnonzero(ours | np.isin(self._trace, self._trace[self._tool]))

    def service(self, at: int) -> str:
        return self._batch.groups[int(self._batch.events.group[at])][1]

    def event_id(self, at: int) -> str:
        return str(self._batch.shown.event_id[at].as_py())
