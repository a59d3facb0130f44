"""Quantities, mixes, canaries and ranks."""

import numpy as np

from detectors.canary import CanaryComparison
from detectors.distributions.mixes import MixDetector
from detectors.distributions.quantities import QuantityDetector
from detectors.events.rank_budget import RankBudget
from tests.support.detectors.others.base import SERIES, START, Subject, cells, unique


class Quantities(Subject):
    """`QuantityDetector`."""

    bad = (
        ([0], [0], [np.nan]), ([0], [0], [-1.0]), ([0], [0], [0.5]), ([0], [99], [1.0]), ([9], [0], [1.0]),
        ([0], [0, 1], [1.0]), ([0.5], [0], [1.0]),
    )  # fmt: skip

    def make(self):
        detector = QuantityDetector(10, 40)
        detector.grow(SERIES)
        return detector

    def arguments(self, rng, changed):
        return unique(*cells(rng, 40, changed))

    def constant(self):
        return np.arange(SERIES), np.full(SERIES, 7), np.full(SERIES, 20.0)

    def feed(self, step, arguments):
        return self.detector.update(START + step, *map(np.asarray, arguments), 1e3)


class Mixes(Quantities):
    """`MixDetector`."""

    def make(self):
        detector = MixDetector(10, 6)
        detector.grow(SERIES)
        for row in range(SERIES):
            for slot in range(1, 5):
                detector.use(row, slot)
        return detector

    def arguments(self, rng, changed):
        table = rng.multinomial(30, [0.0, 0.4, 0.3, 0.2, 0.1] if not changed else [0.1, 0.2, 0.2, 0.1, 0.4], SERIES)
        rows, slots = np.nonzero(table)
        return rows, slots, table[rows, slots].astype(float)

    def constant(self):
        return np.repeat(np.arange(SERIES), 2), np.tile([1, 2], SERIES), np.full(2 * SERIES, 9.0)


class Canaries(Subject):
    """`CanaryComparison`."""

    one = np.array([10.0])
    bad = (
        ([0], [np.nan], [0.0], one, [0.0]), ([0], [1.0], [2.0], one, [0.0]), ([9], one, [0.0], one, [0.0]),
        ([0], one, [0.0], one, [-1.0]), ([0, 0], one, one, one, one),
    )  # fmt: skip

    def make(self):
        detector = CanaryComparison()
        detector.grow(SERIES)
        return detector

    def arguments(self, rng, changed):
        n, m = rng.integers(0, 30, SERIES), rng.integers(0, 300, SERIES)
        return np.arange(SERIES), n, rng.binomial(n, 0.3 if changed else 0.02), m, rng.binomial(m, 0.02)

    def constant(self):
        return np.arange(SERIES), np.full(3, 10), np.full(3, 1), np.full(3, 100), np.full(3, 10)

    def feed(self, step, arguments):
        before = self.detector.verdict(np.arange(SERIES)).verdict.tolist()
        self.detector.update(
            START + step, *(np.asarray(array, float) if i else array for i, array in enumerate(arguments))
        )
        after = self.detector.verdict(np.arange(SERIES)).verdict.tolist()
        return [(row, now) for row, (was, now) in enumerate(zip(before, after, strict=True)) if now == "worse" != was]


class Ranks(Subject):
    """`RankBudget`."""

    timed = False
    bad = (([np.nan],), ([-1.0],), ([[1.0]],))

    def make(self):
        return RankBudget()

    def arguments(self, rng, changed):
        return (rng.exponential(1, 30) + 50 * changed * (np.arange(30) == 0),)

    def constant(self):
        return (np.full(30, 2.0),)

    def feed(self, step, arguments):
        return np.flatnonzero(self.detector.update(*arguments, events_per_alert=500)).tolist()
