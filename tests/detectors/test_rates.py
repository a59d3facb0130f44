"""The rate detector: promise, delay, quarantine, recovery, state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import StateError
from detectors.rates import MULTIPLIERS, RateDetector, _log_likelihood_ratio

ROW = np.array([0])
DAY = 8_640


def run(detector, rng, ticks, trials, rate, promise, start=1):
    """Feed one series and return the alarms."""
    found = []
    for tick in range(start, start + ticks):
        n = float(rng.poisson(trials))
        k = float(rng.binomial(int(n), rate))
        found += detector.update(tick, ROW, np.array([n]), np.array([k]), promise).alarms
    return found


def one_series(prior=0.02):
    detector = RateDetector(10)
    detector.grow(np.array([prior]))
    return detector


@pytest.mark.parametrize("rate", [0.002, 0.01, 0.05])
def test_run_length_keeps_the_promise(rate):
    """With the rate at its ceiling the mean run length is at least A, and not above 1.9 A."""
    promise, series, rng = 1000.0, 600, np.random.default_rng(1)
    sr = np.zeros((series, len(MULTIPLIERS)))
    ceiling, alarms, ticks = np.full(series, rate), 0, 12_000
    for _ in range(ticks):
        k = (rng.random(series) < rate).astype(float)
        sr = (1 + sr) * np.exp(_log_likelihood_ratio(np.ones(series), k, ceiling))
        hit = sr.mean(axis=1) >= promise
        alarms += int(hit.sum())
        sr[hit] = 0
    assert 1.0 <= series * ticks / alarms / promise <= 1.9


@pytest.mark.parametrize("prior", [0.002, 0.01, 0.05])
def test_cold_start_raises_no_false_alarm(prior):
    """From the first tick, 300 series at their prior give fewer false alarms in a day than promised."""
    rng, series = np.random.default_rng(2), 300
    detector = RateDetector(10)
    detector.grow(np.full(series, prior))
    rows, alarms = np.arange(series), 0
    for tick in range(1, 2_000):
        n = rng.poisson(3, series).astype(float)
        k = rng.binomial(n.astype(int), prior).astype(float)
        alarms += len(detector.update(tick, rows, n, k, 100_000).alarms)
    assert alarms <= 6  # 300 x 2000 / 100,000


def test_ceiling_from_the_first_minute():
    """A rate of five times the policy ceiling is found although nothing was learned before."""
    found = run(one_series(0.02), np.random.default_rng(3), 400, 3, 0.1, 1e6)
    assert found
    assert found[0].baseline > 0.02


def test_a_doubling_is_found_in_time():
    """1 % to 2 % is found at A = 1e6 within 6,000 trials after 60,000 trials of quiet."""
    rng, detector = np.random.default_rng(4), one_series(0.01)
    assert not run(detector, rng, 6_000, 10, 0.01, 1e6)
    found = run(detector, rng, 600, 10, 0.02, 1e6, start=6_001)
    assert found
    assert 6_001 - 200 <= found[0].onset_tick <= 6_001 + 200
    assert found[0].lower < 0.02 < found[0].upper


def test_a_slow_refusal_regression_is_found_and_not_learned():
    """8 % to 15 % at few trials is found, and the baseline stays within a tenth of what it was."""
    rng, detector = np.random.default_rng(5), one_series(0.15)
    assert not run(detector, rng, 3_000, 1, 0.08, 864_000)
    before = detector.baseline.level(ROW)[0]
    assert run(detector, rng, 3_000, 1, 0.15, 864_000, start=3_001)
    assert detector.baseline.level(ROW)[0] < 1.1 * before


def test_quarantine_does_not_bias_the_quiet_baseline():
    """After 200,000 quiet trials the learned level lies within 3 % of the rate, over 40 series."""
    rng, series = np.random.default_rng(6), 40
    detector = RateDetector(10)
    detector.grow(np.full(series, 0.02))
    rows = np.arange(series)
    for tick in range(1, 5_001):
        n = np.full(series, 40.0)
        detector.update(tick, rows, n, rng.binomial(40, 0.02, series).astype(float), 1e9)
    assert detector.baseline.level(rows).mean() == pytest.approx(0.02, rel=0.03)


def test_recovery_is_proven_not_assumed():
    """A finding stays open while the rate is up, and closes after it is back."""
    rng, detector = np.random.default_rng(7), one_series(0.01)
    run(detector, rng, 3_000, 10, 0.01, 1e6)
    assert run(detector, rng, 300, 10, 0.1, 1e6, start=3_001)
    assert detector.is_open(0)
    run(detector, rng, 500, 10, 0.1, 1e6, start=3_301)
    assert detector.is_open(0)
    run(detector, rng, 500, 10, 0.005, 1e6, start=3_801)
    assert not detector.is_open(0)


def test_a_constant_stream_never_alarms():
    """Streams of nothing flagged and of everything at the ceiling stay quiet."""
    detector = one_series(0.05)
    for tick in range(1, 3_000):
        assert not detector.update(tick, ROW, np.array([20.0]), np.array([float(tick % 20 == 0)]), 1e4).alarms


sums = st.lists(
    st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1)), min_size=4, max_size=4), min_size=4, max_size=40
)


@settings(max_examples=40, deadline=None)
@given(sums=sums, cut=st.integers(0, 40), seed=st.integers(0, 9))
def test_state_round_trip_and_row_order_change_nothing(sums, cut, seed):
    """Stored and restored in mid-stream, with rows in any order, the state is equal to the last bit."""
    plain, other = RateDetector(10), RateDetector(10)
    for detector in (plain, other):
        detector.grow(np.array([0.01, 0.02, 0.05, 0.1]))
    rng = np.random.default_rng(seed)
    for tick, row in enumerate(sums, start=1):
        n = np.array([float(trials) for trials, _ in row])
        k = np.array([float(round(trials * share)) for trials, share in row])
        order = rng.permutation(4)
        given_n, given_k = n.copy(), k.copy()
        expected = plain.update(tick, np.arange(4), n, k, 500)
        assert (given_n == n).all()
        assert (given_k == k).all()
        if tick == cut:
            other = RateDetector.from_state(other.state(), 10)
        assert other.update(tick, order, n[order], k[order], 500) == expected
    for name, array in plain.state().items():
        np.testing.assert_array_equal(array, other.state()[name])


@pytest.mark.parametrize(
    ("rows", "n", "k"),
    [
        ([0], [np.nan], [0.0]),
        ([0], [np.inf], [0.0]),
        ([0], [-1.0], [0.0]),
        ([0], [1.0], [2.0]),
        ([0], [1.5], [1.0]),
        ([7], [1.0], [1.0]),
        ([0, 0], [1.0, 1.0], [0.0, 0.0]),
        ([0], [1.0, 2.0], [0.0]),
    ],
)
def test_impossible_sums_are_refused(rows, n, k):
    """Sums that cannot be are refused with a clear error instead of being learned."""
    with pytest.raises(ValueError, match=r"must|below"):
        one_series().update(1, np.array(rows), np.array(n), np.array(k), 1e6)


def test_time_does_not_go_backwards():
    """An older tick is refused."""
    detector = one_series()
    detector.update(5, ROW, np.array([1.0]), np.array([0.0]), 1e6)
    with pytest.raises(ValueError, match="backwards"):
        detector.update(4, ROW, np.array([1.0]), np.array([0.0]), 1e6)


def test_another_version_of_state_is_refused():
    """State of a newer version is refused, with both versions named."""
    state = one_series().state()
    state["version"] = np.array([99])
    with pytest.raises(StateError, match="99"):
        RateDetector.from_state(state, 10)


def test_no_trials_are_no_data():
    """A tick without trials changes nothing but the clock."""
    detector = one_series()
    before = detector.state()
    detector.update(3, ROW, np.array([0.0]), np.array([0.0]), 1e6)
    after = detector.state()
    assert after.pop("tick") == 3
    before.pop("tick")
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name])


def test_accepting_the_new_normal_closes_the_finding():
    """After `accept` the risen rate raises no alarm any more."""
    rng, detector = np.random.default_rng(8), one_series(0.01)
    alarm = run(detector, rng, 500, 10, 0.1, 1e5)[0]
    detector.accept(0, 1000, 100)
    assert alarm.flagged <= alarm.trials
    assert not detector.is_open(0)
    assert not run(detector, rng, 500, 10, 0.1, 1e5, start=501)


def test_a_tick_of_any_size_gives_a_finite_e_value():
    """One flood and one quiet tick of a million trials open and close a finding with finite evidence."""
    detector = one_series(0.05)
    million = np.array([1e6])
    alarm = detector.update(1, ROW, million, million, 1e6).alarms[0]
    recovery = detector.update(2, ROW, million, np.array([0.0]), 1e6).recoveries[0]
    assert np.isfinite([alarm.e_value, recovery.e_value]).all()
