"""What agents do: which steps, in which order, and how many in a trace.

A step is a tool by its name or any other step by its kind, and an order is a step with the one before it of the same
agent in the same trace, also across ticks. Both are counted as sessions, once a tick. A trace is over for an agent when
it has taken no step in it for a while; its steps count in the tick in which that is seen.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

import msgspec
import numpy as np

from schemas.quantities import AGENT_MIXES, AGENT_QUANTITIES
from schemas.windows import MAX_AGENTS, MOST_BEHAVING, OF_AGENT, OTHER, GroupSums
from streams.events.bins import bin_of
from streams.events.labels import SEPARATOR, STEP
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.watch.blocks import Block
from streams.watch.histograms import bounded

IDLE_SECONDS: Final = 600
"""How long after its latest step in a trace an agent has done with it."""

MOST_WALKS: Final = 20_000
"""Traces of agents of one partition that are open; beyond it those that were silent longest are over early."""

BEGINS: Final = "start"
THEN: Final = " → "

_STEPS, _ORDER = AGENT_MIXES
(_LENGTH,) = AGENT_QUANTITIES

Who = tuple[str, str]
"""Service and agent."""


class Walk(msgspec.Struct, array_like=True):
    """An agent in a trace: the tick of its latest step, which that was, and how many there were."""

    tick: int
    last: str = BEGINS
    steps: int = 0


class _Done:
    """What the agents of each service did in one tick."""

    def __init__(self) -> None:
        self._taken: dict[str, Counter[str]] = {}  # by service and agent, steps
        self._counts: dict[str, dict[tuple[str, str], Counter[str]]] = {}  # by service, mix or quantity, and agent
        self._seen: set[tuple[str, str, str, int]] = set()

    def step(self, who: Who, walk: Walk, step: str, session: int) -> None:
        """Count a step, and what came before it."""
        self._active(who)[who[1]] += 1
        for mix, name in ((_STEPS, step), (_ORDER, f"{walk.last}{THEN}{step}")):
            if (*who, name, session) not in self._seen:
                self._seen.add((*who, name, session))
                self._of(who, mix)[name] += 1

    def over(self, who: Who, steps: int) -> None:
        """Count a trace that is over."""
        self._active(who)[who[1]] += 0
        self._of(who, _LENGTH.name)[str(int(bin_of(np.array([float(steps)]), _LENGTH.scale)[0]))] += 1

    def _active(self, who: Who) -> Counter[str]:
        return self._taken.setdefault(who[0], Counter())

    def _of(self, who: Who, name: str) -> Counter[str]:
        return self._counts.setdefault(who[0], {}).setdefault((name, who[1]), Counter())

    def groups(self) -> list[GroupSums]:
        """Return a group for each service, in the order of their names."""
        ranked = sorted(self._taken, key=lambda service: (-self._taken[service].total(), service))
        return [self._group(service) for service in sorted(ranked[:MOST_BEHAVING])]

    def _group(self, service: str) -> GroupSums:
        taken, added = self._taken[service], dict[str, Counter[str]]()
        ranked = sorted(taken, key=lambda agent: (-taken[agent], agent))
        told = set(ranked[:MAX_AGENTS])
        for (name, agent), counts in self._counts[service].items():
            added.setdefault(f"{name}{OF_AGENT}{agent if agent in told else OTHER[1]}", Counter()).update(counts)
        lengths = {name for name in added if name.startswith(_LENGTH.name)}
        return GroupSums(
            tenant_id="",
            service_name=service,
            model_version="",
            events=0,
            quantities={name: dict(sorted(added[name].items())) for name in sorted(lengths)},
            mixes={name: bounded(added[name]) for name in sorted(added.keys() - lengths)},
        )

    def __bool__(self) -> bool:
        return bool(self._taken)


class Behaviour:
    """The agents of one partition, in the traces that are open: a function of the ticks that it has closed."""

    def __init__(self, tick_seconds: int) -> None:
        self._idle: Final = -(-IDLE_SECONDS // tick_seconds)
        self._walks: dict[tuple[int, str, str], Walk] = {}  # by trace, service and agent, silent longest first

    def groups(self, block: Block) -> Iterator[tuple[int, list[GroupSums]]]:
        """Yield the closed ticks in which agents did something, each with a group for each service."""
        if not len(block):
            return
        steps = _in_order(block)
        for index, tick in enumerate(block.ticks.tolist()):
            done = _Done()
            for trace, session, service, agent, step in steps.get(index, ()):
                self._take(done, tick, (trace, service, agent), step, session)
            self._end(done, tick)
            if done:
                yield tick, done.groups()

    def _take(self, done: _Done, tick: int, key: tuple[int, str, str], step: str, session: int) -> None:
        walk = self._walks.pop(key, None) or Walk(tick)
        self._walks[key] = walk
        done.step(key[1:], walk, step, session)
        walk.tick, walk.last, walk.steps = tick, step, walk.steps + 1

    def _end(self, done: _Done, tick: int) -> None:
        over = list(takewhile(lambda key: self._walks[key].tick <= tick - self._idle, self._walks))
        excess = len(self._walks) - len(over) - MOST_WALKS
        if excess > 0:
            over = list(self._walks)[: len(over) + excess]
        for key in over:
            done.over(key[1:], self._walks.pop(key).steps)

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"walks": encoded(list(self._walks.items()))}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        if state:
            self._walks = dict(decoded(state["walks"], list[tuple[tuple[int, str, str], Walk]]))


def _in_order(block: Block) -> dict[int, list[tuple[int, int, str, str, str]]]:
    """Return, by the index of their tick, steps in their order: trace, session, service, agent and step of each."""
    batch, labels = block.batch, block.batch.labels
    parts = [name.split(SEPARATOR, 2) for name in batch.label_names]
    ours = np.array([part[0] == STEP for part in parts], bool)
    if not ours.any():
        return {}
    chosen = np.flatnonzero(ours[labels.name])
    row, name = labels.row[chosen], labels.name[chosen].tolist()
    events, index = batch.events, block.index()[row]
    columns = (index, events.time[row], events.trace[row], events.session[row], events.group[row])
    found: dict[int, list[tuple[int, int, str, str, str]]] = {}
    rows = sorted(
        (at, time, trace, parts[code][1:], batch.groups[group][1], session)
        for at, time, trace, session, group, code in zip(*(column.tolist() for column in columns), name, strict=True)
    )
    for at, _, trace, (agent, step), service, session in rows:
        found.setdefault(at, []).append((trace, session, service, agent, step))
    return found
