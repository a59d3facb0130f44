"""Which names a partition tells apart: every source and every service has its share, and none can take another's.

A name that is known keeps its place as long as it is used. A new one is taken in while its owner has fewer than are
free: one owner alone can fill half of all places, two a third each, and there is always room for somebody new. What
finds no place is counted together: the tenants and versions of a service as that service's ``~other``, so that the
service as a whole stays exact; the services of a source as ``~other of`` that source.
"""

from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np

from detectors.columns import prefixed, under
from schemas.identity import joined
from schemas.windows import OTHER, OTHER_OF, Group
from streams.findings.series import ticks_per_day
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.watch.blocks import Block

MOST_SERVICES: Final = 1_000
MOST_GROUPS: Final = 1_500
MOST_SOURCES: Final = 200
"""Sources with an ``~other`` of their own."""

SWEEPS_A_DAY: Final = 24


class Shares:
    """Names with their owners, at most so many; unused ones are forgotten after a day of event time."""

    def __init__(self, most: int) -> None:
        self._most: Final = most
        self._names: dict[str, tuple[str, int]] = {}
        self._owned: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._names)

    def admit(self, name: str, owner: str, tick: int) -> bool:
        """Tell whether a name has a place, a new one where its owner may have another."""
        known = self._names.get(name)
        if known is None:
            if self._owned[owner] >= self._most - len(self._names):
                return False
            known = (owner, tick)
            self._owned[owner] += 1
        self._names[name] = known[0], tick
        return True

    def forget(self, before: int) -> None:
        """Free the places of names that were not used since a tick."""
        self._names = {name: known for name, known in self._names.items() if known[1] >= before}
        self._owned = Counter(owner for owner, _ in self._names.values())

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"names": encoded(self._names)}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._names = decoded(state["names"], dict[str, tuple[str, int]])
        self.forget(-(2**63))


class Names:
    """The names of one partition: a function of the ticks that it has closed."""

    def __init__(self, tick_seconds: int) -> None:
        self._day: Final = int(ticks_per_day(tick_seconds))
        self._shares: Final = {
            "services": Shares(MOST_SERVICES),
            "groups": Shares(MOST_GROUPS),
            "sources": Shares(MOST_SOURCES),
        }
        self._swept = -1
        self.overflow = 0

    def admitted(self, block: Block) -> Block:
        """Return the closed ticks with their events under the names that they are to be counted by.

        What comes first in the log is asked for first, however it was batched.
        """
        batch, events = block.batch, block.batch.events
        groups = list(batch.groups)
        cells, first, cell = np.unique(
            block.index() * len(groups) + events.group, return_index=True, return_inverse=True
        )
        order = np.argsort(first, kind="stable")
        code, source = events.group[first], events.source[first]
        tick = block.ticks[cells // max(len(groups), 1)]
        numbers, given = {group: number for number, group in enumerate(groups)}, code.copy()
        for at, number, origin, now in zip(
            *(of[order].tolist() for of in (np.arange(len(order)), code, source, tick)), strict=True
        ):
            name = self._asked(now, groups[number], batch.sources[origin])
            if name != groups[number]:
                given[at] = numbers.setdefault(name, len(numbers))
        renamed = replace(batch, events=replace(events, group=given[cell]), groups=list(numbers))
        return replace(block, batch=renamed)

    def _asked(self, tick: int, group: Group, source: str) -> Group:
        if tick - self._swept >= self._day // SWEEPS_A_DAY:
            for shares in self._shares.values():
                shares.forget(tick - self._day)
            self._swept = tick
        return self._name(tick, group, source)

    def _name(self, tick: int, group: Group, source: str) -> Group:
        service = group[1]
        if not self._shares["services"].admit(service, source, tick):
            self.overflow += 1
            told = self._shares["sources"].admit(source, source, tick)
            return (OTHER[0], f"{OTHER_OF}{source}"[:256] if told else OTHER[1], OTHER[2], "")
        if not self._shares["groups"].admit(joined(*group), service, tick):
            self.overflow += 1
            return (OTHER[0], service, OTHER[2], group[3])
        return group

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        names = (prefixed(f"{name}_", shares.state()).items() for name, shares in self._shares.items())
        return {"swept": np.array([self._swept]), **dict(chain.from_iterable(names))}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        if state:
            self._swept = int(state["swept"][0])
            for name, shares in self._shares.items():
                shares.restore(under(f"{name}_", state))
