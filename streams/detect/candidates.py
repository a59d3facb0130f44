"""What stands beside what is stable: model versions of canaries, and versions of the prompts that they use."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from detectors.base import Floats
from detectors.canary import exceedances
from schemas.categories import FAMILIES
from schemas.metrics import RATES
from schemas.quantities import BINS
from schemas.windows import AT, COMPARED, GroupSums, PromptSums
from streams.detect.merge import added_names, added_rates
from streams.detect.watcher import TickSums

METRICS: Final = tuple(rate.name for rate in RATES if rate.name != "injection_flag")
"""What a model or prompt can be to blame for; attacks come from outside."""

CATEGORIES: Final = (*FAMILIES, "~other")
STEP: Final = 4
"""Fine bins of a latency between two edges: a factor of 1.4."""

Counts = tuple[float, Floats]
"""Sessions, and how many of them were flagged in each bin."""

Side = Sequence[GroupSums] | Sequence[PromptSums]
Pair = tuple[str, str, Side, Side]
"""Service, candidate, what was counted of it, and of what is stable."""


def beside(sums: TickSums) -> Iterator[Pair]:
    """Yield the candidates of a tick that have events beside stable ones, by service.

    A canary is compared by its model version with all that is stable, and by each prompt that it uses
    (``name@version``) with the other versions of that prompt of what is stable. Where a prompt differs, a model version
    that both use is no candidate.
    """
    by_service: dict[str, dict[str, list[GroupSums]]] = {}
    for group in sums:
        if group.variant in COMPARED:
            by_service.setdefault(group.service_name, {}).setdefault(group.variant, []).append(group)
    for service, variants in sorted(by_service.items()):
        if len(variants) > 1:
            prompts = list(_prompts(service, variants))
            yield from _models(service, variants, {group.model_version for group in variants["stable"] if prompts})
            yield from prompts


def _models(service: str, variants: dict[str, list[GroupSums]], same: set[str]) -> Iterator[Pair]:
    for version in sorted({group.model_version for group in variants["canary"]} - same):
        mine = [group for group in variants["canary"] if group.model_version == version]
        yield service, version, mine, variants["stable"]


def _prompts(service: str, variants: dict[str, list[GroupSums]]) -> Iterator[Pair]:
    mine, stable = (_by_prompt(variants[name]) for name in COMPARED)
    for prompt, sums in sorted(mine.items()):
        others = [name for name in sorted(stable) if name != prompt and _name(name) == _name(prompt)]
        if others:
            yield service, prompt, sums, [each for name in others for each in stable[name]]


def _by_prompt(groups: list[GroupSums]) -> dict[str, list[PromptSums]]:
    found: dict[str, list[PromptSums]] = {}
    for group in groups:
        for prompt, sums in group.prompts.items():
            found.setdefault(prompt, []).append(sums)
    return found


def _name(prompt: str) -> str:
    """Return the name of a prompt without its version; nothing where only versions are sent."""
    return prompt.rpartition(AT)[0]


def counts_of(mine: Side, stable: Side) -> Iterator[tuple[str, str, Counts, Counts]]:
    """Yield kind, metric, and the counts of both sides, where both have trials."""
    rates = [added_rates(group.rates for group in side) for side in (mine, stable)]
    for metric in METRICS:
        if all(metric in side and side[metric].trials for side in rates):
            own, others = (
                (float(side[metric].trials), np.array([float(min(side[metric].flagged, side[metric].trials))]))
                for side in rates
            )
            yield "rate", metric, own, others
    if all("unsafe_attempted" in side for side in rates):
        own, others = (
            _categories(side, added_names(group.mixes for group in groups).get("category", {}))
            for side, groups in zip(({name: item.trials for name, item in side.items()} for side in rates),
                                    (mine, stable), strict=True)
        )  # fmt: skip
        if own[0] and others[0]:
            yield "category", "category", own, others
    latencies = [added_names(group.quantities for group in side).get("latency", {}) for side in (mine, stable)]
    own, others = map(_slower, latencies)
    if own[0] and others[0]:
        yield "latency", "latency", own, others


def _categories(trials: dict[str, int], found: dict[str, int]) -> Counts:
    counts = np.zeros(len(CATEGORIES))
    for name, amount in found.items():
        counts[CATEGORIES.index(name) if name in FAMILIES else -1] += amount
    total = trials["unsafe_attempted"]
    return float(total), np.minimum(counts, total)  # an input can be flagged in a session without an output


def _slower(histogram: dict[str, int]) -> Counts:
    counts = np.zeros((1, BINS // STEP))
    for at, amount in histogram.items():
        counts[0, min(int(at), BINS - 1) // STEP] += amount
    return float(counts.sum()), exceedances(counts)[0]
