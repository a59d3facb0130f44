"""The bets, and the promise that rests on them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from detectors.rates.likelihood import MULTIPLIERS, STAKES, log_likelihood_ratios, shiryaev_roberts

rates = st.floats(1e-6, 1 - 1e-9)


def mean_ratio(n, ceiling, rate):
    """Return E[L] of each multiplier for n trials at a rate, summed over every outcome."""
    k = np.arange(n + 1.0)
    ratios = log_likelihood_ratios(np.full(n + 1, float(n)), k, np.full(n + 1, ceiling))
    return binom.pmf(k, n, rate) @ np.exp(ratios)


@given(n=st.integers(1, 40), ceiling=rates)
def test_at_the_ceiling_the_bets_are_fair(n, ceiling):
    """With the rate at its ceiling E[L] is 1 for each multiplier, whatever the ceiling and the trials."""
    np.testing.assert_allclose(mean_ratio(n, ceiling, ceiling), 1, rtol=1e-6)


@given(n=st.integers(1, 40), ceiling=rates, share=st.just(0.0) | st.floats(1e-100, 1))
def test_below_the_ceiling_the_bets_lose(n, ceiling, share):
    """With the rate below its ceiling E[L] is at most 1: the promise needs no more than that."""
    assert (mean_ratio(n, ceiling, share * ceiling) <= 1 + 1e-6).all()


@pytest.mark.parametrize("rate", [0.002, 0.01, 0.05])
def test_the_run_length_keeps_its_promise_and_wastes_little(rate):
    """At the ceiling, A = 1e4: the mean run length lies in A to 1.6 A.

    About 700 false alarms are seen, so the standard error is 4 per cent; 1.4 A was measured with long runs.
    """
    promise, series, ticks, rng = 1e4, 100, 100_000, np.random.default_rng(1)
    evidence, alarms = np.zeros((series, len(MULTIPLIERS))), 0
    ones, ceiling = np.ones(series), np.full(series, rate)
    steps = {k: log_likelihood_ratios(ones, np.full(series, float(k)), ceiling)[0] for k in (0, 1)}
    table = np.stack([steps[0], steps[1]])
    for flags in rng.binomial(1, rate, (ticks, series)):
        evidence = shiryaev_roberts(evidence, table[flags], STAKES)
        alarming = evidence.mean(axis=1) >= promise
        if alarming.any():
            alarms += int(alarming.sum())
            evidence[alarming] = 0
    assert 1.0 <= series * ticks / alarms / promise <= 1.6


def test_a_failure_of_all_is_proven_by_few_in_a_row():
    """At a ceiling of .3 per cent and a promise of 200,000 ticks the third failure in a row alarms, not the fifth."""
    one, evidence = np.ones(1), np.zeros((1, len(MULTIPLIERS)))
    heights = []
    for _ in range(3):
        evidence = shiryaev_roberts(evidence, log_likelihood_ratios(one, one, np.array([0.003])), STAKES)
        heights.append(evidence.mean())
    assert heights[1] < 200_000 < heights[2]
    assert STAKES.mean() == pytest.approx(1)


def test_evidence_never_overflows():
    """A million flagged of a million at the least ceiling, tick after tick, stays a finite number."""
    n = np.array([1e6])
    ratios = log_likelihood_ratios(n, n, np.array([1e-9]))
    evidence = np.zeros((1, len(MULTIPLIERS)))
    for _ in range(3):
        evidence = shiryaev_roberts(evidence, ratios)
    assert np.isfinite(evidence.mean())
    assert np.isfinite(shiryaev_roberts(evidence, log_likelihood_ratios(n, 0 * n, np.array([0.5])))).all()
