"""Bets on silence and flood are fair, and alarms as rare as promised."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from tests.support.detectors.counts import run, watching


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


def test_a_count_of_any_size_gives_a_finite_e_value():
    """A minute of 10^12 events opens a flood, and silence after it closes it, with finite evidence."""
    watch, now = watching(np.random.default_rng(13), 2)
    found = run(watch, np.array([[1e12], *[[0.0]] * 5]), now)
    assert [finding.direction for finding in found] == ["flood", "recovered"]
    assert np.isfinite([finding.e_value for finding in found]).all()
