"""Verdicts that travel alone find the events that they judged, whichever comes first.

In a service of which such verdicts come, events are remembered by their keys for an hour; a verdict whose event has not
come waits ten minutes for it. What it found counts under the group and session of that event: in the event's own tick
where both are there when it closes, else in the tick in which they meet, since windows that are out never change. One
that never meets its event is an *orphan*: its flags count in the service as a whole, and it is counted as one.
"""

from dataclasses import replace
from typing import Final

import msgspec
import numpy as np

from schemas.windows import Group
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.watch.batches import VERDICT
from streams.watch.blocks import Block, Met

REMEMBERED_SECONDS: Final = 3_600
WAIT_SECONDS: Final = 600
APART_SECONDS: Final = 86_400
"""How long after its last verdict a service is taken for one whose verdicts travel alone."""

MOST_REMEMBERED: Final = 100_000
"""Keys of a partition; beyond it the oldest are forgotten."""

MOST_WAITING: Final = 10_000
"""Verdicts of a partition; beyond it the oldest are orphans."""


class Pending(msgspec.Struct, array_like=True, frozen=True):
    """A verdict whose event has not come."""

    tick: int
    keys: tuple[int, ...]
    group: Group
    session: int
    trials: int
    flagged: int


class Verdicts:
    """The verdicts of one partition: a function of the ticks that it has closed."""

    def __init__(self, tick_seconds: int) -> None:
        self._remembered: Final = -(-REMEMBERED_SECONDS // tick_seconds)
        self._wait: Final = -(-WAIT_SECONDS // tick_seconds)
        self._apart_for: Final = -(-APART_SECONDS // tick_seconds)
        self._apart: dict[str, int] = {}  # by service, the tick of its latest verdict
        self._seen: dict[int, tuple[int, Group, int]] = {}  # by key, session, group and tick of an event
        self._waiting: list[Pending] = []

    def met(self, block: Block) -> Block:
        """Return the closed ticks with what verdicts found in them."""
        events = block.batch.events
        alone = events.role == VERDICT
        if not (alone.any() or self._apart or self._waiting):
            return block
        groups = list(block.batch.groups)
        numbers = {group: number for number, group in enumerate(groups)}
        found: list[tuple[int, int, int, int, int, bool]] = []
        edges = block.starts.tolist()
        for index, tick in enumerate(block.ticks.tolist()):
            rows = np.arange(edges[index], edges[index + 1])
            verdicts = self._taken(block, rows[alone[rows]], tick)
            self._see(block, rows[~alone[rows]], tick)
            for pending, event in self._settled([*self._waiting, *verdicts], tick):
                group, session = (pending.group, pending.session) if event is None else (event[1], event[0])
                number = numbers.setdefault(group, len(numbers))
                found.append((index, number, session, pending.trials, pending.flagged, event is None))
        return replace(block, batch=replace(block.batch, groups=list(numbers)), met=Met.of(found))

    def _taken(self, block: Block, rows: "np.ndarray", tick: int) -> list[Pending]:
        """Return the verdicts of a tick, and note whose they are."""
        events, groups = block.batch.events, block.batch.groups
        taken = []
        for row in rows.tolist():
            group = groups[int(events.group[row])]
            self._apart[group[1]] = tick
            keys = tuple(key for key in events.keys[row].tolist() if key)
            numbers = int(events.session[row]), int(events.trials[row]), int(events.flagged[row])
            taken.append(Pending(tick, keys, group, *numbers))
        return taken

    def _see(self, block: Block, rows: "np.ndarray", tick: int) -> None:
        """Remember the events of services whose verdicts travel alone."""
        events, groups = block.batch.events, block.batch.groups
        self._apart = {name: last for name, last in self._apart.items() if last > tick - self._apart_for}
        ours = np.array([group[1] in self._apart for group in groups], bool)
        rows = rows[ours[events.group[rows]]]
        for group, session, keys in zip(
            events.group[rows].tolist(), events.session[rows].tolist(), events.keys[rows].tolist(), strict=True
        ):
            for key in filter(None, keys):
                self._seen.pop(key, None)
                self._seen[key] = session, groups[group], tick
        while self._seen and (len(self._seen) > MOST_REMEMBERED or self._oldest() <= tick - self._remembered):
            del self._seen[next(iter(self._seen))]

    def _oldest(self) -> int:
        return next(iter(self._seen.values()))[2]

    def _settled(self, verdicts: list[Pending], tick: int) -> "list[tuple[Pending, tuple[int, Group, int] | None]]":
        """Return the verdicts that are waited for no longer, each with its event or nothing; the others wait."""
        settled, waiting = [], []
        for pending in verdicts:
            event = next((self._seen[key] for key in pending.keys if key in self._seen), None)
            if event is None and pending.keys and pending.tick > tick - self._wait:
                waiting.append(pending)
            else:
                settled.append((pending, event))
        excess = max(len(waiting) - MOST_WAITING, 0)
        self._waiting = waiting[excess:]
        return settled + [(pending, None) for pending in waiting[:excess]]

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        groups: dict[Group, int] = {}
        seen = [(key, session, groups.setdefault(group, len(groups)), tick)
                for key, (session, group, tick) in self._seen.items()]  # fmt: skip
        return {
            "apart": encoded(self._apart),
            "waiting": encoded(self._waiting),
            "groups": encoded(list(groups)),
            "keys": np.array([row[:2] for row in seen], np.uint64).reshape(-1, 2),
            "places": np.array([row[2:] for row in seen], np.int64).reshape(-1, 2),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        if not state:
            return
        self._apart = decoded(state["apart"], dict[str, int])
        self._waiting = decoded(state["waiting"], list[Pending])
        groups = decoded(state["groups"], list[Group])
        self._seen = {
            key: (session, groups[group], tick)
            for (key, session), (group, tick) in zip(state["keys"].tolist(), state["places"].tolist(), strict=True)
        }
