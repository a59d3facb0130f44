"""One event of each run: as likely for each, and exactly as many as were asked for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.watch.single.runs import MOST_KINDS, Runs

shares = st.lists(st.floats(0.001, 1.0), min_size=1, max_size=4)


@given(shares=shares, seed=st.integers(0, 2**31), cuts=st.integers(1, 5))
def test_what_stands_for_events_sums_to_their_number(shares, seed, cuts):
    """However events of several kinds are mixed and cut into batches: the weights differ from the count by a run."""
    rng, runs = np.random.default_rng(seed), Runs()
    kind = rng.integers(0, len(shares), 2_000)
    share = np.take(shares, kind)
    weight, number = np.zeros(len(shares)), np.zeros(len(shares))
    for part in np.array_split(np.arange(2_000), cuts):
        drawn, propensity = runs.chosen(kind[part].astype(np.uint64), share[part])
        weight += np.bincount(kind[part], drawn / propensity, len(shares))
        number += np.bincount(kind[part], drawn, len(shares))
    events = np.bincount(kind, minlength=len(shares))
    assert (abs(weight - events) <= 1 / np.array(shares) + 1).all()
    assert (abs(number - events * shares) <= 1).all()


@given(share=st.floats(0.01, 1.0), cut=st.integers(0, 300))
def test_a_successor_goes_on_in_the_middle_of_a_run(share, cut):
    """A state restored anywhere, and batches cut anywhere, change nothing."""
    kinds, all_shares = np.zeros(300, np.uint64), np.full(300, share)
    whole = Runs().chosen(kinds, all_shares)
    runs, successor = Runs(), Runs()
    first = runs.chosen(kinds[:cut], all_shares[:cut])
    successor.restore(runs.state())
    rest = successor.chosen(kinds[cut:], all_shares[cut:])
    for at in (0, 1):
        assert np.array_equal(whole[at], np.concatenate([first[at], rest[at]]))


def test_each_event_of_a_run_is_chosen_as_often():
    """Over 20,000 kinds each of the first three runs of 2 and 3 is left to a fair die: chi-squared of its places."""
    kinds = np.repeat(np.arange(20_000, dtype=np.uint64), 7)
    drawn, propensity = Runs().chosen(kinds, np.full(len(kinds), 3 / 7))
    often = drawn.reshape(-1, 7).sum(0)
    expected = 20_000 * propensity[:7]
    assert expected.sum() == 60_000
    assert (abs(often - expected) < 4 * np.sqrt(expected)).all()


def test_a_period_begins_with_other_places():
    """After a renewal the first run begins anew, and another event of it is chosen for half of the kinds of two."""
    kinds, runs = np.repeat(np.arange(1_000, dtype=np.uint64), 2), Runs()
    first = runs.chosen(kinds, np.full(2_000, 0.5))[0]
    runs.renew()
    again = runs.chosen(kinds, np.full(2_000, 0.5))[0]
    assert first.sum() == again.sum() == 1_000
    assert 400 < (first & again).sum() < 600


def test_ever_new_names_are_forgotten():
    """Beyond so many kinds the memory stays as it is, and those met last go on."""
    runs, kinds = Runs(), np.arange(MOST_KINDS + 500, dtype=np.uint64)
    runs.chosen(kinds, np.full(len(kinds), 0.5))
    assert len(runs.state()["met"]) == MOST_KINDS
    assert runs.state()["kinds"].min() == 500
