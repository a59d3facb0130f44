"""The rate and the quantity detector behind River's own interface."""

from typing import Any

import numpy as np
from river import base

from detectors.distributions.quantities import QuantityDetector
from detectors.rates.detector import RateDetector


class RateDriftDetector(base.BinaryDriftDetector):
    """Detect a rise of a rate from one 0 or 1 at a time.

    The rate detector of `detectors.rates.detector` for one series, each update being a tick of one trial, without hours
    of the week. As with River's own detectors, the update after a drift goes on: the rate since the onset is then taken
    for the new normal, and only a rise above that is the next drift.

    Parameters
    ----------
    prior
        The rate that is normal until the stream has shown its own; above 0, below 1.
    run_length
        At least this many updates pass on average before a false alarm; at least 1.

    Raises
    ------
    ValueError
        Where a parameter or an observation cannot be.

    Examples
    --------
    >>> detector = RateDriftDetector(prior=0.01, run_length=10_000)
    >>> for _ in range(3000):
    ...     detector.update(False)
    >>> seen = 0
    >>> while not detector.drift_detected:
    ...     seen += 1
    ...     detector.update(seen % 5 == 0)
    >>> seen < 60
    True
    """

    def __init__(self, prior: float = 0.01, run_length: float = 100_000) -> None:
        super().__init__()
        if not 0 < prior < 1:
            raise ValueError(f"a prior rate of {prior} must be above 0 and below 1")
        if not run_length >= 1:
            raise ValueError(f"a run length of {run_length} must be at least 1")
        self.prior = prior
        self.run_length = run_length
        self._reset()

    def _reset(self) -> None:
        super()._reset()
        self._tick = 0
        self._detector = RateDetector(tick_seconds=1, seasonal=False)
        self._detector.grow(np.array([self.prior]))

    @classmethod
    def _unit_test_params(cls) -> Any:
        yield {"prior": 0.05, "run_length": 1000}

    def update(self, x: bool) -> None:  # noqa: FBT001
        """Take one observation, 0 or 1."""
        if x not in (0, 1):
            raise ValueError(f"an observation must be 0 or 1, not {x!r}")
        if self._detector.is_open(0):
            self._detector.accept(0)
        one = np.array([0]), np.array([1.0]), np.array([float(x)])
        self._drift_detected = bool(self._detector.update(self._tick, *one, self.run_length).alarms)
        self._tick += 1


class QuantityDriftDetector(base.DriftDetector):
    """Detect a change of the distribution of a quantity, one value at a time.

    The quantity detector of `detectors.distributions.quantities` for one series, each update being a tick of one value.
    It learns the first three hundred values, and after a drift the values that follow.

    Parameters
    ----------
    lower, upper
        Where most values lie; what lies beyond is counted as if it lay at the end.
    run_length
        At least this many updates pass on average before a false alarm; at least 1.

    Raises
    ------
    ValueError
        Where a parameter or a value cannot be.

    Examples
    --------
    >>> detector, rng = QuantityDriftDetector(lower=0, upper=20, run_length=100_000), np.random.default_rng(1)
    >>> for value in rng.normal(10, 1, 3000):
    ...     detector.update(value)
    >>> seen = 0
    >>> while not detector.drift_detected:
    ...     seen += 1
    ...     detector.update(rng.normal(11, 1))
    >>> seen < 60
    True
    """

    BINS = 160

    def __init__(self, lower: float = 0.0, upper: float = 1.0, run_length: float = 100_000) -> None:
        super().__init__()
        if not lower < upper:
            raise ValueError(f"lower ({lower}) must lie below upper ({upper})")
        if not run_length >= 1:
            raise ValueError(f"a run length of {run_length} must be at least 1")
        self.lower, self.upper, self.run_length = lower, upper, run_length
        self._reset()

    def _reset(self) -> None:
        super()._reset()
        self._tick = 0
        self._detector = QuantityDetector(tick_seconds=1, bins=self.BINS)
        self._detector.grow(1)

    @classmethod
    def _unit_test_params(cls) -> Any:
        yield {"lower": -5.0, "upper": 5.0, "run_length": 1000}

    def update(self, x: float) -> None:
        """Take one value, finite."""
        if not np.isfinite(x):
            raise ValueError(f"a value must be finite, not {x!r}")
        if self._detector.is_open(0):
            self._detector.accept(0)
        at = int(np.clip((x - self.lower) / (self.upper - self.lower) * self.BINS, 0, self.BINS - 1))
        found = self._detector.update(self._tick, np.array([0]), np.array([at]), np.array([1.0]), self.run_length)
        self._drift_detected = bool(found)
        self._tick += 1
