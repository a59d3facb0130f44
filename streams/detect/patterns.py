"""Inputs that are alike and were not there before: clusters of text vectors, each then watched as a rate."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

import numpy as np

from detectors.base import Alarm, Recovery
from detectors.budget import threshold
from detectors.columns import prefixed, under
from detectors.events.patterns import NewPattern, PatternFinder
from detectors.rates.detector import RateDetector
from detectors.rates.watch import TickSums
from schemas.findings import Finding
from schemas.signals import read_vectors
from streams.detect.members import Latest, Members, Seen, about, new_pattern
from streams.detect.watcher import Tick
from streams.findings.episodes import Episodes
from streams.findings.finding import counted
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.policy.policy import Policy

USUAL_SHARE: Final = 0.002
"""Share of the samples that a cluster may make up before it is more than new."""

WARM_UP: Final = 5_000
"""Samples in which clusters are learned in silence; what they then make up is what is usual."""

TTL: Final = 4_000
"""Samples in which the members of a pattern must come."""

FOLLOWED: Final = 512
"""Clusters whose rate is watched; the ones seen longest ago are given up first."""

TOGETHER: Final = 64
"""Ticks that are judged at once."""


class _Step:
    """A tick with samples: their clusters, and which of these are new."""

    __slots__ = ("chosen", "counts", "labels", "new", "number", "tick")

    def __init__(self, number: int, tick: int, chosen: list[Seen], labels: list[int], new: list[NewPattern]) -> None:
        self.number, self.tick, self.chosen, self.labels, self.new = number, tick, chosen, labels, new
        self.counts: Final = Counter(label for label in labels if label >= 0)


class PatternWatch:
    """The patterns of all services of one partition of the windows together: an attack knows no service."""

    def __init__(self, tick_seconds: int, share: float, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._off: Final = policy.detectors.patterns == "off"
        self._tickets: Final = policy.budget.tickets_per_day * share
        self.finder: Final = PatternFinder(ttl=TTL, warm_up=WARM_UP)
        self.rates: Final = RateDetector(tick_seconds)
        self._members: dict[int, Members] = {}  # by number of the cluster
        self._rows: dict[int, int] = {}  # by number of the cluster, where it is in `rates`, in that order
        self._latest: Final = Latest(TTL)
        self._new: set[int] = set()  # clusters that were not there when the finder had warmed up
        self._episodes: Final = Episodes("pattern", tick_seconds)  # of a cluster's number

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return the patterns that each tick shows to be new, or to come more often."""
        found: list[list[Finding]] = [[] for _ in ticks]
        calm: list[_Step] = []
        for step in [] if self._off else self._steps(ticks):
            is_new = bool(step.new) or any(map(self._is_to_be_followed, step.counts))
            if is_new or len(calm) == TOGETHER:
                self._judge_calm(calm, found)
                calm = []
            if is_new:
                found[step.number] = self._judge_new(step)
            else:
                calm.append(step)
        self._judge_calm(calm, found)
        return found

    def _steps(self, ticks: Sequence[Tick]) -> Iterator["_Step"]:
        """Give the samples of each tick that has some their clusters, one tick when the one before is dealt with."""
        samples = [
            (number, Seen(tick, group.service_name, sample))
            for number, (tick, sums) in enumerate(ticks)
            for group in sums
            for sample in group.samples
        ]
        readable, vectors = read_vectors([seen.sample.vector for _, seen in samples])
        units = self.finder.units(vectors)
        of_tick = [samples[row][0] for row in readable.tolist()]
        for number, run in groupby(range(len(of_tick)), of_tick.__getitem__):
            rows = [*run]
            chosen = [samples[readable[row]][1] for row in rows]
            assigned = self.finder.assign_units(units[rows[0] : rows[-1] + 1])
            self._latest.add(chosen, vectors[rows[0] : rows[-1] + 1])
            yield _Step(number, ticks[number][0], chosen, assigned.labels.tolist(), assigned.new)

    def _judge_new(self, step: "_Step") -> list[Finding]:
        """Judge a tick that has a pattern or a rate that was not there before it."""
        for pattern in step.new:
            self._gather(pattern.number)
        self._take(step)
        self._new |= {pattern.number for pattern in step.new}
        found = [
            new_pattern(self._member(pattern.number, step.tick), step.tick, self._tick_seconds, "new", "info")
            for pattern in step.new
        ]
        self._grow(step.counts)
        changed = self._rates([step]).get(step.tick, [])
        return [*found, *(self._rate_finding(item) for item in changed)]

    def _judge_calm(self, steps: list["_Step"], found: list[list[Finding]]) -> None:
        """Judge ticks whose clusters are all known, with the members that a cluster had by then."""
        changed = self._rates(steps)
        for step in steps:
            self._take(step)
            found[step.number] = [self._rate_finding(item) for item in changed.get(step.tick, [])]

    def _take(self, step: "_Step") -> None:
        new = {pattern.number for pattern in step.new}
        for label, seen in zip(step.labels, step.chosen, strict=True):
            if label >= 0 and label not in new:
                self._member(label, step.tick).add(seen)

    def _gather(self, number: int) -> None:
        """Find the members that made a cluster new among the latest samples: until now they were unknown."""
        members = self._latest.alike(self.finder.centroid(number))
        for seen in members:
            self._member(number, members[0].tick).add(seen)

    def _member(self, label: int, tick: int) -> Members:
        members = self._members
        if label not in members:
            members[label] = Members(label, tick, tick)
            if len(members) > FOLLOWED:
                del members[min(members, key=lambda number: members[number].last_tick)]
        return members[label]

    def _is_to_be_followed(self, label: int) -> bool:
        return label not in self._rows and len(self._rows) < FOLLOWED and self.finder.events > WARM_UP

    def _grow(self, counts: dict[int, int]) -> None:
        """Follow the share of clusters that are met for the first time, while there is room."""
        rows = self._rows
        for label in sorted(counts):
            if self._is_to_be_followed(label):
                rows[label] = len(self.rates)
                usual = 0.0 if label in self._new else self._members[label].size / self.finder.events
                self.rates.grow(np.array([np.clip(usual, USUAL_SHARE, 0.5)]))

    def _rates(self, steps: list["_Step"]) -> dict[int, list[Alarm | Recovery]]:
        """Test the share of each cluster that is followed, and return what changed in which tick."""
        rows, wide = self._rows, len(self._rows)
        if not rows or not steps:
            return {}
        flagged = np.zeros((len(steps), wide))
        for at, step in enumerate(steps):
            for label, count in step.counts.items():
                if label in rows:
                    flagged[at, rows[label]] = count
        promise = threshold(wide, 86_400 / self._tick_seconds, self._tickets)
        sums = TickSums(
            np.array([step.tick for step in steps], np.int64),
            np.arange(len(steps) + 1) * wide,
            np.tile(np.arange(wide), len(steps)),
            np.repeat([float(len(step.chosen)) for step in steps], wide),
            flagged.ravel(),
            np.full(flagged.size, promise),
        )
        found = self.rates.update_ticks(sums)
        changed: dict[int, list[Alarm | Recovery]] = {}
        items: list[Alarm | Recovery] = [*found.alarms, *found.recoveries]
        for item in items:
            changed.setdefault(item.tick, []).append(item)
        return changed

    def _rate_finding(self, found: Alarm | Recovery) -> Finding:
        label = [*self._rows][found.series]
        members = self._members.get(label) or Members(label, found.tick, found.tick)
        name = (str(label),)
        if isinstance(found, Recovery):
            said = about(members, found.tick, self._tick_seconds, "over")
            return self._episodes.end(name, found.tick, members.first_tick, direction="down", **said)
        return self._episodes.open(
            name,
            found.tick,
            found.onset_tick,
            kind="pattern",
            direction="up",
            e_value=found.e_value,
            promise=found.promise,
            **counted(found),
            **about(members, found.tick, self._tick_seconds, "growing"),
        )

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            "members": encoded(list(self._members.values())),
            "latest": self._latest.state(),
            "new": np.array(sorted(self._new), np.int64),
            "rows": np.array(sorted(self._rows.items()), np.int64).reshape(-1, 2),
            **prefixed("episodes_", self._episodes.state()),
            **prefixed("finder_", self.finder.state()),
            **prefixed("rates_", self.rates.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._members = {each.number: each for each in decoded(state["members"], list[Members])}
        self._latest.restore(state["latest"])
        self._new = set(state["new"].tolist())
        self._rows = {int(label): int(row) for label, row in sorted(state["rows"].tolist(), key=itemgetter(1))}
        self._episodes.restore(under("episodes_", state))
        self.finder.restore(under("finder_", state))
        self.rates.restore(under("rates_", state))
