"""Flagged inputs that are alike: an attack that is tried again and again with another payload.

Few inputs are flagged, and most of these resemble nothing. So it takes few that do, among as few, for somebody to look:
four of the latest sixty. Inputs that guards let pass are not in it, however often they come.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from detectors.columns import prefixed, under
from detectors.events.patterns import JOIN, NewPattern, PatternFinder, Vectors
from schemas.findings import Finding
from schemas.signals import read_vectors
from streams.detect.members import Members, Seen, about
from streams.detect.watcher import Tick, TickSums
from streams.findings.finding import WHOLE, end_of, finding, start_of
from streams.kafka.checkpoints import Arrays, decoded, encoded
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
        self._latest: deque[Seen] = deque(maxlen=AMONG)
        self._vectors: deque[Vectors] = deque(maxlen=AMONG)  # of the latest

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return the patterns that each tick shows to be an attack; each is told once."""
        return [[] if self._off else self._judge(*tick) for tick in ticks]

    def _judge(self, tick: int, sums: TickSums) -> list[Finding]:
        seen = [Seen(tick, group.service_name, sample) for group in sums for sample in group.samples if sample.flagged]
        if not seen:
            return []
        readable, vectors = read_vectors([each.sample.vector for each in seen])
        units = self._finder.units(vectors)
        found = self._finder.assign_units(units).new
        self._latest.extend(seen[row] for row in readable.tolist())
        self._vectors.extend(units)
        return [self._finding(pattern, tick) for pattern in found]

    def _finding(self, pattern: NewPattern, tick: int) -> Finding:
        alike = np.array(self._vectors) @ self._finder.centroid(pattern.number) >= JOIN
        chosen = [seen for seen, is_member in zip(self._latest, alike.tolist(), strict=True) if is_member]
        members = Members(pattern.number, chosen[0].tick, tick)
        for seen in chosen:
            members.add(seen)
        return finding(
            ("pattern", "attack", pattern.number, members.first_tick),
            end_of(tick, self._tick_seconds),
            kind="pattern",
            severity="ticket",
            tenant_id=WHOLE,
            model_version=WHOLE,
            direction="up",
            onset_time_unix_nano=start_of(members.first_tick, self._tick_seconds),
            **about(members, tick, self._tick_seconds, "attack"),
        )

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"latest": encoded([*self._latest]), **prefixed("finder_", self._finder.state())}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._latest = deque(decoded(state["latest"], list[Seen]), maxlen=AMONG)
        vectors = read_vectors([seen.sample.vector for seen in self._latest])[1]
        self._vectors = deque(self._finder.units(vectors) if len(vectors) else vectors, maxlen=AMONG)
        self._finder.restore(under("finder_", state))
