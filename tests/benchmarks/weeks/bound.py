"""The best that can be done: a CUSUM that is told the rates before and after a change, on the best single series.

S <- max(0, S + log L) with L the likelihood ratio of the true rates is optimal for the worst mean delay among all tests
with its mean time to a false alarm (Page, "Continuous inspection schemes", Biometrika 1954; Lorden, "Procedures for
reacting to a change in distribution", Annals of Mathematical Statistics 1971; exactly so: Moustakides, Annals of
Statistics 1986), and a threshold of log A runs at least A observations to one. A detector has to learn the rates and
does not know the series, so it can hardly do better.
"""

from typing import Final, NamedTuple

import numpy as np

from detectors.base import Bools, Floats, Ints
from tests.benchmarks.weeks.plan import DAY, METRICS, OF_TOOLS, Change, Service
from tests.benchmarks.weeks.play import TOOLS, VERSIONS, Played

LEAST_RATIO: Final = 0.02
"""What vanishes wholly is held to be a fiftieth: a rate of 0 has no logarithm."""


def cusum(gains: Floats, threshold: float) -> int:
    """Return the first tick at which the CUSUM reaches its threshold, or -1.

    Parameters
    ----------
    gains
        The evidence of each tick since the change, natural logarithm, as `gains_of` gives it.
    threshold
        Of the evidence.

    >>> flagged, rate = np.array([0.0, 1, 0, 2, 3]), np.full(5, 0.01)
    >>> cusum(gains_of(np.full(5, 10.0), flagged, rate, 20 * rate), 5.0)
    4
    """
    total = np.cumsum(gains)
    heights = total - np.minimum(np.minimum.accumulate(total), 0)
    over = np.flatnonzero(heights > threshold)
    return int(over[0]) if len(over) else -1


def gains_of(trials: Floats, flagged: Floats, before: Floats, after: Floats) -> Floats:
    """Return the logarithm of the likelihood ratio of two rates for the sums of each tick."""
    return np.asarray(flagged * np.log(after / before) + (trials - flagged) * (np.log1p(-after) - np.log1p(-before)))


class Evidence(NamedTuple):
    """The ticks of a series since a change, what each shows, and its ticks with data a day."""

    ticks: Ints
    gains: Floats
    active: float


def bound(change: Change, service: Service, played: Played, promise: float) -> int | None:
    """Return in how many ticks the best series would have told of a change, or None.

    Parameters
    ----------
    promise
        Days of one series to a false alarm: as many as there are series, for one false alarm a day.
    """
    tenants, versions = played.groups // len(VERSIONS), played.groups % len(VERSIONS)
    series = [np.ones(len(tenants), bool)]
    series += [
        (tenants == tenant) & (versions == version)
        for tenant in range(len(service.tenants)) for version in range(len(VERSIONS))
    ]  # fmt: skip
    shown = (_evidence(change, service, played, chosen) for chosen in series)
    found = [_delay(change, each, promise) for each in shown if each is not None]
    return min((delay for delay in found if delay is not None), default=None)


def pooled_bound(changes: list[Change], services: list[Service], played: list[Played], promise: float) -> int | None:
    """Return in how many ticks a CUSUM over all that a change concerns, told the rates of each, would have told of it.

    What several series show of one change is added up: their trials are independent given the rates.

    Parameters
    ----------
    changes, services, played
        The same change in each service, the services, and how they were played.
    promise
        As `bound`.
    """
    shown = []
    for change, service, own in zip(changes, services, played, strict=True):
        versions = own.groups % len(VERSIONS)
        chosen = versions == change.part if change.of == "version" else np.ones(len(versions), bool)
        shown.append(_evidence(change, service, own, chosen))
    some = [each for each in shown if each is not None]
    if not some:
        return None
    ticks, which = np.unique(np.concatenate([each.ticks for each in some]), return_inverse=True)
    gains = np.bincount(which, np.concatenate([each.gains for each in some]))
    active = min(sum(each.active for each in some), float(DAY))
    return _delay(changes[0], Evidence(ticks, gains, active), promise)


def _delay(change: Change, shown: Evidence, promise: float) -> int | None:
    at = cusum(shown.gains, float(np.log(promise * shown.active)))
    return None if at < 0 else int(shown.ticks[at]) - change.start + 1


def _evidence(change: Change, service: Service, played: Played, chosen: Bools) -> Evidence | None:
    row = list(METRICS).index(change.metric)
    tried = played.trials[row] > 0
    inside = chosen & (played.ticks >= change.start) & (played.ticks < change.end) & tried
    if not inside.any():
        return None
    ticks, cell = np.unique(played.ticks[inside], return_inverse=True)
    n = np.bincount(cell, played.trials[row, inside])
    k = np.bincount(cell, played.flagged[row, inside])
    before = np.bincount(cell, played.expected[row, inside]) / np.bincount(cell)
    after = _after(change, before, _share(change, played, inside))
    if np.allclose(after, before):
        return None
    return Evidence(ticks, gains_of(n, k, before, after), max(len(np.unique(played.ticks[chosen & tried])) / 7, 1.0))


def _share(change: Change, played: Played, inside: Bools) -> float:
    """Return the share of the turns of a series that a change concerns."""
    weights = played.events[inside]
    if change.of == "tenant":
        return float((weights * (played.groups[inside] // len(VERSIONS) == change.part)).sum() / weights.sum())
    if change.of == "version":
        return float((weights * (played.groups[inside] % len(VERSIONS) == change.part)).sum() / weights.sum())
    if change.of == "tool":
        return 1 / TOOLS if change.metric in OF_TOOLS else 0.0
    return 1.0


def _after(change: Change, before: Floats, share: float) -> Floats:
    factor = 1 + (change.factor - 1) / 2 if change.grows else max(change.factor, LEAST_RATIO)
    there = before * factor if change.rate is None else np.full(len(before), change.rate)
    return np.asarray(np.clip(before + share * (np.minimum(there, 0.98) - before), 1e-9, 0.98))
