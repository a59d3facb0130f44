"""Series pooled: what is usual of each, that traffic which moves is no change, and that nothing is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.budget import threshold
from detectors.rates.detector import RateDetector
from detectors.rates.pooling import HOURS, REFERENCE, Lately, Standardised, own_rates, shared

DAY = 48
"""Ticks of half an hour."""


@given(trials=st.lists(st.integers(1, 10_000), min_size=2, max_size=8), seed=st.integers(0, 2**32 - 1))
def test_what_is_usual_adds_up_to_what_was_seen(trials, seed):
    """For wholes as busy as each other, the flags expected of all are those that all of them showed."""
    n = np.full(len(trials), float(max(trials)))
    k = np.random.default_rng(seed).binomial(n.astype(int), 0.01).astype(float)
    rates = own_rates(n, k, np.arange(len(n)))
    assert (n * rates).sum() == pytest.approx(k.sum())
    assert (rates > 0).all() == (k.sum() > 0)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 40)), min_size=1, max_size=60))
def test_no_trial_and_no_flag_is_lost_or_invented(sums):
    """Whole numbers come out, never more flags than trials; what is left over stays for the next minute."""
    pools, row = Standardised(), np.array([0])
    pools.extend(1)
    told = np.array([pools.sums(row, np.array([e]), np.array([float(k)])) for e, k in sums])[:, :, 0]
    assert (told == np.floor(told)).all()
    assert (told[:, 1] <= told[:, 0]).all()
    assert told[:, 0].sum() + pools.due[0] == pytest.approx(sum(e for e, _ in sums) / REFERENCE)
    assert told[:, 1].sum() + pools.waiting[0] == sum(k for _, k in sums)


def played(rng, rates, trials, days):
    """Return what a pool shows in each tick: flags expected at the rates of its members, and flags."""
    return [((n := trials(at)) @ rates, rng.binomial(n.astype(int), rates).sum()) for at in range(days * DAY)]


def alarms(shown, rates, trials):
    """Return the ticks in which a pool alarms that is told the rates and begins with a day of what it showed."""
    detector, pools, row = RateDetector(1_800), Standardised(), np.array([0])
    detector.grow(np.array([REFERENCE]))
    detector.baseline.restart(0, 0, trials(0) @ rates * DAY / REFERENCE, trials(0) @ rates * DAY)
    pools.extend(1)
    limit = threshold(10, DAY, 0.1)
    found = []
    for at, (expected, flagged) in enumerate(shown):
        n, k = pools.sums(row, np.array([expected]), np.array([float(flagged)]))
        found += [alarm.tick for alarm in detector.update(at, row, n, k, limit).alarms]
    return found


def test_traffic_that_moves_is_no_change():
    """Half of all traffic moves to the member with ten times the rate: raw counts rise threefold, the pool is quiet."""
    rates, busy = np.array([0.002, 0.02]), np.array([90.0, 10])
    for seed in range(5):
        rng = np.random.default_rng(seed)
        moved = lambda at: busy if at < 4 * DAY else busy[::-1]  # noqa: E731
        shown = played(rng, rates, moved, 10)
        raw = [flagged for _, flagged in shown]
        assert np.mean(raw[4 * DAY :]) > 3 * np.mean(raw[: 4 * DAY])
        assert alarms(shown, rates, moved) == []


def test_a_change_that_no_member_shows_is_seen_in_all_of_them():
    """Thirty members of five sessions a tick at half a per cent, x3 from the fifth day: told within a day."""
    rates, trials = np.full(30, 0.005), lambda _: np.full(30, 5.0)
    rng = np.random.default_rng(3)
    shown = played(rng, rates, trials, 4) + played(rng, 3 * rates, trials, 2)
    risen = [expected / 3 if at >= 4 * DAY else expected for at, (expected, _) in enumerate(shown)]
    [first, *_] = alarms(list(zip(risen, (flagged for _, flagged in shown), strict=True)), rates, trials)
    assert 4 * DAY <= first < 5 * DAY


def test_the_promise_on_false_alarms_is_kept():
    """Two hundred pools whose members' rates are learned from a week, four weeks long: no more alarms than promised."""
    rng, pools, members = np.random.default_rng(5), 200, 10
    true, n = rng.gamma(2, 0.002, (pools, members)), np.full(members, 4.0)
    past = rng.binomial(4 * 7 * DAY, true).astype(float)
    learned = np.array([own_rates(7 * DAY * n, each, np.arange(members)) for each in past])
    detector, standard, rows = RateDetector(1_800), Standardised(), np.arange(pools)
    detector.grow(np.full(pools, REFERENCE))
    for row in rows:
        detector.baseline.restart(row, 0, 7 * DAY * (n @ learned[row]) / REFERENCE, past[row].sum())
    standard.extend(pools)
    limit, found = 14.0 * DAY, 0
    for at in range(28 * DAY):
        told = standard.sums(rows, learned @ n, rng.binomial(4, true).sum(axis=1).astype(float))
        found += len(detector.update(at, rows, *told, limit).alarms)
    assert found <= pools * 28 * DAY / limit


def test_members_are_known_by_the_hour():
    """What was shown since an hour is told, also across days of silence and after members have moved."""
    lately, both = Lately(), np.arange(2)
    lately.move(2, np.array([-1, -1]))
    lately.add(100, both, np.array([5.0, 7]), np.array([1.0, 0]))
    lately.add(103, both[:1], np.array([2.0]), np.array([1.0]))
    assert [each.tolist() for each in lately.since(100, both)] == [[7, 7], [2, 0]]
    assert [each.tolist() for each in lately.since(101, both)] == [[2, 0], [1, 0]]
    lately.move(3, np.array([1, 0, -1]))
    assert [each.tolist() for each in lately.since(100, np.arange(3))] == [[7, 7, 0], [0, 2, 0]]
    lately.add(103 + HOURS, np.array([2]), np.array([4.0]), np.array([3.0]))
    assert [each.tolist() for each in lately.since(0, np.arange(3))] == [[0, 0, 4], [0, 0, 3]]


@pytest.mark.parametrize("direction", ["up", "down"])
def test_one_member_alone_is_no_shared_change(direction):
    """However clear its change is; with a second one of the same kind it is."""
    usual, away = np.full(4, 20.0), (60.0 if direction == "up" else 2.0)
    alone, both = usual.copy(), usual.copy()
    alone[2], both[1:3] = away, away
    assert (shared(alone, usual, direction), shared(both, usual, direction)) == (False, True)
