"""Text of strangers that comes into a trace, and the steps that it may have steered there.

What came in is remembered by trace for an hour after its latest step; within a tick events follow each other by their
times. So what is found is a function of the ticks that are closed, and a successor goes on from the checkpoint.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schemas.findings import Finding
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.policy.policy import Policy
from streams.policy.tools import ToolRules, breach_after_strangers, brings_strangers
from streams.watch.blocks import Block
from streams.watch.single.acts import Act
from streams.watch.single.tools import breach_finding

REMEMBERED_SECONDS: Final = 3_600
MOST_TRACES: Final = 20_000
"""Traces of a partition; beyond it those are forgotten in which nothing came for longest."""

MOST_TEXTS: Final = 3
"""Of a trace, the first of them; more would only make the path longer."""


class Tainted(msgspec.Struct, array_like=True):
    """A trace with text of strangers: since when, by which names, in which tick it was met last, and what was told."""

    since: int
    tick: int
    texts: list[str] = []
    told: list[str] = []


class StrangersWatch:
    """The traces of one partition into which text of strangers came.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    policy
        Says what is text of strangers, and what it may not steer.
    """

    def __init__(self, tick_seconds: int, policy: Policy) -> None:
        self._remembered: Final = -(-REMEMBERED_SECONDS // tick_seconds)
        self._policy: Final = policy
        self._traces: dict[int, Tainted] = {}  # by trace, those that were met longest ago first

    def judge(self, block: Block) -> list[Finding]:
        """Take the events of closed ticks; return the steps that text of strangers may not have steered."""
        found = []
        for tick, trace, time, act in _in_order(block):
            self._forget(tick)
            event = act.event
            rules = self._policy.tools(event["service_name"], event.get("agent_name"))
            rules = rules if act.step is None else rules.at(act.step)
            known = self._traces.pop(trace, None)
            came = list(_texts(rules, act))
            if known is None and not came:
                continue
            known = known or Tainted(time, tick)
            self._traces[trace] = known
            known.since, known.tick = min(known.since, time) if came else known.since, tick
            if known.since <= time and (steered := _steered(rules, act, known)) is not None:
                found.append(steered)
            known.texts = [*known.texts, *(name for name in came if name not in known.texts)][:MOST_TEXTS]
        return found

    def _forget(self, tick: int) -> None:
        while self._traces:
            trace, oldest = next(iter(self._traces.items()))
            if len(self._traces) <= MOST_TRACES and oldest.tick > tick - self._remembered:
                return
            del self._traces[trace]

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"traces": encoded(list(self._traces.items()))}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        if state:
            self._traces = dict(decoded(state["traces"], list[tuple[int, Tainted]]))


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


def _steered(rules: ToolRules, act: Act, known: Tainted) -> Finding | None:
    """Return the finding of a step that text before it, or in it, may not have steered, told once a trace."""
    if act.step is None or rules.level == "off":
        return None
    before = known.texts or [name for _, name in act.texts][:MOST_TEXTS]  # what it gives back steers what follows
    broken = breach_after_strangers(rules, act.step) if before else None
    if broken is None or broken.category in known.told:
        return None
    known.told = [*known.told, broken.category]
    return breach_finding(("strangers",), act.event, rules, [broken], [*before, act.step.tool, act.step.host])


def _texts(rules: ToolRules, act: Act) -> Iterator[str]:
    """Yield the names of text of strangers that an event brings into its trace."""
    for trust, name in act.texts:
        if not trust:
            yield name
        elif trust not in rules.vetted:
            yield f"document {name} (trust: {trust})"
    if act.step is not None and brings_strangers(rules, act.step):
        yield f"result of {act.step.tool}"
