"""What several services of a week have in common, and changes that come to all or most of them at once.

Drawn apart from all else, and laid upon services that have no change of their own: so every other service of a week is
what it was before there were any of these.
"""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from tests.benchmarks.weeks.plan import DAY, METRICS, SEEDS, WEEK, Change, Kind, Plan, Service

SHARED: Final[tuple[Kind, ...]] = ("shared model", "shared source", "shared ramp", "cascade")
"""A version of a model that many use; a source or guard behind all they answer, at once or slowly; and a failure that
goes from service to service within minutes."""

LEAST: Final = 3
MOST: Final = 12
"""Services that share something."""

HIT: Final = 0.85
"""Of these a change comes to so many, and never to fewer than two."""

APART: Final = 1
FAMILIES: Final = 8


class Cause(NamedTuple):
    """One cause: how it comes, and the change that it makes in each service."""

    kind: Kind
    changes: tuple[Change, ...]


def with_shared(plan: Plan, purpose: str, number: int) -> tuple[Plan, list[Cause]]:
    """Return a plan in which services have things in common, and what changes for several of them."""
    rng = np.random.default_rng([SEEDS[purpose], number, APART])
    count = max(len(plan.services) // FAMILIES, 1)
    services = [replace(each, family=f"model-{rng.integers(count)}-") for each in plan.services]
    changing = {change.service for change in plan.changes}
    calm = rng.permutation([at for at, each in enumerate(services) if each.name not in changing]).tolist()
    causes = []
    while len(calm) >= LEAST:
        size = min(int(rng.integers(LEAST, MOST + 1)), len(calm))
        of, calm = calm[:size], calm[size:]
        kind = SHARED[int(rng.integers(len(SHARED)))]
        for at in of:
            own = (
                {"family": f"shared-{len(causes)}-"} if kind == "shared model" else {"source": f"source-{len(causes)}"}
            )
            services[at] = replace(services[at], **own)
        causes.append(_cause(rng, kind, [services[at] for at in of]))
    return Plan(services, plan.changes), causes


def _cause(rng: np.random.Generator, kind: Kind, services: list[Service]) -> Cause:
    metric = "error" if kind == "cascade" else str(rng.choice(tuple(METRICS)))
    start = int(rng.integers(2 * DAY, 6 * DAY))
    end = min(start + round(float(rng.uniform(8, 48)) * 360), WEEK)
    factor = float(np.exp(rng.uniform(np.log(1.5), np.log(10))))
    part = int(rng.integers(2))
    hit = rng.random(len(services)) < HIT
    hit[:2] = True
    waits = np.cumsum(rng.integers(6, 31, len(services))) if kind == "cascade" else np.zeros(len(services), int)
    return Cause(
        kind,
        tuple(
            Change(kind, each.name, metric, start + int(wait), end, factor, None, part)
            for each, wait in zip([s for s, h in zip(services, hit, strict=True) if h], waits, strict=False)
        ),
    )
