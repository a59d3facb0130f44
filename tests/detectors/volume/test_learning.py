"""What a volume watch learns, and what it never does."""

import numpy as np
import pytest

from detectors.volume.detector import (
    VolumeWatch,
)
from tests.support.detectors.counts import DAY, MONDAY, bursts, cycle, run, watching


def test_inflation_of_independent_events_is_one_however_the_rate_swings():
    """Poisson events with a strong daily cycle have an inflation under 1.25."""
    watch, _ = watching(np.random.default_rng(5), 4, level=10.0, series=10)
    assert watch.baseline.inflation().max() < 1.25


def test_a_gap_is_never_learned():
    """After a two-day gap the expected counts are those of before within a tenth, and the finding closes."""
    rng = np.random.default_rng(6)
    watch, now = watching(rng, 3)
    hours = now + 60 * np.arange(24)
    before = [watch.baseline.normal(int(minute)).expected[0] for minute in hours]
    [silent] = run(watch, np.zeros((2 * DAY, 1)), now)
    now += 2 * DAY
    assert watch.is_open(0)
    assert [watch.baseline.normal(int(minute)).expected[0] for minute in hours] == pytest.approx(before, rel=0.1)
    [recovered] = run(watch, rng.poisson(cycle(now + np.arange(120)))[:, None].astype(float), now)
    assert recovered.direction == "recovered"
    assert recovered.minute <= now + 30
    assert recovered.onset_minute >= now
    assert silent.series == recovered.series
    assert not watch.is_open(0)


def test_a_gap_that_is_not_proven_yet_is_not_learned_either():
    """Two hours of nothing in a source of bursts are no finding, and change nothing in what is normal."""
    rng = np.random.default_rng(15)
    watch = VolumeWatch()
    watch.grow(1)
    run(watch, bursts(rng, np.full((3 * DAY, 1), 3.0), 10.0).astype(float), MONDAY)
    now = MONDAY + 3 * DAY
    assert not watch.update(now, np.zeros(1), 1e6)
    before = watch.baseline.normal(now + 7 * DAY)
    assert not run(watch, np.zeros((119, 1)), now + 1)
    assert not watch.update(now + 120, np.full(1, 30.0), 1e6)
    np.testing.assert_array_equal(watch.baseline.normal(now + 7 * DAY), before)


def test_a_gap_that_is_over_within_the_hour_is_not_learned():
    """Of an hour with 20 minutes of nothing, a finding and a recovery, only normal minutes are learned."""
    rng = np.random.default_rng(16)
    watch, now = watching(rng, 3)
    before = watch.baseline.normal(now + 30).expected[0]
    rest = rng.poisson(3.3, (101, 1)).astype(float)
    assert [found.direction for found in run(watch, np.concatenate([np.zeros((20, 1)), rest]), now)] == [
        "silent",
        "recovered",
    ]
    assert watch.baseline.normal(now + DAY + 30).expected[0] > 0.97 * before


def test_the_daily_cycle_is_known_after_a_day():
    """A source that sleeps every night is silent in no night, and is so within 90 minutes when it doesn't wake up."""
    rng = np.random.default_rng(8)
    minutes = np.arange(4 * DAY)
    rate = np.where(minutes % DAY < 8 * 60, 0.02, 4.0)[:, None]
    watch = VolumeWatch()
    watch.grow(1)
    assert not run(watch, rng.poisson(rate).astype(float), MONDAY)
    now = MONDAY + 4 * DAY
    assert not run(watch, np.zeros((8 * 60 - 30, 1)), now)
    assert [finding.direction for finding in run(watch, np.zeros((120, 1)), now + 8 * 60 - 30)] == ["silent"]


def test_what_comes_back_each_week_becomes_normal():
    """A source that rests at weekends is silent on the first and known on the second; a gap in the week is found."""
    rng, day = np.random.default_rng(17), 288
    watch = VolumeWatch(minute_seconds=300, warm_up_minutes=day)
    watch.grow(1)
    ticks = np.arange(22 * day)
    rate = np.where(ticks // day % 7 < 5, 50.0, 5.0)
    rate[-100:] = 0
    found = run(watch, rng.poisson(rate)[:, None].astype(float), 4 * day)
    silences = [(finding.minute - 4 * day) // day for finding in found if finding.direction == "silent"]
    assert silences == [5, 21]


def test_accepting_the_new_normal_starts_anew():
    """A source that was switched off for good is accepted, and raises nothing any more."""
    watch, now = watching(np.random.default_rng(11), 3)
    run(watch, np.zeros((60, 1)), now)
    assert watch.is_open(0)
    watch.accept(0)
    assert not watch.is_open(0)
    assert not run(watch, np.zeros((2 * DAY, 1)), now + 60)
