"""What each service is known to run: the version of a call that does not say who answered it.

Learned from calls that were answered: which version answers when a model is asked for, and which answered last. A
tick's answers count for all of the tick, so that it makes no difference which came first. Who asked for a model that
has never answered stays `UNKNOWN_VERSION`: it counts in the service as a whole and in no series of its own.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from schemas.windows import UNKNOWN_VERSION, Group
from streams.events.versions import ASKED, ASKED_BESIDE, FIXED, SAID, SAID_BESIDE, UNKNOWN
from streams.findings.series import ticks_per_day
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.watch.blocks import Block
from streams.watch.prompts import variant_of

CAPACITY: Final = 5_000
"""Models of services that are remembered; beyond it those are forgotten that answered longest ago."""

Key = tuple[str, str, str]
"""Service, variant, and the model that was asked for; nothing for the one that answered last."""


class KnownVersions:
    """The versions that the services of one partition run: a function of the ticks that it has closed."""

    def __init__(self, tick_seconds: int) -> None:
        self._day: Final = int(ticks_per_day(tick_seconds))
        self._known: dict[Key, tuple[str, int]] = {}

    def resolved(self, block: Block) -> Block:
        """Return the closed ticks with each call under the version that answered it, as far as that is known."""
        batch, events = block.batch, block.batch.events
        if not len(block) or (events.sure == FIXED).all():
            return block
        groups, models = list(batch.groups), len(batch.models) + 1
        cells = (block.index() * (len(groups) or 1) + events.group) * models + events.asked + 1
        cells = cells * (FIXED + 1) + events.sure
        _, last, of = np.unique(cells[::-1], return_index=True, return_inverse=True)
        last = len(cells) - 1 - last  # the last row of each in the log
        order = np.lexsort((last, block.index()[last]))
        order = order[events.sure[last[order]] != FIXED]
        numbers = {group: number for number, group in enumerate(groups)}
        given = events.group[last].copy()
        for tick, group in _by_tick(block, last, order):
            for at, version in self._tick(tick, [self._asked(block, int(last[at]), at) for at in group]):
                old = groups[int(given[at])]
                new = (old[0], old[1], version, old[3])
                given[at] = numbers.setdefault(new, len(numbers))
        own = given[of[::-1]]
        return replace(block, batch=replace(batch, events=replace(events, group=own), groups=list(numbers)))

    def _asked(self, block: Block, row: int, at: int) -> "tuple[int, int, Group, str]":
        events = block.batch.events
        model = int(events.asked[row])
        name = block.batch.models[model] if model >= 0 else ""
        return at, int(events.sure[row]), block.batch.groups[int(events.group[row])], name

    def _tick(self, tick: int, calls: "list[tuple[int, int, Group, str]]") -> Iterable[tuple[int, str]]:
        """Learn what the answers of a tick say, and yield the version of the calls that say less."""
        for _, sure, group, asked in calls:
            if sure in (SAID, SAID_BESIDE):
                self._learn((group[1], variant_of(group), asked), group[2], tick, last=sure == SAID)
        for at, sure, group, asked in calls:
            if sure in (ASKED, ASKED_BESIDE):
                key, version = (group[1], variant_of(group), asked), group[2]
                found = self._known.get(key, (version, tick))[0] if asked else version
                self._learn(key, found, tick, last=sure == ASKED)
                yield at, found
        for at, sure, group, asked in calls:
            if sure == UNKNOWN:
                yield at, self._known.get((group[1], variant_of(group), asked), (UNKNOWN_VERSION, tick))[0]
        self._forget(tick)

    def _learn(self, key: Key, version: str, tick: int, *, last: bool) -> None:
        for name in dict.fromkeys((key[2], "") if last else (key[2],)):
            if name or last:
                self._known.pop((*key[:2], name), None)
                self._known[*key[:2], name] = version, tick

    def _forget(self, tick: int) -> None:
        if len(self._known) > CAPACITY:
            alive = [item for item in self._known.items() if item[1][1] > tick - self._day]
            self._known = dict(alive[-CAPACITY:])

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"known": encoded([(*key, *value) for key, value in self._known.items()])}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        if state:
            rows = decoded(state["known"], list[tuple[str, str, str, str, int]])
            self._known = {
                (service, variant, asked): (version, tick) for service, variant, asked, version, tick in rows
            }


def _by_tick(block: Block, last: "np.ndarray", order: "np.ndarray") -> Iterable[tuple[int, list[int]]]:
    """Yield the ticks with the cells of each, in the order of the log."""
    index = block.index()[last[order]]
    edges = np.searchsorted(index, np.arange(len(block) + 1)).tolist()
    for number, tick in enumerate(block.ticks.tolist()):
        if edges[number] < edges[number + 1]:
            yield tick, order[edges[number] : edges[number + 1]].tolist()
