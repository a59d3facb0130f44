"""Counts of events by the minute, and watches that see them."""

import numpy as np

from detectors.volume.detector import (
    VolumeWatch,
)

DAY = 1_440

MONDAY = 4 * DAY

"""The fifth of January 1970."""


def cycle(minutes, level=3.0, swing=0.5):
    """Return expected counts with a daily cycle."""
    return level * (1 + swing * np.sin(2 * np.pi * np.asarray(minutes) / DAY))


def bursts(rng, rate, size):
    """Return counts of events that come in bursts of a geometric size."""
    number = rng.poisson(rate / size)
    return number + rng.negative_binomial(np.maximum(number, 1), 1 / size) * (number > 0)


def run(watch, counts, start, promise=1e6):
    """Feed counts (minutes x series) from a minute on and return the findings."""
    return [finding for at, row in enumerate(counts) for finding in watch.update(start + at, row, promise)]


def watching(rng, days, level=3.0, series=1):
    """Return a watch that has quietly seen days of traffic, and its next minute."""
    watch = VolumeWatch()
    watch.grow(series)
    rate = cycle(np.arange(days * DAY), level)[:, None]
    assert not run(watch, rng.poisson(rate, (days * DAY, series)).astype(float), MONDAY)
    return watch, MONDAY + days * DAY
