"""Odd events, patterns, and River's detectors of the odd."""

import numpy as np

from detectors.events.odd import OddEvents
from detectors.events.patterns import PatternFinder
from detectors.river.anomaly import RiverAnomaly
from tests.support.detectors.others.base import SERIES, Subject


class Odd(Subject):
    """`OddEvents`: a score above 40 nats stands for an alarm."""

    timed = False
    bad = (([0], [[np.inf, 0.0]]), ([9], [[0.0, 0.0]]), ([0], [[0.0]]), ([0.5], [[0.0, 0.0]]))

    def make(self):
        detector = OddEvents(2)
        detector.grow(SERIES)
        return detector

    def arguments(self, rng, changed):
        features = rng.normal(0, 1, (40, 2))
        features[rng.random((40, 2)) < 0.1] = np.nan
        features[0] = [60.0 if changed else 0.0, 0.0]
        return rng.integers(0, SERIES, 40), features

    def constant(self):
        return np.arange(SERIES), np.full((SERIES, 2), 3.0)

    def feed(self, step, arguments):
        scores = self.detector.score(*arguments)
        self.detector.learn(*arguments)
        return np.round(scores[scores > 40], 9).tolist()


class River(Subject):
    """`RiverAnomaly` with one class of River; a score of a constant stream must not rise above its first."""

    timed = False
    name = "river.anomaly.LODA"
    bad = (([0], [[np.nan, 0.0]]), ([9], [[0.0, 0.0]]), ([0], [[0.0]]))

    def make(self):
        detector = RiverAnomaly(self.name, 2, every=2)
        detector.grow(SERIES)
        return detector

    def arguments(self, rng, changed):
        return rng.integers(0, SERIES, 30), np.clip(rng.normal(0, 1, (30, 2)) + 6 * changed, -8, 8)

    def constant(self):
        return np.arange(SERIES), np.zeros((SERIES, 2))

    def feed(self, step, arguments):
        scores = self.detector.update(*arguments)
        return np.round(scores[scores > 0], 9).tolist() if step % 7 == 0 else []


class RiverTrees(River):
    """Half-space trees."""

    name = "river.anomaly.HalfSpaceTrees"


class RiverMachine(River):
    """The one-class machine."""

    name = "river.anomaly.OneClassSVM"


class Patterns(Subject):
    """`PatternFinder`: what it says is which clusters are new."""

    timed = False
    bad = (([[np.nan] * 16],), ([[0.0] * 16],), ([[1.0, 2.0]],))

    def make(self):
        return PatternFinder(16, need=4, ttl=300, warm_up=200)

    def arguments(self, rng, changed):
        vectors = rng.normal(0, 1, (20, 16))
        vectors[:8] = rng.normal(0, 0.1, (8, 16)) + 5.0 * (np.arange(16) == 0)
        if changed:
            vectors[8:14] = rng.normal(0, 0.1, (6, 16)) + 5.0 * (np.arange(16) == 3)
        return (vectors,)

    def constant(self):
        return (np.tile(np.arange(16.0), (20, 1)),)

    def feed(self, step, arguments):
        return [(new.number, new.size) for new in self.detector.assign(*arguments).new]
