"""Intervals and the budget."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from detectors.budget import threshold
from detectors.intervals import confidence_sequence, wilson

counts = st.integers(0, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
both = pytest.mark.parametrize("interval", [wilson, confidence_sequence])


@both
@given(count=counts)
def test_an_interval_holds_what_was_seen(interval, count):
    """0 <= low <= k / n <= high <= 1, and without trials it is everything."""
    low, high = (float(end) for end in interval(np.array(float(count[0])), np.array(float(count[1]))))
    if count[1] == 0:
        assert (low, high) == (0.0, 1.0)
    else:
        assert 0 <= low <= count[0] / count[1] + 1e-9
        assert count[0] / count[1] - 1e-9 <= high <= 1


@both
@given(count=counts)
def test_flagged_and_unflagged_mirror_each_other(interval, count):
    """The interval of n - k is that of k seen from the other end."""
    k, n = np.array(float(count[0])), np.array(float(count[1]))
    low, high = interval(k, n)
    mirrored_low, mirrored_high = interval(n - k, n)
    assert float(low) == pytest.approx(1 - float(mirrored_high), abs=1e-9)
    assert float(high) == pytest.approx(1 - float(mirrored_low), abs=1e-9)


@both
def test_more_confidence_is_wider_and_more_data_is_narrower(interval):
    """99 % holds 95 %; ten times the counts lie within."""
    k, n = np.array([5.0]), np.array([100.0])
    (low,), (high,) = interval(k, n)
    (wide_low,), (wide_high,) = interval(k, n, confidence=0.99)
    (more_low,), (more_high,) = interval(10 * k, 10 * n)
    assert wide_low < low < more_low < 0.05 < more_high < high < wide_high


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_wilson_holds_the_rate_as_often_as_it_says(rate):
    """Over all outcomes of 1,000 trials the 95 % interval holds the rate with probability 93.5 to 97 %."""
    k = np.arange(1001.0)
    low, high = wilson(k, np.full(1001, 1000.0))
    assert 0.935 <= binom.pmf(k, 1000, rate)[(low <= rate) & (rate <= high)].sum() <= 0.97


@pytest.mark.parametrize("rate", [0.01, 0.2])
def test_the_confidence_sequence_holds_at_all_times_at_once(rate):
    """Looked at after each of 2,000 trials, at most 5 % of 200 streams ever leave it; Wilson is left by far more."""
    flags = np.random.default_rng(1).random((200, 2000)) < rate
    k, n = flags.cumsum(axis=1).astype(float), np.broadcast_to(np.arange(1.0, 2001), (200, 2000))
    left = {
        interval: ((rate < low) | (rate > high)).any(axis=1).mean()
        for interval in (wilson, confidence_sequence)
        for low, high in [interval(k, n)]
    }
    assert left[confidence_sequence] <= 0.05
    assert left[wilson] >= 0.2


@both
@pytest.mark.parametrize(("k", "n"), [(2.0, 1.0), (-1.0, 1.0), (np.nan, 1.0), (0.0, np.nan), (0.0, np.inf)])
def test_impossible_counts_are_refused(interval, k, n):
    """Counts that cannot be have no interval."""
    with pytest.raises(ValueError, match="counts must"):
        interval(np.array([k]), np.array([n]))


@both
@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, np.nan])
def test_impossible_confidence_is_refused(interval, confidence):
    """A confidence is above 0 and below 1."""
    with pytest.raises(ValueError, match="confidence"):
        interval(np.array([1.0]), np.array([2.0]), confidence)


def test_shapes_and_priors_are_checked():
    """Counts of two shapes, and a mixture that is none, are refused."""
    with pytest.raises(ValueError, match="shape"):
        wilson(np.zeros(2), np.ones(3))
    with pytest.raises(ValueError, match="above 0"):
        confidence_sequence(np.zeros(1), np.ones(1), prior=(0.0, 1.0))


def test_a_budget_is_shared_by_all_ticks_of_all_series():
    """Twice the series or ticks, or half the budget, is twice the threshold; it is never below 1."""
    assert threshold(100, 8640, 1) == 864_000
    assert threshold(200, 8640, 1) == threshold(100, 8640 * 2, 1) == threshold(100, 8640, 0.5) == 2 * 864_000
    assert threshold(1, 8640, 50) == 7 * 8640
    assert threshold(0, 0, 50) == 1.0


@pytest.mark.parametrize(
    ("series", "ticks", "budget"),
    [(1, 1, 0), (1, 1, -1), (1, 1, np.nan), (-1, 1, 1), (1, -1, 1), (np.nan, 1, 1), (1, np.inf, 1)],
)
def test_impossible_budgets_are_refused(series, ticks, budget):
    """A budget that nobody can keep, or counts that cannot be, are refused."""
    with pytest.raises(ValueError, match="must be"):
        threshold(series, ticks, budget)
