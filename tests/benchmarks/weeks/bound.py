"""The best that can be done: a CUSUM that is told the rates before and after a change, on the best single series.

S <- max(0, S + log L) with L the likelihood ratio of the true rates is optimal for the worst mean delay among all tests
with its mean time to a false alarm (Page, "Continuous inspection schemes", Biometrika 1954; Lorden, "Procedures for
reacting to a change in distribution", Annals of Mathematical Statistics 1971; exactly so: Moustakides, Annals of
Statistics 1986), and a threshold of log A runs at least A observations to one. A detector has to learn the rates and
does not know the series, so it can hardly do better.
"""

from typing import Final

import numpy as np

from detectors.base import Floats
from tests.benchmarks.weeks.plan import METRICS, OF_TOOLS, Change, Service
from tests.benchmarks.weeks.play import TOOLS, VERSIONS, Played

LEAST_RATIO: Final = 0.02
"""What vanishes wholly is held to be a fiftieth: a rate of 0 has no logarithm."""


def cusum(trials: Floats, flagged: Floats, before: Floats, after: Floats, threshold: float) -> int:
    """Return the first tick at which the CUSUM reaches its threshold, or -1.

    Parameters
    ----------
    trials, flagged
        Sums of each tick since the change.
    before, after
        The rates of each tick.
    threshold
        Of the evidence, natural logarithm.

    >>> cusum(np.full(5, 10.0), np.array([0.0, 1, 0, 2, 3]), np.full(5, 0.01), np.full(5, 0.2), 5.0)
    3
    """
    gains = flagged * np.log(after / before) + (trials - flagged) * (np.log1p(-after) - np.log1p(-before))
    total = np.cumsum(gains)
    heights = total - np.minimum(np.minimum.accumulate(total), 0)
    over = np.flatnonzero(heights > threshold)
    return int(over[0]) if len(over) else -1


def bound(change: Change, service: Service, played: Played, promise: float) -> int | None:
    """Return in how many ticks the best series would have told of a change, or None.

    Parameters
    ----------
    promise
        Days of one series to a false alarm: as many as there are series, for one false alarm a day.
    """
    row = list(METRICS).index(change.metric)
    tenants, versions = played.groups // len(VERSIONS), played.groups % len(VERSIONS)
    found = [_delay(change, service, played, row, np.ones(len(tenants), bool), promise)]
    for tenant in range(len(service.tenants)):
        for version in range(len(VERSIONS)):
            chosen = (tenants == tenant) & (versions == version)
            found.append(_delay(change, service, played, row, chosen, promise))
    return min((delay for delay in found if delay is not None), default=None)


def _delay(
    change: Change, service: Service, played: Played, row: int, chosen: "np.ndarray", promise: float
) -> int | None:
    inside = chosen & (played.ticks >= change.start) & (played.ticks < change.end) & (played.trials[row] > 0)
    if not inside.any():
        return None
    ticks, cell = np.unique(played.ticks[inside], return_inverse=True)
    n = np.bincount(cell, played.trials[row, inside])
    k = np.bincount(cell, played.flagged[row, inside])
    before = np.bincount(cell, played.expected[row, inside]) / np.bincount(cell)
    after = _after(change, service, before, _share(change, played, inside))
    active = max(len(np.unique(played.ticks[chosen & (played.trials[row] > 0)])) / 7, 1.0)
    if np.allclose(after, before):
        return None
    at = cusum(n, k, before, after, float(np.log(promise * active)))
    return None if at < 0 else int(ticks[at]) - change.start + 1


def _share(change: Change, played: Played, inside: "np.ndarray") -> float:
    """Return the share of the turns of a series that a change concerns."""
    weights = played.events[inside]
    if change.kind == "tenant":
        return float((weights * (played.groups[inside] // len(VERSIONS) == change.part)).sum() / weights.sum())
    if change.kind == "version":
        return float((weights * (played.groups[inside] % len(VERSIONS) == change.part)).sum() / weights.sum())
    if change.kind == "tool":
        return 1 / TOOLS if change.metric in OF_TOOLS else 0.0
    return 1.0


def _after(change: Change, service: Service, before: Floats, share: float) -> Floats:
    factor = 1 + (change.factor - 1) / 2 if change.kind == "ramp" else max(change.factor, LEAST_RATIO)
    there = before * factor if change.rate is None else np.full(len(before), change.rate)
    return np.asarray(np.clip(before + share * (np.minimum(there, 0.98) - before), 1e-9, 0.98))
