"""Silence and flood: delay, onset, quiet weeks, recovery."""

import numpy as np
import pytest

from detectors.volume.detector import (
    VolumeWatch,
)
from tests.support.detectors.counts import DAY, MONDAY, bursts, cycle, run, watching


def test_silence_is_found_in_the_gap_and_its_onset_is_right():
    """At 3 events a minute a gap after four days is found within 20 minutes, its onset within 3."""
    watch, now = watching(np.random.default_rng(1), 4)
    [found] = run(watch, np.zeros((30, 1)), now)
    assert found.direction == "silent"
    assert found.minute <= now + 20
    assert abs(found.onset_minute - now) <= 3
    assert found.e_value >= 1e6
    assert found.observed < 0.2 * found.expected


def test_a_partial_fall_and_a_flood_are_found():
    """A fall to a fifth is found within an hour, four times the traffic within a quarter of an hour."""
    for factor, direction, minutes in ((0.2, "silent", 60), (4.0, "flood", 15)):
        rng = np.random.default_rng(2)
        watch, now = watching(rng, 4)
        rate = factor * cycle(now + np.arange(minutes))[:, None]
        [found] = run(watch, rng.poisson(rate).astype(float), now)
        assert found.direction == direction


def test_quiet_weeks_are_quiet():
    """60 series with daily cycles, levels from 0.05 to 20 and a level that swings by 20 % give no finding in 8 days."""
    rng, series, minutes = np.random.default_rng(3), 60, np.arange(8 * DAY)
    watch = VolumeWatch()
    watch.grow(series)
    swing = np.repeat(rng.uniform(0.8, 1.2, (8, series)), DAY, axis=0)
    rate = cycle(minutes, 1.0)[:, None] * np.geomspace(0.05, 20, series) * swing
    assert not run(watch, rng.poisson(rate).astype(float), MONDAY)


def test_bursts_are_not_floods_and_their_pauses_not_silence():
    """Bursts of 10 events on average, once each 10 minutes on average, give no finding in 5 days in 20 series."""
    rng, series = np.random.default_rng(4), 20
    watch = VolumeWatch()
    watch.grow(series)
    assert not run(watch, bursts(rng, np.full((5 * DAY, series), 1.0), 10.0).astype(float), MONDAY)
    assert watch.baseline.inflation() == pytest.approx(np.full(series, 19.0), rel=0.25)  # E[B^2] / E[B]


def test_a_flood_stays_open_until_it_is_over():
    """A flood of ten times the traffic is one finding for as long as it lasts, and recovers after it."""
    rng = np.random.default_rng(7)
    watch, now = watching(rng, 3)
    flood = rng.poisson(10 * cycle(now + np.arange(300)))[:, None].astype(float)
    assert [finding.direction for finding in run(watch, flood, now)] == ["flood"]
    calm = rng.poisson(cycle(now + 300 + np.arange(120)))[:, None].astype(float)
    assert [finding.direction for finding in run(watch, calm, now + 300)] == ["recovered"]


def test_no_verdict_before_the_warm_up_is_over_or_without_a_first_event():
    """A source that was never seen is not silent; one that stops after half a day is not judged yet."""
    rng = np.random.default_rng(9)
    watch = VolumeWatch()
    watch.grow(2)
    counts = np.zeros((3 * DAY, 2))
    counts[DAY : DAY + DAY // 2, 1] = rng.poisson(5, DAY // 2)
    assert not run(watch, counts[: 2 * DAY], MONDAY)


def test_a_skipped_minute_says_nothing():
    """A gap in the minutes, and not of zeros, raises nothing; the minutes that come are judged as ever."""
    watch, now = watching(np.random.default_rng(10), 3)
    assert not watch.update(now + 240, np.array([3.0]), 1e6)


def test_a_constant_stream_never_alarms():
    """The same count every minute, none or many, is normal even at a low promise."""
    watch = VolumeWatch()
    watch.grow(4)
    assert not run(watch, np.tile([0.0, 1.0, 7.0, 1e6], (3 * DAY, 1)), MONDAY, promise=1e3)
