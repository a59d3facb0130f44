"""What a fleet's rates say of one more series: near or far, sure or not, and never too little doubt."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma

from detectors.rates.baseline import Baseline
from detectors.rates.detector import RateDetector
from detectors.rates.fleet import LEAST_MEMBERS, MOST_EVENTS, fitted

DAY = 1_440
START = 19_675 * DAY


def fleet_of(rng, shape, mean, count, trials):
    """Return the counts of a fleet whose rates come from a Gamma distribution."""
    n = np.round(trials * np.exp(rng.normal(0, 0.7, count)))
    return n, rng.poisson(n * rng.gamma(shape, mean / shape, count)).astype(float)


@pytest.mark.parametrize("shape", [0.3, 1.0, 2.0, 20.0])
def test_the_ceiling_of_the_fleet_covers_one_more_rate(shape):
    """In 200 fleets of 20 services, what the prior allows with 95 per cent is above 93 of 100 further rates."""
    rng, covered = np.random.default_rng(1), []
    for _ in range(200):
        prior = fitted(*fleet_of(rng, shape, 0.004, 20, 1_500.0))
        ceiling = gamma.ppf(0.95, prior.events) / prior.events * prior.rate
        covered.append(gamma.cdf(ceiling, shape, scale=0.004 / shape))
    assert np.mean(covered) >= 0.93


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), shape=st.floats(0.2, 30), count=st.integers(0, 60))
def test_a_prior_is_a_rate_and_speaks_for_few_events(seed, shape, count):
    """Whatever the fleet, there is none of too few, and else a rate between 0 and 1 with 1 to 3 pseudo events."""
    n, k = fleet_of(np.random.default_rng(seed), shape, 0.01, count, 500.0)
    prior = fitted(n, np.minimum(k, n))
    if count < LEAST_MEMBERS:
        assert prior is None
    if prior is not None:
        assert 1 <= prior.events <= MOST_EVENTS
        assert 0 < prior.rate < 1


def taught(trials, flagged):
    """Return a baseline of a fleet that has been seen for two days, from a prior of 5 per cent."""
    count = len(flagged)
    made, rows = Baseline(60), np.arange(count)
    made.grow(np.full(count, 0.05), ceilings=np.full(count, 0.05))
    for day in (0, 2):
        made.learn(rows, START + day * DAY, np.array(trials) / 2, np.array(flagged) / 2)
    return made


def test_a_series_like_its_fleet_is_trusted_early_and_one_unlike_it_is_not():
    """Of a thin series with nothing flagged the fleet brings the ceiling down; one at ten per cent is heard alone."""
    made = taught([4_000] * 10 + [400, 400], [20, 16, 24, 18, 22, 19, 21, 20, 17, 23, 0, 40])
    rows, now = np.arange(12), START + 2 * DAY + 1
    before = made.rates(rows, now)
    made.learn_fleet(rows[:10], rows, now)
    after = made.rates(rows, now)
    assert after[1][10] < 0.9 * before[1][10]
    assert after[1][11] == before[1][11] > 0.05


def test_the_first_day_and_what_was_accepted_do_not_listen_to_the_fleet():
    """A series of today keeps its prior, and so does one whose new normal a person has accepted."""
    made = taught([400] * 10, [2] + [1] * 9)
    made.grow(np.array([0.05]))
    made.learn(np.array([10]), START + 2 * DAY, np.array([10.0]), np.array([0.0]))
    made.restart(0, START, 1_000.0, 2.0)
    rows, now = np.arange(11), START + 2 * DAY + 1
    made.learn_fleet(rows, rows, now)
    assert (made.fleet_events[1:10] > 0).all()
    assert made.fleet_events[10] == 0
    assert made.fleet_events[0] < 0


def test_a_fleet_of_young_series_keeps_the_promise():
    """300 series of .05 to 2 % from a prior of 5 %, a fleet that speaks four times a day, 8 days: few false alarms.

    At A = 1e4 ticks of a quarter of an hour 23 are allowed; the rates differ by a factor of 40. About half of them
    listen: those above the middle of the fleet do not.
    """
    rng, count, ticks = np.random.default_rng(1), 300, 96
    rate = np.exp(rng.uniform(np.log(0.0005), np.log(0.02), count))
    traffic = np.exp(rng.uniform(np.log(100), np.log(2_000), count)) / ticks
    detector, rows, false = RateDetector(900), np.arange(count), 0
    detector.grow(np.full(count, 0.05))
    for tick in range(8 * ticks):
        if tick % 24 == 0:
            detector.baseline.learn_fleet(rows, rows, START // 15 + tick)
        n = rng.poisson(traffic) * 1.0
        some = n > 0
        k = rng.binomial(n[some].astype(int), rate[some]) * 1.0
        false += len(detector.update(START // 15 + tick, rows[some], n[some], k, 1e4).alarms)
    assert 0.3 < np.mean(detector.baseline.fleet_events > 0) < 0.8
    assert false <= 0.5 * count * 8 * ticks / 1e4
