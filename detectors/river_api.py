"""The rate detector behind River's own interface."""

import numpy as np
from river import base

from detectors.rates import RateDetector


class RateDriftDetector(base.BinaryDriftDetector):
    """Detect a rise of a rate from one 0 or 1 at a time.

    Parameters
    ----------
    prior
        The rate that is normal until the stream has shown its own.
    run_length
        At least this many updates pass on average before a false alarm.

    Examples
    --------
    >>> detector = RateDriftDetector(prior=0.01, run_length=10_000)
    >>> for _ in range(3000):
    ...     detector.update(False)
    >>> found = 0
    >>> while not detector.drift_detected:
    ...     found += 1
    ...     detector.update(found % 5 == 0)
    >>> found < 60
    True
    """

    def __init__(self, prior: float = 0.01, run_length: float = 100_000) -> None:
        super().__init__()
        self.prior = prior
        self.run_length = run_length
        self._reset()

    def _reset(self) -> None:
        super()._reset()
        self._tick = 0
        self._detector = RateDetector(tick_seconds=1)
        self._detector.grow(np.array([self.prior]))

    def update(self, x: bool) -> None:  # noqa: FBT001
        """Take one observation; after an alarm the detector starts over."""
        if self.drift_detected:
            self._reset()
        self._tick += 1
        one = np.array([0]), np.array([1.0]), np.array([float(x)])
        self._drift_detected = bool(self._detector.update(self._tick, *one, self.run_length).alarms)
