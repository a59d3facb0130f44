"""Every detector beside the rates behind one face: what it is fed, what it says, its state, what it refuses."""

import numpy as np

from detectors.canary import CanaryComparison
from detectors.distributions.mixes import MixDetector
from detectors.distributions.quantities import QuantityDetector
from detectors.events.odd import OddEvents
from detectors.events.patterns import PatternFinder
from detectors.events.rank_budget import RankBudget
from detectors.review.strata import ReviewSampler
from detectors.river.anomaly import RiverAnomaly
from detectors.volume.detector import VolumeWatch
from tests.support.detectors.metric import MetricScorer

START = 170_000_000
SERIES = 3


def cells(rng, wide, changed):
    """Return a tick of tables of counts: series, cells, counts."""
    pairs = np.sort(rng.choice(SERIES * wide, 12, replace=False))
    shift = wide // 3 if changed else 0
    return pairs // wide, np.minimum(pairs % wide + shift, wide - 1), rng.integers(1, 9, 12).astype(float)


def unique(series, at, counts):
    """Add up the cells that are named twice."""
    pairs, where = np.unique(series * 10_000 + at, return_inverse=True)
    return pairs // 10_000, pairs % 10_000, np.bincount(where, counts)


class Subject:
    """A detector of one kind with three series; arrays of a step are made by `arguments`."""

    timed = True
    bad = ()

    def __init__(self, detector=None):
        self.detector = self.make() if detector is None else detector

    def restored(self, state):
        """Return one that has taken over a state."""
        detector = self.make()
        detector.restore(state)
        return detector

    def successor(self):
        """Return one made from the state."""
        return type(self)(self.restored(self.detector.state()))


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


SUBJECTS = (
    Quantities, Mixes, Canaries, Odd, Ranks, River, RiverTrees, RiverMachine, Patterns, Volumes, Metrics, Samplers,
)  # fmt: skip
