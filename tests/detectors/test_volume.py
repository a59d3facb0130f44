"""Silence and flood: valid bets, delay, quiet weeks, quarantine, recovery, state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import StateError
from detectors.volume.baseline import Normal
from detectors.volume.detector import (
    FALL_SLACK,
    FALLS,
    RECOVERED_FALLS,
    RECOVERED_RISES,
    RISE_SLACK,
    RISES,
    VolumeWatch,
    _fall_bets,
    _rise_bets,
)
from tests.support.detectors.subjects import successor_of

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


def mean_of_bet(bets, sizes, chances, mean, bound, multiples):
    """Return E[L] for bursts of these sizes with these chances, Poisson in number, at a mean count."""
    mean_size = sizes @ chances
    inflation = np.array([max(sizes**2 @ chances / mean_size, 1.0)])
    intercept = bets(np.array([0.0]), np.array([bound]), inflation, multiples)[0]
    slope = bets(np.array([1.0]), np.array([bound]), inflation, multiples)[0] - intercept
    return np.exp(intercept + mean / mean_size * (np.exp(slope[:, None] * sizes) @ chances - 1))


@settings(max_examples=60, deadline=None)
@given(
    chances=st.lists(st.floats(0.001, 1), min_size=1, max_size=40),
    bound=st.floats(0.01, 50),
    above=st.floats(1, 3),
)
def test_a_bet_on_a_fall_is_fair_for_bursts_of_any_sizes(chances, bound, above):
    """E[L] is at most 1 whatever the sizes of independent bursts, at every mean count from the bound up."""
    sizes, chance = np.arange(1.0, len(chances) + 1), np.array(chances) / sum(chances)
    for shares in (FALLS, RECOVERED_FALLS):
        assert (mean_of_bet(_fall_bets, sizes, chance, bound * above, bound, shares) <= 1 + 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(size=st.floats(1, 30), bound=st.floats(0.01, 50), below=st.floats(0.1, 1))
def test_a_bet_on_a_rise_is_fair_for_bursts_with_an_exponential_tail(size, bound, below):
    """E[L] is at most 1 for bursts of geometric size and of one size, at every mean count up to the bound."""
    sizes = np.arange(1.0, 40 * size)
    geometric = (1 - 1 / size) ** (sizes - 1) / size
    one = np.array([np.floor(size)])
    for multiples in (RISES, RECOVERED_RISES):
        for these, chance in ((sizes, geometric / geometric.sum()), (one, np.ones(1))):
            assert (mean_of_bet(_rise_bets, these, chance, bound * below, bound, multiples) <= 1 + 1e-9).all()


@pytest.mark.parametrize("bound", ["least", "most"])
def test_run_length_keeps_the_promise(bound):
    """With the mean count at the edge of the slack, the mean run length is at least A."""
    promise, series, minutes, rng = 300.0, 400, 3_000, np.random.default_rng(14)
    watch, rows, level = VolumeWatch(), np.arange(series), np.full(series, 2.0)
    watch.grow(series)
    normal = Normal(level, level, level, np.ones(series), np.full(series, 1e9))
    mean = 2.0 * (FALL_SLACK if bound == "least" else RISE_SLACK)
    alarms = sum(len(watch._judge(rows, rng.poisson(mean, series), normal, promise)) for _ in range(minutes))
    assert 0 < alarms <= series * minutes / promise


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


def test_a_flood_stays_open_until_it_is_over():
    """A flood of ten times the traffic is one finding for as long as it lasts, and recovers after it."""
    rng = np.random.default_rng(7)
    watch, now = watching(rng, 3)
    flood = rng.poisson(10 * cycle(now + np.arange(300)))[:, None].astype(float)
    assert [finding.direction for finding in run(watch, flood, now)] == ["flood"]
    calm = rng.poisson(cycle(now + 300 + np.arange(120)))[:, None].astype(float)
    assert [finding.direction for finding in run(watch, calm, now + 300)] == ["recovered"]


def test_the_daily_cycle_is_known_after_a_day():
    """A source that sleeps every night is silent in no night, and is so within 90 minutes when it doesn't wake up."""
    rng = np.random.default_rng(8)
    minutes = np.arange(5 * DAY)
    rate = np.where(minutes % DAY < 8 * 60, 0.02, 4.0)[:, None]
    watch = VolumeWatch()
    watch.grow(1)
    assert not run(watch, rng.poisson(rate).astype(float), MONDAY)
    now = MONDAY + 5 * DAY
    assert not run(watch, np.zeros((8 * 60 - 30, 1)), now)
    assert [finding.direction for finding in run(watch, np.zeros((120, 1)), now + 8 * 60 - 30)] == ["silent"]


