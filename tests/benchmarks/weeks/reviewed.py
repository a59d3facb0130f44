"""How often the intervals of what people reviewed hold the truth, also on the day on which a guard fails."""

import tempfile
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from scipy.special import expit

from detectors.review.strata import ReviewSampler
from streams.settings import load
from tests.benchmarks.detectors.true_rate import CODE, drawn, seen
from tests.support.histories import ask, fill, of
from tests.support.reviewed import ask_quality
from tests.support.stores import own_database

LABELS: Final = 300


class World(NamedTuple):
    """How a guard misses today, and how it did when the strata were drawn, the day before."""

    was: float | None = None
    """By how much it scored what is unsafe higher; drawn between -1 and .5 where None."""
    now: float | None = None
    """The same today; as it was where None."""
    unseen: float = 0.0
    """Share of what is unsafe that it scores today like what is safe."""
    times: float = 1.0
    """How many times as much is unsafe as the day before."""


WORLDS: Final = {
    "as the day before": World(),
    "recall fell from .95 to .5, scores lower": World(was=0.47, now=-1.5),
    "recall fell from .95 to .5, scores as of safe ones": World(was=0.47, unseen=0.475),
    "three times as unsafe": World(times=3.0),
}


def _day(rng, size, rate, shift, unseen):
    """Return which events are unsafe, and the guard's logit of each; of some it sees nothing."""
    unsafe = rng.random(size) < rate
    logit = seen(rng, unsafe, shift)[1]
    blind = unsafe & (rng.random(size) < unseen)
    return unsafe, np.where(blind, seen(rng, np.zeros(size, bool), 0.0)[1], logit)


def _lived(rng, name: str, world: World, size: int, rate: float, rows) -> tuple[float, float]:
    """Add a service's reviews of a day, and return the day's true rate and recall."""
    was = float(rng.uniform(-1.0, 0.5)) if world.was is None else world.was
    sampler = ReviewSampler(LABELS)
    sampler.learn(expit(_day(rng, size, rate, was, 0.0)[1]))
    sampler.renew(days=1.0)
    unsafe, logit = _day(rng, size, min(1, rate * world.times), was if world.now is None else world.now, world.unseen)
    for into, found in zip(rows, drawn(name, sampler, unsafe, logit, rng), strict=True):
        into.extend(found)
    return unsafe.mean(), (logit > 0)[unsafe].mean() if unsafe.any() else np.nan


def reviewed_held(rng: np.random.Generator, days: list[tuple[int, float]]) -> Iterator[tuple[str, bool, float, float]]:
    """Yield of each day, given as events and unsafe rate, what the intervals of rate and recall hold.

    Each with how wide it is and how far the estimate lies off, as shares of the truth. The guard misses from a twentieth
    to a third of what is unsafe, and people label about `LABELS` events.
    """
    rows: tuple[list, list, list] = ([], [], [])
    truth = {
        (what, str(at)): _lived(rng, f"{what}/{at}", world, *day, rows)
        for what, world in WORLDS.items() for at, day in enumerate(days)
    }  # fmt: skip
    settings = load(clickhouse=f"chdb://{tempfile.mkdtemp()}", clickhouse_database="intervals")
    with own_database(settings) as store:
        fill(store, review_items=rows[0], review_labels=rows[1], guard_verdicts=rows[2])
        shown, guards = of(ask(store, "kpi_reviewed"), "unsafe_reviewed"), ask_quality(store)
    for (what, at), (rate, recall) in truth.items():
        name = f"{what}/{at}"
        row, quality = shown[0, name, ""], guards.get((name, "g", "output", CODE))
        yield _held(f"unsafe share, {what}", rate, row["value"], row["lower"], row["upper"])
        if quality and quality["recall_lower"] is not None and np.isfinite(recall):
            measured = (quality[f"recall{end}"] for end in ("", "_lower", "_upper"))
            yield _held(f"recall of a guard, {what}", recall, *measured)


def _held(what, true, value, lower, upper) -> tuple[str, bool, float, float]:
    scale = true or np.nan
    return what, lower <= true <= upper, (upper - lower) / scale, value / scale - 1
