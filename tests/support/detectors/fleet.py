"""Many alike series under one rate detector."""

import numpy as np

from detectors.rates.detector import RateDetector

ONE = np.array([0])

START = 170_000_000

DAY = 8_640


class Fleet:
    """Many alike series under one detector, with time running on."""

    def __init__(self, series, prior, *, tick_seconds=10, policy=True, seed=0, promise=1e6, gap=1):
        self.detector = RateDetector(tick_seconds)
        self.detector.grow(np.full(series, prior), ceilings=np.full(series, prior) if policy else None)
        self.rows, self.rng, self.promise, self.gap = np.arange(series), np.random.default_rng(seed), promise, gap
        self.tick = START * 10 // tick_seconds

    def run(self, ticks, trials, rate, *, until_all=False):
        """Feed Poisson or fixed (negative) trials; return the alarms, and the recoveries."""
        alarms, recoveries = [], []
        for _ in range(ticks):
            self.tick += self.gap
            n = self.rng.poisson(trials, len(self.rows)) if trials > 0 else np.full(len(self.rows), -trials)
            k = self.rng.binomial(n, rate)
            found = self.detector.update(self.tick, self.rows, n.astype(float), k.astype(float), self.promise)
            alarms += found.alarms
            recoveries += found.recoveries
            if until_all and len(alarms) >= until_all * len(self.rows):
                break
        return alarms, recoveries

    @property
    def level(self):
        """Mean levels of all series."""
        return self.detector.baseline.level(self.rows)
