"""Volumes, metrics, samplers and sequences of reviews."""

import numpy as np

from detectors.review.strata import ReviewSampler
from detectors.volume.detector import VolumeWatch
from tests.support.detectors.metric import MetricScorer
from tests.support.detectors.others.base import SERIES, START, Subject


class Volumes(Subject):
    """`VolumeWatch`."""

    bad = (([np.nan] * 3,), ([-1.0] * 3,), ([1.0],), ([0.5] * 3,))

    def make(self):
        detector = VolumeWatch(1_800, warm_up_minutes=60)
        detector.grow(SERIES)
        return detector

    def arguments(self, rng, changed):
        return (rng.poisson([0.0, 5.0, 30.0] if changed else [10.0, 5.0, 30.0]).astype(float),)

    def constant(self):
        return (np.array([4.0, 5.0, 6.0]),)

    def feed(self, step, arguments):
        return self.detector.update(START // 6 + step, *(np.asarray(array) for array in arguments), 1e3)


class Metrics(Subject):
    """`MetricScorer`: a score above one half stands for an alarm."""

    timed = False
    bad = ((0.0, np.nan), (np.inf, 1.0))

    def make(self):
        return MetricScorer()

    def arguments(self, rng, changed):
        return rng.integers(0, 9) * 300.0, float(rng.normal(10 + 60 * changed, 1))

    def constant(self):
        return 600.0, 5.0

    def feed(self, step, arguments):
        score = self.detector.update(step * 600.0 + arguments[0], arguments[1])
        return [score] if score > 0.5 else []


class Samplers(Subject):
    """`ReviewSampler`: what it says is which events are in the highest stratum for sure."""

    timed = False
    bad = (([-0.1],), ([1.5],))

    def make(self):
        return ReviewSampler(100.0)

    def arguments(self, rng, changed):
        return (np.append(rng.beta(1, 60, 60), 0.99 if changed else 0.01),)

    def constant(self):
        return (np.full(50, 0.2),)

    def feed(self, step, arguments):
        strata = self.detector.strata(*arguments)
        self.detector.learn(*arguments)
        if step % 100 == 99:
            self.detector.renew(days=1.0)
        return np.flatnonzero(strata == 6).tolist() if step > 200 and len(set(arguments[0])) > 1 else []
