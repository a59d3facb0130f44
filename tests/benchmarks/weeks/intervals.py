"""How often intervals hold the truth of composed weeks: of rates, of what people review, and of the clocks.

python -m tests.benchmarks.weeks.intervals [--weeks 6] [--first 1] [--purpose tuning]
"""

import argparse
from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.stats import beta

from detectors.intervals import wilson
from detectors.rates.ending import ending
from tests.benchmarks.detectors.weeks import begin
from tests.benchmarks.weeks.judged import Said, judged
from tests.benchmarks.weeks.plan import DAY, METRICS, OF_TOOLS, WEEK, Change, Service
from tests.benchmarks.weeks.plan import drawn as planned
from tests.benchmarks.weeks.play import Played, changed, play, rates_of, turns_of
from tests.benchmarks.weeks.reviewed import LABELS, reviewed_held
from tests.benchmarks.weeks.shared import with_shared

MINUTE: Final = 6
BEFORE: Final = DAY
"""Ticks before a finding that are looked at for its onset."""

Held = dict[str, list[tuple[bool, float, float]]]
"""By kind of interval: whether it holds the truth, and where that is told its width and error as shares of it."""


def rates_held(rng: np.random.Generator, service: Service, changes: list[Change]) -> Iterator[tuple[str, bool]]:
    """Yield for each rate and day whether the interval of its share of events holds the mean of the true rates."""
    turns = turns_of(rng, service)
    usual, of_session = rates_of(rng, service, turns)
    day = turns.tick // DAY
    for row, metric in enumerate(METRICS):
        true = usual[row]
        for change in changes:
            true = changed(change, turns, true) if change.metric == metric else true
        tried = turns.tool >= 0 if metric in OF_TOOLS else np.ones(len(day), bool)
        hit = tried & (rng.random(len(day)) < np.minimum(true * of_session[row], 1))
        n, k, mean = (np.bincount(day[tried], each[tried].astype(float), 7) for each in (np.ones(len(day)), hit, true))
        low, high = wilson(k, n)
        for at in np.flatnonzero(n >= 100).tolist():
            few = "few flagged" if k[at] < 5 else "more"
            yield f"share of a day, {few}", bool(low[at] <= mean[at] / n[at] <= high[at])


def clocks_held(change: Change, played: Played, said: list[Said]) -> Iterator[tuple[str, bool]]:
    """Yield whether the intervals of onset and end of a step hold them, where it was told of, and found to be over.

    The onset is asked of the counts as the end is: one rate up to it and another one from it on.
    """
    about = [each for each in said if (each.service, each.metric) == (change.service, change.metric)]
    told = [each.tick for each in about if each.kind == "rate" and change.start <= each.tick < change.end]
    if not told or change.grows:
        return
    back = [each.tick for each in about if each.kind == "recovery" and each.tick >= max(told[0], change.end)]
    row = list(METRICS).index(change.metric)
    yield from _clock("onset", played, row, (told[0] - BEFORE, told[0] + 1), change.start, "down")
    if back and change.end < WEEK - DAY // 4:
        yield from _clock("end of harm", played, row, (change.start, back[0] + 1), change.end, "up")


def _clock(what, played, row, span, truth, way) -> Iterator[tuple[str, bool]]:
    inside = (played.ticks >= span[0]) & (played.ticks < span[1]) & (played.trials[row] > 0)
    minute, cell = np.unique(played.ticks[inside] // MINUTE, return_inverse=True)
    n, k = (np.bincount(cell, each[row, inside]) for each in (played.trials, played.flagged))
    found = ending(n, k, np.append(np.diff(minute), 1.0), way)
    if found is not None:
        yield what, bool(minute[found.first - 1] <= truth // MINUTE <= minute[found.last])


def of_week(purpose: str, number: int) -> Held:
    """Return by kind of interval whether each held the truth of a week."""
    plan, rng = planned(purpose, number)
    plan, causes = with_shared(plan, purpose, number)
    everything = [*plan.changes, *(change for cause in causes for change in cause.changes)]
    of = {service.name: [each for each in everything if each.service == service.name] for service in plan.services}
    played = [play(rng, service, of[service.name]) for service in plan.services]
    said = judged(plan.services, played)
    held: Held = {}
    found = [
        (*each, np.nan, np.nan) for service in plan.services for each in rates_held(rng, service, of[service.name])
    ]
    days = [(int(each.sessions * each.turns), 3 * each.rates["unsafe_attempted"]) for each in plan.services]
    found += reviewed_held(rng, [day for day in days if day[0] > 4 * LABELS])
    places = {service.name: at for at, service in enumerate(plan.services)}
    for change in everything:
        if change.kind in ("step", "total", "spike", "rare", "shared source", "cascade"):
            clocks = clocks_held(change, played[places[change.service]], said)
            found += [(*each, np.nan, np.nan) for each in clocks]
    for what, *each in found:
        held.setdefault(what, []).append((bool(each[0]), each[1], each[2]))
    return held


def table(weeks: list[Held]) -> str:
    """Return of each kind how many there were, the share that held the truth with its exact interval, width and error."""
    lines = [
        "| interval of 95 % | number | holds the truth | median width / truth | error of the estimate |",
        "| --- | ---: | --- | ---: | ---: |",
    ]
    for what in sorted({name for week in weeks for name in week}):
        each = np.array([row for week in weeks for row in week.get(what, [])], float)
        n, k = len(each), int(each[:, 0].sum())
        low, high = beta.ppf(0.025, k, n - k + 1) if k else 0.0, beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
        told = each[np.isfinite(each[:, 1])]
        more = f"{np.median(told[:, 1]):.2f} | {np.sqrt((told[:, 2] ** 2).mean()):.1%}" if len(told) else "| "
        lines.append(f"| {what} | {n:,} | {k / n:.1%} ({low:.1%} to {high:.1%}) | {more} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=6)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--purpose", choices=("tuning", "report"), default="tuning")
    arguments = parser.parse_args()
    begin()
    print(table([of_week(arguments.purpose, arguments.first + at) for at in range(arguments.weeks)]))
