"""Candidate against stable: promises, power, shares, bins, state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import StateError
from detectors.canary import NOT_WORSE, WORSE, CanaryComparison, _log_bets, exceedances
from tests.support.detectors.subjects import successor_of

MINUTES = 1_440


def watch(seed, ratio, pairs=300, ticks=600, share=lambda _: 0.05, base=0.01, per_tick=600):
    """Watch pairs under a common day cycle and return the comparison."""
    rng, canary, rows = np.random.default_rng(seed), CanaryComparison(), np.arange(pairs)
    canary.grow(pairs)
    for tick in range(ticks):
        p = base * (1 + 0.5 * np.sin(2 * np.pi * tick / MINUTES))
        c = rng.poisson(per_tick * share(tick), pairs)
        s = rng.poisson(per_tick * (1 - share(tick)), pairs)
        canary.update(tick, rows, c, rng.binomial(c, p * ratio), s, rng.binomial(s, p))
    return canary


def shares(canary):
    """Return the share of pairs of each verdict."""
    found = canary.verdict(np.arange(len(canary))).verdict
    return {name: float((found == name).mean()) for name in ("worse", "not worse", "undecided")}


def test_equal_versions_are_seldom_called_worse_under_a_common_swing():
    """With a common day cycle of half the rate, at most 5 % of equal candidates are ever called worse."""
    assert shares(watch(1, 1.0))["worse"] <= 0.05


def test_a_ramp_of_the_share_calls_no_equal_version_worse():
    """Ramped from 1 to 50 % while the common rate rises, at most 5 % of equal candidates are called worse."""
    assert shares(watch(2, 1.0, share=lambda tick: min(0.5, 0.01 * 2 ** (tick // 100))))["worse"] <= 0.05


def test_a_doubling_is_proven():
    """A candidate of twice the rate is called worse in a day of minutes, and never not worse."""
    found = shares(watch(3, 2.0, pairs=100, ticks=400))
    assert found["worse"] >= 0.95
    assert found["not worse"] == 0


def test_at_the_margin_a_candidate_is_seldom_called_not_worse():
    """A candidate of 1.5 times the rate reaches the evidence for "not worse" in at most 5 % of pairs."""
    canary = watch(4, 1.5, ticks=400)
    assert np.mean(np.exp(canary.state()["not_worse_ever"]) >= 20) <= 0.05


def test_an_equal_candidate_is_proven_not_worse():
    """At an even split most of the equal candidates are proven not worse within 400 minutes."""
    assert shares(watch(5, 1.0, pairs=100, ticks=400, share=lambda _: 0.5))["not worse"] >= 0.7


@settings(max_examples=60, deadline=None)
@given(
    trials=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    stable=st.floats(0, 1),
    factor=st.floats(0, 1),
    margin=st.floats(1.01, 5),
)
def test_no_bet_is_expected_to_win_under_its_null(trials, stable, factor, margin):
    """Summed over all outcomes of a tick, E[L] <= 1: candidate no worse, and candidate worse by the margin."""
    c, s = trials
    share = np.full((1, 1, 1), c / max(c + s, 1))
    for ratios, against, p_c, p_s in (
        (WORSE, 1.0, stable * factor, stable),
        (NOT_WORSE, margin, stable, stable * factor / margin),
    ):
        expected = np.zeros(len(ratios))
        for k_c in range(c + 1):
            for k_s in range(s + 1):
                log_l = _log_bets(share, np.array([[float(k_c)]]), np.array([[float(k_s)]]), ratios, against)[0, 0]
                expected += _binomial(k_c, c, p_c) * _binomial(k_s, s, p_s) * np.exp(log_l)
        assert (expected <= 1 + 1e-9).all()


def _binomial(k, n, p):
    ways = [1]
    for i in range(k):
        ways.append(ways[-1] * (n - i) // (i + 1))
    return ways[-1] * p**k * (1 - p) ** (n - k)


def test_one_side_alone_says_nothing():
    """Ticks with trials of one version only leave the evidence at 1, however many are flagged."""
    canary = CanaryComparison()
    canary.grow(2)
    none, many = np.zeros(2), np.full(2, 1e6)
    canary.update(1, np.array([0, 1]), many, many, none, none)
    canary.update(2, np.array([0, 1]), none, none, many, many)
    found = canary.verdict(np.array([0, 1]))
    np.testing.assert_allclose(found.e_worse, 1, rtol=1e-6)
    np.testing.assert_allclose(found.e_not_worse, 1, rtol=1e-6)
    assert found.ticks.tolist() == [0, 0]


def test_a_constant_stream_is_never_called_worse():
    """Equal shares flagged in every tick, none or all of them, never become evidence for "worse"."""
    canary = CanaryComparison()
    canary.grow(3)
    n_c, n_s = np.full(3, 50.0), np.full(3, 950.0)
    for tick in range(2_000):
        canary.update(tick, np.arange(3), n_c, np.array([0.0, 1.0, 50.0]), n_s, np.array([0.0, 19.0, 950.0]))
    assert canary.state()["worse_ever"].max() == 0
    assert canary.verdict(np.arange(3)).verdict.tolist() == ["undecided", "not worse", "not worse"]


def test_a_verdict_stays_though_its_evidence_fades():
    """Once proven worse, a pair stays so until it is reset; its present e-value tells that it got better."""
    canary = CanaryComparison()
    canary.grow(2)
    one = np.array([1]), np.array([100.0])
    canary.update(1, *one, np.array([50.0]), np.array([900.0]), np.array([10.0]))
    for tick in range(2, 200):
        canary.update(tick, *one, np.array([0.0]), np.array([900.0]), np.array([90.0]))
    found = canary.verdict(np.array([1]))
    assert found.verdict.tolist() == ["worse"]
    assert found.e_worse[0] < 1
    canary.reset(1)
    assert canary.verdict(np.array([1])).verdict.tolist() == ["undecided"]


def test_evidence_is_that_of_the_worst_bin():
    """Counts, rates and intervals are those of the category that has risen."""
    rng, canary = np.random.default_rng(6), CanaryComparison(bins=3)
    canary.grow(1)
    row, n_c, n_s = np.array([0]), np.array([200.0]), np.array([800.0])
    for tick in range(100):
        c, s = rng.binomial(200, [[0.01, 0.05, 0.02]]), rng.binomial(800, [[0.01, 0.01, 0.02]])
        canary.update(tick, row, n_c, c, n_s, s)
    found = canary.verdict(row)
    assert found.verdict.tolist() == ["worse"]
    assert found.bin.tolist() == [1]
    assert found.candidate.lower[0] < 0.05 < found.candidate.upper[0]
    assert found.stable.lower[0] < 0.01 < found.stable.upper[0]
    assert (found.candidate.trials[0], found.stable.trials[0], found.ticks[0]) == (20_000, 80_000, 100)


def test_not_worse_needs_every_bin():
    """A bin that was never flagged keeps a pair undecided, since nothing is known of it."""
    canary = CanaryComparison(bins=2)
    canary.grow(1)
    for tick in range(300):
        n, k = np.array([500.0]), np.array([[10.0, 0.0]])
        canary.update(tick, np.array([0]), n, k, n, k)
    assert canary.verdict(np.array([0])).verdict.tolist() == ["undecided"]


def test_a_faster_candidate_is_not_worse_and_a_slower_one_is():
    """Latency bins as exceedances call the slower version worse and the faster one not."""
    rng = np.random.default_rng(7)
    slow, fast = [0.5, 0.3, 0.2], [0.7, 0.2, 0.1]
    canary = CanaryComparison(bins=2)
    canary.grow(2)
    n = np.full(2, 200.0)
    for tick in range(100):
        c = exceedances(np.stack([rng.multinomial(200, slow), rng.multinomial(200, fast)]))
        s = exceedances(np.stack([rng.multinomial(200, fast), rng.multinomial(200, slow)]))
        canary.update(tick, np.array([0, 1]), n, c, n, s)
    assert canary.verdict(np.array([0, 1])).verdict.tolist() == ["worse", "not worse"]


side = st.tuples(st.integers(0, 500), st.floats(0, 1), st.floats(0, 1))
streams = st.lists(st.lists(st.tuples(side, side), min_size=3, max_size=3), min_size=2, max_size=25)


@settings(max_examples=40, deadline=None)
@given(stream=streams, cut=st.integers(0, 25), seed=st.integers(0, 9))
def test_state_round_trip_and_row_order_change_nothing(stream, cut, seed):
    """Stored and restored in mid-stream, with rows in any order, everything is equal to the last bit."""
    rng = np.random.default_rng(seed)
    plain, other = CanaryComparison(bins=2), CanaryComparison(bins=2)
    plain.grow(3)
    other.grow(3)
    for tick, pairs in enumerate(stream):
        n_c, n_s = (np.array([float(pair[at][0]) for pair in pairs]) for at in (0, 1))
        k_c, k_s = (
            np.array([[float(round(pair[at][0] * pair[at][i])) for i in (1, 2)] for pair in pairs]) for at in (0, 1)
        )
        given_c, order = k_c.copy(), rng.permutation(3)
        plain.update(tick, np.arange(3), n_c, k_c, n_s, k_s)
        np.testing.assert_array_equal(k_c, given_c)
        if tick == cut:
            other = successor_of(CanaryComparison(bins=2), other.state())
        other.update(tick, order, n_c[order], k_c[order], n_s[order], k_s[order])
    for name, array in plain.state().items():
        np.testing.assert_array_equal(array, other.state()[name])
    assert plain.verdict(np.arange(3)).verdict.tolist() == other.verdict(np.arange(3)).verdict.tolist()


def test_state_shares_no_memory():
    """What happens after a checkpoint changes neither it nor what was restored from it."""
    canary = CanaryComparison()
    canary.grow(1)
    state = canary.state()
    restored = successor_of(CanaryComparison(), state)
    canary.update(1, np.array([0]), np.array([9.0]), np.array([3.0]), np.array([9.0]), np.array([1.0]))
    assert state["ticks"].tolist() == restored.state()["ticks"].tolist() == [0]


def test_another_version_of_state_is_refused():
    """State of a newer version is refused, with its version named."""
    state = CanaryComparison().state()
    state["version"] = np.array([99])
    with pytest.raises(StateError, match="99"):
        successor_of(CanaryComparison(), state)


@pytest.mark.parametrize(
    ("rows", "n", "k"),
    [
        ([0], [np.nan], [0.0]),
        ([0], [np.inf], [0.0]),
        ([0], [-1.0], [-1.0]),
        ([0], [1.0], [2.0]),
        ([0], [1.5], [1.0]),
        ([7], [1.0], [1.0]),
        ([-1], [1.0], [1.0]),
        ([0, 0], [1.0, 1.0], [0.0, 0.0]),
        ([0], [1.0, 2.0], [0.0]),
        ([0], [1.0], [[0.0, 0.0]]),
    ],
)
def test_impossible_sums_are_refused(rows, n, k):
    """Sums that cannot be are refused with a clear error, and nothing is changed by them."""
    canary = CanaryComparison()
    canary.grow(1)
    with pytest.raises(ValueError, match=r"must|below"):
        canary.update(1, np.array(rows), np.ones(len(rows)), np.zeros(len(rows)), np.array(n), np.array(k))
    assert canary.tick == -1
    assert canary.state()["trials"].tolist() == [[0, 0]]


def test_time_does_not_go_backwards():
    """An older tick is refused."""
    canary = CanaryComparison()
    canary.grow(1)
    one = np.array([1.0])
    canary.update(5, np.array([0]), one, one, one, one)
    with pytest.raises(ValueError, match="backwards"):
        canary.update(4, np.array([0]), one, one, one, one)


@pytest.mark.parametrize("wrong", [{"alpha": 0}, {"alpha": 1}, {"margin": 1}, {"margin": np.inf}, {"bins": 0}])
def test_impossible_parameters_are_refused(wrong):
    """Parameters that promise nothing are refused."""
    with pytest.raises(ValueError, match="must be"):
        CanaryComparison(**wrong)


def test_a_flood_leaves_the_e_value_finite():
    """A tick of a million sessions gives evidence that a float holds."""
    canary = CanaryComparison()
    canary.grow(1)
    million, none = np.array([1e6]), np.array([0.0])
    canary.update(1, np.array([0]), million, million, million, none)
    found = canary.verdict(np.array([0]))
    assert np.isfinite(found.e_worse).all()
    assert found.verdict.tolist() == ["worse"]


def test_no_rows_are_no_data():
    """A tick without pairs and a verdict on no pairs are both allowed and empty."""
    canary = CanaryComparison()
    nothing = np.empty(0)
    canary.update(1, np.empty(0, np.int64), nothing, nothing, nothing, nothing)
    assert canary.verdict(np.empty(0, np.int64)).verdict.tolist() == []