def test_what_comes_back_each_week_becomes_normal():
    """A source that rests at weekends is silent on the first two and known on the third; a gap in the week is found."""
    rng, day = np.random.default_rng(17), 288
    watch = VolumeWatch(minute_seconds=300, warm_up_minutes=day)
    watch.grow(1)
    ticks = np.arange(22 * day)
    rate = np.where(ticks // day % 7 < 5, 50.0, 5.0)
    rate[-100:] = 0
    found = run(watch, rng.poisson(rate)[:, None].astype(float), 4 * day)
    silences = [(finding.minute - 4 * day) // day for finding in found if finding.direction == "silent"]
    assert silences == [5, 12, 21]


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


def test_accepting_the_new_normal_starts_anew():
    """A source that was switched off for good is accepted, and raises nothing any more."""
    watch, now = watching(np.random.default_rng(11), 3)
    run(watch, np.zeros((60, 1)), now)
    assert watch.is_open(0)
    watch.accept(0)
    assert not watch.is_open(0)
    assert not run(watch, np.zeros((2 * DAY, 1)), now + 60)


@settings(max_examples=10, deadline=None)
@given(cut=st.integers(0, 400), seed=st.integers(0, 9), promise=st.sampled_from([20.0, 1e6]))
def test_state_round_trip_changes_nothing(cut, seed, promise):
    """Stored and restored in mid-stream, findings and state are equal to the last bit, and counts are left alone."""
    rng = np.random.default_rng(seed)
    plain, other = VolumeWatch(warm_up_minutes=120), VolumeWatch(warm_up_minutes=120)
    plain.grow(3)
    other.grow(3)
    counts = rng.poisson([0.5, 3, 20], (400, 3)).astype(float)
    counts[200:300] *= np.array([1, 0, 5])
    for at, row in enumerate(counts):
        given_row = row.copy()
        expected = plain.update(MONDAY + 10 * at, row, promise)
        assert (row == given_row).all()
        if at == cut:
            stored = other.state()
            other = successor_of(VolumeWatch(warm_up_minutes=120), stored)
            for array in stored.values():
                array[...] = 0
        assert other.update(MONDAY + 10 * at, row, promise) == expected
    for name, array in plain.state().items():
        np.testing.assert_array_equal(array, other.state()[name])


def test_a_series_does_not_depend_on_its_neighbours():
    """Alone or among others, and grown later than they, a series has the same findings."""
    rng = np.random.default_rng(12)
    counts = rng.poisson(3, (DAY + 300, 2)).astype(float)
    counts[DAY + 200 :] = 0
    alone, among, silences = VolumeWatch(), VolumeWatch(), 0
    alone.grow(1)
    among.grow(1)
    for at, row in enumerate(counts):
        if at == 5:
            among.grow(1)
        found = alone.update(MONDAY + at, row[:1], 1e6)
        silences += len(found)
        assert [other for other in among.update(MONDAY + at, row[: len(among)], 1e6) if other.series == 0] == found
    assert silences == 1


@pytest.mark.parametrize("counts", [[np.nan], [np.inf], [-1.0], [0.5], [1.0, 2.0], 1.0])
def test_impossible_counts_are_refused(counts):
    """Counts that cannot be are refused and change nothing."""
    watch = VolumeWatch()
    watch.grow(1)
    with pytest.raises(ValueError, match="counts must be"):
        watch.update(1, np.array(counts), 1e6)
    assert watch.minute == -1


def test_time_goes_forwards():
    """The same minute again, or an older one, is refused."""
    watch = VolumeWatch()
    watch.grow(1)
    watch.update(5, np.array([1.0]), 1e6)
    for minute in (5, 4):
        with pytest.raises(ValueError, match="in order"):
            watch.update(minute, np.array([1.0]), 1e6)


def test_another_version_of_state_is_refused():
    """State of a newer version is refused, with its version named."""
    state = VolumeWatch().state()
    state["version"] = np.array([99])
    with pytest.raises(StateError, match="99"):
        successor_of(VolumeWatch(), state)


def test_a_count_of_any_size_gives_a_finite_e_value():
    """A minute of 10^12 events opens a flood, and silence after it closes it, with finite evidence."""
    watch, now = watching(np.random.default_rng(13), 2)
    found = run(watch, np.array([[1e12], *[[0.0]] * 5]), now)
    assert [finding.direction for finding in found] == ["flood", "recovered"]
    assert np.isfinite([finding.e_value for finding in found]).all()
