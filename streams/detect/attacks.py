"""Flagged inputs that are alike: an attack that is tried again and again with another payload.

Few inputs are flagged, and most of these resemble nothing. So it takes few that do, among as few, for somebody to look:
four of the latest sixty. Inputs that guards let pass are not in it, however often they come.
"""

from collections.abc import Sequence
from typing import Final

from detectors.columns import prefixed, under
from detectors.events.patterns import PatternFinder
from schemas.findings import Finding
from schemas.signals import read_vectors
from streams.detect.members import Latest, Members, Seen, new_pattern
from streams.detect.watcher import Tick, TickSums
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy

NEED: Final = 4
AMONG: Final = 60
"""Flagged inputs that are alike, and the latest of all services among which they must be."""


class AttackWatch:
    """The flagged inputs of all services of one partition of the windows together."""

    def __init__(self, tick_seconds: int, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._off: Final = policy.detectors.patterns == "off"
        self._finder: Final = PatternFinder(need=NEED, ttl=AMONG, warm_up=0)
        self._latest: Final = Latest(AMONG)

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return the patterns that each tick shows to be an attack; each is told once."""
        return [[] if self._off else self._judge(*tick) for tick in ticks]

    def _judge(self, tick: int, sums: TickSums) -> list[Finding]:
        seen = [Seen(tick, group.service_name, sample) for group in sums for sample in group.samples if sample.flagged]
        if not seen:
            return []
        readable, vectors = read_vectors([each.sample.vector for each in seen])
        found = self._finder.assign(vectors).new
        self._latest.add((seen[row] for row in readable.tolist()), vectors)
        return [self._finding(pattern.number, tick) for pattern in found]

    def _finding(self, number: int, tick: int) -> Finding:
        chosen = self._latest.alike(self._finder.centroid(number))
        members = Members(number, chosen[0].tick, tick)
        for seen in chosen:
            members.add(seen)
        return new_pattern(members, tick, self._tick_seconds, "attack", "ticket")

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"latest": self._latest.state(), **prefixed("finder_", self._finder.state())}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._latest.restore(state["latest"])
        self._finder.restore(under("finder_", state))
