"""Inputs that are alike and were not there before: clusters of text vectors, each then watched as a rate."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec
import numpy as np

from detectors.base import Alarm, Recovery
from detectors.budget import threshold
from detectors.columns import prefixed, under
from detectors.events.patterns import JOIN, NewPattern, PatternFinder, Vectors
from detectors.rates.detector import RateDetector
from schemas.findings import Finding
from schemas.signals import read_vectors
from schemas.sql import literal
from schemas.windows import Sample
from streams.detect.watcher import Tick, TickSums
from streams.findings.episodes import Episodes
from streams.findings.evidence import moment
from streams.findings.finding import WHOLE, counted, end_of, finding, start_of
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

SHOWN: Final = 10
MOST_USERS: Final = 200


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A sample, and where and when it was seen."""

    tick: int
    service: str
    sample: Sample


class Members(msgspec.Struct):
    """What is known of a cluster: how large it is, since when, where, and the latest of its events."""

    number: int
    first_tick: int
    last_tick: int
    size: int = 0
    services: dict[str, int] = {}
    users: list[str] = []
    event_ids: list[str] = []

    def add(self, seen: Seen) -> None:
        """Take in a member."""
        sample = seen.sample
        self.size += 1
        self.last_tick = seen.tick
        self.services[seen.service] = self.services.get(seen.service, 0) + 1
        if sample.user and sample.user not in self.users and len(self.users) < MOST_USERS:
            self.users.append(sample.user)
        self.event_ids = [*self.event_ids, sample.event_id][-SHOWN:]


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
        self._latest: list[Seen] = []
        self._vectors: list[Vectors] = []  # of the latest
        self._new: set[int] = set()  # clusters that were not there when the finder had warmed up
        self._episodes: Final = Episodes("pattern", tick_seconds)  # of a cluster's number

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return the patterns that each tick shows to be new, or to come more often."""
        return [self._judge(*tick) for tick in ticks]

    def _judge(self, tick: int, sums: TickSums) -> list[Finding]:
        if self._off:
            return []
        samples = [(group.service_name, sample) for group in sums for sample in group.samples]
        if not samples:
            return []
        readable, vectors = read_vectors([sample.vector for _, sample in samples])
        if not len(readable):
            return []
        assigned = self.finder.assign(vectors)
        chosen = [Seen(tick, *samples[row]) for row in readable]
        self._latest += chosen
        self._vectors += [*vectors]
        del self._latest[:-TTL], self._vectors[:-TTL]
        for pattern in assigned.new:
            self._gather(pattern.number)
        counts: dict[int, int] = {}
        for label, seen in zip(assigned.labels.tolist(), chosen, strict=True):
            if label >= 0:
                counts[label] = counts.get(label, 0) + 1
                if not any(label == pattern.number for pattern in assigned.new):
                    self._member(label, tick).add(seen)
        self._new |= {pattern.number for pattern in assigned.new}
        new = [self._new_finding(pattern, tick) for pattern in assigned.new]
        return [*new, *self._rates(tick, counts, len(chosen))]

    def _gather(self, number: int) -> None:
        """Find the members that made a cluster new among the latest samples: until now they were unknown."""
        alike = np.array(self._vectors) @ self.finder.centroid(number) >= JOIN
        members = [seen for seen, is_member in zip(self._latest, alike.tolist(), strict=True) if is_member]
        for seen in members:
            self._member(number, members[0].tick).add(seen)

    def _member(self, label: int, tick: int) -> Members:
        members = self._members
        if label not in members:
            members[label] = Members(label, tick, tick)
            if len(members) > FOLLOWED:
                del members[min(members, key=lambda number: members[number].last_tick)]
        return members[label]

    def _rates(self, tick: int, counts: dict[int, int], trials: int) -> list[Finding]:
        """Test the share of each cluster that was followed before this tick."""
        rows = self._rows
        for label in sorted(counts):
            if label not in rows and len(rows) < FOLLOWED and self.finder.events > WARM_UP:
                rows[label] = len(self.rates)
                usual = 0.0 if label in self._new else self._members[label].size / self.finder.events
                self.rates.grow(np.array([np.clip(usual, USUAL_SHARE, 0.5)]))
        if not rows:
            return []
        flagged = np.zeros(len(rows))
        for label, count in counts.items():
            if label in rows:
                flagged[rows[label]] = count
        promise = threshold(len(rows), 86_400 / self._tick_seconds, self._tickets)
        found = self.rates.update(tick, np.arange(len(rows)), np.full(len(rows), float(trials)), flagged, promise)
        changed: list[Alarm | Recovery] = [*found.alarms, *found.recoveries]
        return [self._rate_finding(item, [*rows][item.series]) for item in changed]

    def _new_finding(self, pattern: NewPattern, tick: int) -> Finding:
        members = self._member(pattern.number, tick)
        return finding(
            ("pattern", "new", pattern.number, members.first_tick),
            end_of(tick, self._tick_seconds),
            kind="pattern",
            severity="info",
            tenant_id=WHOLE,
            model_version=WHOLE,
            direction="up",
            onset_time_unix_nano=start_of(members.first_tick, self._tick_seconds),
            **self._about(tick, members, "new"),
        )

    def _rate_finding(self, found: Alarm | Recovery, label: int) -> Finding:
        members = self._members.get(label) or Members(label, found.tick, found.tick)
        name = (str(label),)
        if isinstance(found, Recovery):
            about = self._about(found.tick, members, "over")
            return self._episodes.end(name, found.tick, members.first_tick, direction="down", **about)
        return self._episodes.open(
            name,
            found.tick,
            found.onset_tick,
            kind="pattern",
            direction="up",
            e_value=found.e_value,
            promise=found.promise,
            **counted(found),
            **self._about(found.tick, members, "growing"),
        )

    def _about(self, tick: int, members: Members, verdict: str) -> dict[str, Any]:
        services = sorted(members.services, key=lambda service: (-members.services[service], service))
        per_hour = members.size / max((tick - members.first_tick + 1) * self._tick_seconds / 3600, 1.0)
        ids = ", ".join(map(literal, members.event_ids))
        return {
            "service_name": services[0] if services else WHOLE,
            "metric": "pattern",
            "family": "pattern",
            "detector": "two_tier_clusters",
            "event_ids": members.event_ids or None,
            "verdict": verdict,
            "details": {
                "pattern": float(members.number),
                "size": float(members.size),
                "per_hour": per_hour,
                "services": float(len(services)),
                "users": float(len(members.users)),
            },
            "evidence": (
                f"{members.size} inputs of one pattern ({verdict}) since "
                f"{moment(members.first_tick, self._tick_seconds)}, {per_hour:.1f} in an hour, "
                f"from {len(members.users)} users of {', '.join(services[:5]) or '?'}"
            ),
            "evidence_sql": (
                f"SELECT time, service_name, user_pseudo_id, input_text FROM inferences WHERE event_id IN ({ids})"
            ),
        }

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            "members": encoded(list(self._members.values())),
            "latest": encoded(self._latest),
            "new": np.array(sorted(self._new), np.int64),
            "rows": np.array(sorted(self._rows.items()), np.int64).reshape(-1, 2),
            **prefixed("episodes_", self._episodes.state()),
            **prefixed("finder_", self.finder.state()),
            **prefixed("rates_", self.rates.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._members = {each.number: each for each in decoded(state["members"], list[Members])}
        self._latest = decoded(state["latest"], list[Seen])
        self._vectors = [*read_vectors([seen.sample.vector for seen in self._latest])[1]]
        self._new = set(state["new"].tolist())
        self._rows = {int(label): int(row) for label, row in sorted(state["rows"].tolist(), key=itemgetter(1))}
        self._episodes.restore(under("episodes_", state))
        self.finder.restore(under("finder_", state))
        self.rates.restore(under("rates_", state))
