"""Shows a played week to the judge, and keeps what it says of rates and of telemetry."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from schemas.quantities import MIXES
from schemas.windows import GroupSums, Sums
from streams.detect.judge import Judge, Step
from streams.policy.policy import Detectors, Policy
from tests.benchmarks.weeks.plan import METRICS, START, TICK_SECONDS, WEEK, Service
from tests.benchmarks.weeks.play import VERSIONS, Played

STEP: Final = 6
"""Ticks that become whole together."""

PLAIN: Final = Policy(detectors=Detectors(mixes=dict.fromkeys(MIXES, "off")))
"""The names of sources are shown to say who reads from which; what their shares do is not looked at here."""

_SUMS: Final = {(n, k): Sums(n, k, n, k) for n in range(60) for k in range(n + 1)}


class Said(NamedTuple):
    """A finding: the tick it comes in, of which service and rate, and how loudly."""

    tick: int
    service: str
    metric: str
    kind: str
    severity: str
    direction: str | None


def judged(services: list[Service], played: list[Played], policy: Policy | None = None) -> list[Said]:
    """Return what the judge of one partition says of a week."""
    judge = Judge(TICK_SECONDS, 1.0, 100_000, policy or PLAIN)
    found = judge.judge_steps(_steps(services, played))
    return [
        Said(
            finding.detected_time_unix_nano // (TICK_SECONDS * 10**9) - START - 1,
            finding.service_name, finding.metric, finding.kind, finding.severity, finding.direction,
        )
        for finding in found
    ]  # fmt: skip


def _steps(services: list[Service], played: list[Played]) -> list[Step]:
    by_tick: dict[int, list[GroupSums]] = {}
    for service, sums in zip(services, played, strict=True):
        for tick, group in _groups(service, sums):
            by_tick.setdefault(tick, []).append(group)
    for groups in by_tick.values():
        groups.sort(key=lambda each: (each.tenant_id, each.service_name, each.model_version))
    steps: list[Step] = []
    for first in range(0, WEEK, STEP):
        ticks = [(START + tick, by_tick[tick]) for tick in range(first, first + STEP) if tick in by_tick]
        steps.append((ticks, START + first + STEP - 1))
    return steps


def _groups(service: Service, sums: Played) -> Iterator[tuple[int, GroupSums]]:
    names = list(METRICS)
    columns = (sums.ticks.tolist(), sums.groups.tolist(), sums.events.tolist())
    trials, flagged = sums.trials.T.tolist(), sums.flagged.T.tolist()
    mixes = {"source": {service.source: 1}} if service.source else {}
    for tick, group, events, tried, hit in zip(*columns, trials, flagged, strict=True):
        rates = {name: _of(n, k) for name, n, k in zip(names, tried, hit, strict=True) if n}
        yield tick, GroupSums(
            tenant_id=f"tenant-{group // len(VERSIONS)}", service_name=service.name,
            model_version=service.family + VERSIONS[group % len(VERSIONS)], events=events, calls=events, rates=rates,
            mixes=mixes,
        )  # fmt: skip


def _of(n: int, k: int) -> Sums:
    return _SUMS[n, k] if n < 60 else Sums(n, k, n, k)


def bins_of(played: list[Played], ticks: int) -> np.ndarray:
    """Return trials and flagged of whole services by bins of so many ticks, shape (2, bins, services x rates)."""
    count = -(-WEEK // ticks)
    found = np.zeros((2, count, len(played) * len(METRICS)))
    for at, sums in enumerate(played):
        of = sums.ticks // ticks
        for row in range(len(METRICS)):
            column = at * len(METRICS) + row
            found[0, :, column] = np.bincount(of, sums.trials[row], count)
            found[1, :, column] = np.bincount(of, sums.flagged[row], count)
    return found
