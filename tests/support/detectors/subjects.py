"""Every detector behind one face, so that one suite can hold all of them to the same rules."""

import inspect

import numpy as np
from river import base, drift

from detectors.rates.detector import RateDetector
from detectors.river.vote import DriftVote

RATE = 0.02
"""The rate that all series begin with."""

SLOW = {"river.drift.KSWIN"}
"""Runs a two-sample test on each value: fed less of a stream."""

DRAWN = {"river.drift.DummyDriftDetector"}
"""Fires by its own clock whatever it is fed, which is what it is for."""


def drift_names():
    """Return the dotted names of all drift detector classes of River."""
    return {
        f"{module.__name__}.{name}"
        for module in (drift, drift.binary)
        for name, found in vars(module).items()
        if isinstance(found, type)
        and issubclass(found, base.DriftDetector | base.BinaryDriftDetector)
        and not inspect.isabstract(found)
    }


VOTERS = sorted(drift_names() - SLOW - DRAWN)


def successor_of(detector, state):
    """Return a detector that has taken over a state."""
    detector.restore(state)
    return detector


class RateSubject:
    """The rate detector, with a policy ceiling on one series and a parent for another."""

    name = "rates.RateDetector"
    error = ValueError

    def __init__(self, series: int, *, every: int = 1, detector: RateDetector | None = None) -> None:
        self.every = every
        self.detector = RateDetector(10) if detector is None else detector
        if detector is None:
            ceilings = np.full(series, np.inf)
            ceilings[0] = RATE
            parents = np.full(series, -1)
            self.detector.grow(np.full(1, RATE), ceilings=ceilings[:1])
            parents[-1] = 0
            self.detector.grow(np.full(series - 1, RATE), parents[1:], ceilings[1:])

    def feed(self, tick, series, trials, flagged):
        """Return what a tick brings to light, by series."""
        found = self.detector.update(tick, np.asarray(series), np.asarray(trials), np.asarray(flagged), 200.0)
        return sorted([*found.alarms, *found.recoveries], key=lambda finding: finding.series)

    def state(self):
        """Return the stored state."""
        return self.detector.state()

    def restored(self, state):
        """Return a successor."""
        return RateSubject(0, every=self.every, detector=successor_of(RateDetector(10), state))


class FallSubject(RateSubject):
    """The rate detector that looks for falls."""

    name = "rates.RateDetector falls"

    def __init__(self, series: int, *, every: int = 1, detector: RateDetector | None = None) -> None:
        super().__init__(
            series, every=every, detector=RateDetector(10, direction="down") if detector is None else detector
        )
        if detector is None:
            self.detector.grow(np.full(series, RATE))

    def restored(self, state):
        """Return a successor."""
        return FallSubject(0, every=self.every, detector=successor_of(RateDetector(10, direction="down"), state))


class VoteSubject:
    """A River detector as a vote."""

    error = ValueError

    def __init__(self, series: int, name: str = "river.drift.ADWIN", *, every: int = 2) -> None:
        self.name, self.every = name, every
        self.detector = DriftVote(name, every=every)
        self.detector.grow(series)

    def feed(self, tick, series, trials, flagged):
        """Return the votes of a tick, by series."""
        series = np.asarray(series)
        expected = np.full(series.shape, RATE)
        return sorted(self.detector.update(tick, series, np.asarray(trials), np.asarray(flagged), expected))

    def state(self):
        """Return the stored state."""
        return self.detector.state()

    def restored(self, state):
        """Return a successor."""
        successor = VoteSubject(0, self.name, every=self.every)
        successor.detector.restore(state)
        return successor


def subject(name: str, series: int = 4):
    """Return a fresh subject by name."""
    own = {RateSubject.name: RateSubject, FallSubject.name: FallSubject}
    return own[name](series) if name in own else VoteSubject(series, name)


NAMES = [RateSubject.name, FallSubject.name, *VOTERS]


def assert_same_state(one, other):
    """Hold two states against each other to the last bit."""
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype, name
        np.testing.assert_array_equal(array, other[name], err_msg=name)
