"""What pools bring to light, told of the services that are in it: one of them pages, and names the others.

A reader of one team sees the findings of its own services, so a finding names those others alone that the same teams
own. Who pages is the service that changed most; of services that other teams own too, the first is a ticket of theirs,
and everything else is for the record. While it is open, what a service says of itself about the same belongs to it.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np

from detectors.base import Alarm, Recovery
from detectors.intervals import wilson
from detectors.rates.pooling import REFERENCE
from schemas.findings import Finding, Severity
from schemas.metrics import WATCHED
from streams.access.teams import matches
from streams.detect.membership import MODEL, Pool
from streams.detect.pools import Pooled
from streams.findings.episodes import Episodes, Opened
from streams.findings.evidence import Member, describe_pool, describe_pool_back, pool_query
from streams.findings.finding import WHOLE
from streams.findings.series import Name, ticks_per_day
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.policy.policy import Policy

DETECTOR: Final = "pooled_shiryaev_roberts"
MOST_NAMED: Final = 20
"""Services of a pool that are told of, those that changed most."""

FAMILIES: Final[dict[str, str]] = {rate.name: rate.family for rate in WATCHED}


class Told(msgspec.Struct, frozen=True, array_like=True):
    """A pool that was told of: for which service, whether somebody was paged for it, and its services."""

    service: str
    paged: bool
    services: list[str]


class PooledFindings:
    """Pools with an open finding, and what they say.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    policy
        Which rates page, and whose the services are.
    """

    def __init__(self, tick_seconds: int, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._policy: Final = policy
        self._episodes: Final = Episodes(
            "pool", tick_seconds
        )  # of pool, direction, service, and the tick it is told in
        self._told: dict[Name, Told] = {}  # by pool and direction, while it is open

    def told(self, tick: int, pooled: Pooled, single: Iterable[tuple[Name, Opened]]) -> list[Finding]:
        """Return the findings about the services of a pool.

        Parameters
        ----------
        tick
            In which it is told.
        single
            The open findings of single series: tenant, service, version, rate and direction.
        """
        if isinstance(pooled.found, Recovery):
            return self._ended(tick, pooled.pool, pooled.found)
        alarm, way = pooled.found, 1 if pooled.found.direction == "up" else -1
        metric, services = pooled.pool[2], {each.service for each in pooled.members}
        earliest = pooled.onset_tick - ticks_per_day(self._tick_seconds)
        before = sorted({
            name[1] for name, opened in single
            if opened.severity == "page" and name[3:] == (metric, alarm.direction) and name[1] in services
            and opened.onset_tick >= earliest
        })  # fmt: skip
        changed = [each for each in pooled.members if way * (each.flagged - each.expected) > 0]
        named = [each for each in changed if each.service not in before][:MOST_NAMED]
        if not named or self._known(named[0].service, metric, alarm.direction):
            return []
        pages = not before and self._pages(metric, alarm.direction)
        lead = before[0] if before else named[0].service
        self._told[*pooled.pool, alarm.direction] = Told(lead, pages or bool(before), sorted(services))
        of_teams, found = set(), []
        for at, member in enumerate(named):
            teams = self._owners(member.service)
            severity: Severity = "page" if pages and not at else "info" if teams in of_teams else "ticket"
            of_teams.add(teams)
            found.append(self._opened(tick, pooled, alarm, (member, severity), named, before))
        return found

    def joined(self, service: str, metric: str, direction: str, onset_tick: int) -> bool:
        """Tell whether what a service says of itself was told with its pool: it began before that was."""
        return any(
            name[2:5] == (metric, direction, service) and onset_tick <= int(name[5])
            and self._same(service, self._told[name[:4]].service)
            for name, _ in self._episodes
        )  # fmt: skip

    def covers(self, service: str, metric: str, direction: str) -> bool:
        """Tell whether somebody is on the way for a service: paged for its pool about this, or about it by name."""
        family = FAMILIES[metric]
        named = {name[:4] for name, _ in self._episodes if name[4] == service and FAMILIES[name[2]] == family}
        return any(
            told.paged
            and self._same(service, told.service)
            and (name in named or (name[2:] == (metric, direction) and service in told.services))
            for name, told in self._told.items()
        )

    def _same(self, service: str, other: str) -> bool:
        """Tell whether two services are of the same teams."""
        return self._owners(service) == self._owners(other)

    def _known(self, service: str, metric: str, direction: str) -> bool:
        """Tell whether another pool has told of a service and rate, and goes on."""
        return any(name[2:5] == (metric, direction, service) for name, _ in self._episodes)

    def _pages(self, metric: Any, direction: str) -> bool:
        falls = direction == "up" or self._policy.detectors.falls == "page"
        return falls and self._policy.level(metric) == "page"

    def _owners(self, service: str) -> tuple[str, ...]:
        teams = self._policy.teams
        return tuple(name for name, team in teams.items() if matches(tuple(team.services), service))

    def _opened(
        self, tick: int, pooled: Pooled, alarm: Alarm, of: tuple[Member, Severity], named: list[Member],
        before: list[str],
    ) -> Finding:  # fmt: skip
        member, severity = of
        (what, name, metric), direction = pooled.pool, alarm.direction
        seen = [each for each in named if self._same(each.service, member.service)]
        lower, upper = wilson(np.array(member.flagged), np.array(member.trials))
        services = [each.service for each in seen]
        version = name if what == MODEL else None
        others = [each for each in before if self._same(each, member.service)]
        return self._episodes.open(
            (*pooled.pool, direction, member.service, str(tick)),
            tick,
            pooled.onset_tick,
            kind="rate",
            severity=severity,
            direction=direction,
            detector=DETECTOR,
            e_value=alarm.e_value,
            promise=alarm.promise,
            rate=member.flagged / member.trials,
            rate_lower=float(lower),
            rate_upper=float(upper),
            baseline=member.expected / member.trials,
            sample_size=int(member.trials),
            flagged=int(member.flagged),
            versions=[name] if what == MODEL else None,
            details=_details(pooled.members, named),
            evidence=describe_pool(pooled.pool, pooled.onset_tick, self._tick_seconds, member, _after(seen, member),
                                   others),
            evidence_sql=pool_query(services, metric, version, pooled.onset_tick, tick),
            **_about(member.service, metric),
        )  # fmt: skip

    def _ended(self, tick: int, pool: Pool, recovery: Recovery) -> list[Finding]:
        changed = "up" if recovery.direction == "down" else "down"
        expected = recovery.trials * REFERENCE
        self._told.pop((*pool, changed), None)
        return [
            self._episodes.end(
                name,
                tick,
                tick,
                direction=recovery.direction,
                detector=DETECTOR,
                e_value=recovery.e_value,
                evidence=describe_pool_back(pool, name[4], recovery.flagged, expected),
                **_about(name[4], pool[2]),
            )
            for name, _ in self._episodes
            if name[:4] == (*pool, changed)
        ]

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"told": encoded(list(self._told.items())), **self._episodes.state()}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._told = dict(decoded(state["told"], list[tuple[Name, Told]]))
        self._episodes.restore(state)


def _about(service: str, metric: str) -> dict[str, Any]:
    return {"service_name": service, "tenant_id": WHOLE, "metric": metric, "family": FAMILIES[metric]}


def _after(seen: list[Member], member: Member) -> list[Member]:
    return [each for each in seen if each.service != member.service]


def _details(members: list[Member], named: list[Member]) -> dict[str, float]:
    return {
        "services": float(len(members)),
        "changed": float(len(named)),
        "pool_flagged": sum(each.flagged for each in members),
        "pool_expected": round(sum(each.expected for each in members), 3),
    }
