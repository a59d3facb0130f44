"""The rate detector behind River's own interface."""

from typing import Any

import numpy as np
from river import base

from detectors.rates import RateDetector


class RateDriftDetector(base.BinaryDriftDetector):
    """Detect a rise of a rate from one 0 or 1 at a time.

    The rate detector of `detectors.rates` for one series, each update being a tick of one trial, without hours of
    the week. As with River's own detectors, the update after a drift goes on: the rate since the onset is then taken
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
