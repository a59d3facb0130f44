"""What every detector beside rates is asked by the tests that hold for all of them."""

import numpy as np

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
