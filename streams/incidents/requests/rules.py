"""Findings to controls, by the rules of the policy: "three severe leaks in ten minutes: ask for the kill switch".

A rule fires for a service when `count` of the findings that it looks at lie within its time; those are used up. The
n-th time on a UTC day has one name, whatever order the findings came in and however often they are repeated, and
more than `at_most_per_day` are never given: a rule that runs wild is a rule that stops.
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from schemas.controls import Control
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.identity import identity
from streams.policy.controls import ControlRule, When

DAY_NANO: Final = 86_400 * NANO
KEPT_NANO: Final = 2 * DAY_NANO
"""A finding so much older than the newest of its service is nothing to act on any more."""

MOST: Final = 10_000
"""Findings that are kept of one rule and service, the newest."""


class Seen(NamedTuple):
    """When a finding was made, and which."""

    at: int
    finding_id: str


@dataclass(slots=True)
class _Service:
    seen: list[Seen] = field(default_factory=list)
    given: set[tuple[int, int]] = field(default_factory=set)  # (day, how many times before on it)


class ControlRules:
    """The rules of a policy and what they have seen.

    Parameters
    ----------
    rules
        `streams.policy.policy.Policy.controls`.
    """

    def __init__(self, rules: Sequence[ControlRule]) -> None:
        self._rules: Final = tuple(rules)
        self._services: dict[tuple[str, str], _Service] = {}

    def take(self, finding: Finding) -> list[Control]:
        """Return the controls that a finding makes due; each is given once."""
        seen = Seen(finding.detected_time_unix_nano, finding.finding_id)
        found = []
        for rule in self._rules:
            if not matches(rule.when, finding):
                continue
            service = self._services.setdefault((rule.name, finding.service_name), _Service())
            if _add(service, seen):
                found += [_control(rule, finding.service_name, *fire) for fire in _due(service, rule)]
        return found


def matches(when: When, finding: Finding) -> bool:
    """Tell whether a rule looks at a finding.

    >>> from schemas.findings import Finding
    >>> leak = Finding(finding_id="f", kind="rate", severity="page", service_name="a", metric="leak", family="leak",
    ...                detected_time_unix_nano=1767225600000000000, detector="d", detector_version="1")
    >>> matches(When(family="leak"), leak), matches(When(family="leak", services=["b"]), leak)
    (True, False)
    """
    wanted = ((when.kind, finding.kind), (when.family, finding.family), (when.severity, finding.severity))
    if when.risk is not None and (finding.details or {}).get("risk", 0.0) < when.risk:
        return False
    return all(want in (None, is_) for want, is_ in wanted) and (
        not when.services or finding.service_name in when.services
    )


def _add(service: _Service, seen: Seen) -> bool:
    """Take a finding in its place, unless it is known or too old; what has become too old goes."""
    if seen in service.seen:
        return False
    insort(service.seen, seen)
    oldest = service.seen[-1].at - KEPT_NANO
    service.seen = [each for each in service.seen[-MOST:] if each.at >= oldest]
    service.given = {(day, nth) for day, nth in service.given if day >= oldest // DAY_NANO}
    return seen in service.seen


def _due(service: _Service, rule: ControlRule) -> Iterator[tuple[int, Seen]]:
    """Yield those times that a rule fires and that were not given yet: the how manieth of its day, and at which."""
    times: dict[int, int] = {}
    for seen in _fires(service.seen, rule.count, round(rule.within_minutes * 60) * NANO):
        day = seen.at // DAY_NANO
        nth = times[day] = times.get(day, -1) + 1
        if nth < rule.at_most_per_day and (day, nth) not in service.given:
            service.given.add((day, nth))
            yield nth, seen


def _fires(seen: Sequence[Seen], count: int, within: int) -> Iterator[Seen]:
    """Yield the finding that makes up the count, each time it is reached; those before it are used up."""
    start = 0
    for at, each in enumerate(seen):
        while each.at - seen[start].at > within:
            start += 1
        if at - start + 1 == count:
            yield each
            start = at + 1


def _control(rule: ControlRule, service: str, nth: int, last: Seen) -> Control:
    findings = "1 finding" if rule.count == 1 else f"{rule.count} findings within {rule.within_minutes:g} minutes"
    return Control(
        event_id=identity("control-rule", rule.name, service, last.at // DAY_NANO, nth),
        source="watchkeeper/rules",
        time_unix_nano=last.at,
        service_name=service,
        control=rule.do,
        actor_kind="automation",
        rule=rule.name,
        data_source_id=rule.data_source or None,
        finding_id=last.finding_id,
        expires_at=last.at + round(rule.for_minutes * 60) * NANO,
        reason=f"rule {rule.name}: {findings}; in force for {rule.for_minutes:g} minutes",
        evidence={"findings": float(rule.count), "within_minutes": rule.within_minutes},
    )
