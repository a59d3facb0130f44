"""Rules that hold along a trace: text of strangers and what it may steer, and how far an agent may run."""

from collections.abc import Iterator
from typing import Any, Final

from detectors.columns import prefixed, under
from schemas.findings import Finding
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy
from streams.watch.blocks import Block
from streams.watch.single.acts import Act
from streams.watch.single.runaway import Runaway
from streams.watch.single.strangers import Strangers


class AlongTraces:
    """What breaks rules along the traces of one partition: a function of the ticks that are closed.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    policy
        The rules of each service and agent.
    """

    def __init__(self, tick_seconds: int, policy: Policy) -> None:
        self._policy: Final = policy
        self._strangers: Final = Strangers(tick_seconds)
        self._runaway: Final = Runaway(tick_seconds)

    def judge(self, block: Block) -> list[Finding]:
        """Take the events of closed ticks; return the steps that break a rule along their trace."""
        found = []
        for tick, trace, time, act in _in_order(block):
            rules = self._policy.tools(act.event["service_name"], act.event.get("agent_name"))
            rules = rules if act.step is None else rules.at(act.step)
            found += [self._strangers.seen(rules, act, tick, trace, time), self._runaway.seen(rules, act, tick, trace)]
        return [each for each in found if each is not None]

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            **prefixed("strangers_", self._strangers.state()),
            **prefixed("runaway_", self._runaway.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        self._strangers.restore(under("strangers_", state))
        self._runaway.restore(under("runaway_", state))


def _in_order(block: Block) -> Iterator[tuple[int, int, int, Act]]:
    """Yield tick, trace, time and act: by tick and time, and of one time what brings text first."""
    acts, events = block.batch.acts, block.batch.events
    if not len(acts.row):
        return
    ticks, time = block.ticks[block.index()[acts.row]].tolist(), events.time[acts.row].tolist()
    traces = events.trace[acts.row].tolist()

    def place(at: int) -> tuple[Any, ...]:
        act = acts.act[at]
        return ticks[at], time[at], act.step is not None, act.event["source"], act.event["event_id"]

    for at in sorted(range(len(ticks)), key=place):
        yield ticks[at], traces[at], time[at], acts.act[at]
