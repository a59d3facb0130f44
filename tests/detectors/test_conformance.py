"""Rules that every detector keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import StateError
from tests.support.detectors.subjects import DRAWN, NAMES, RATE, SLOW, RateSubject, assert_same_state, subject

SERIES = 4
TICK = 170_000_000
"""A tick of ten seconds of our days, so that the arithmetic of hours and fading is that of real life."""

every_detector = pytest.mark.parametrize("name", NAMES)


@st.composite
def streams(draw):
    """Ticks with gaps: (tick, trials, flagged) of all series, some without data, with a rise in it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    length = draw(st.integers(2, 90))
    most = draw(st.sampled_from([1, 8, 300]))
    high = draw(st.sampled_from([RATE, 0.2, 0.9]))
    gaps = rng.choice([1, 1, 1, 5, 400, 60_480, 300_000], length)
    ticks = TICK + np.cumsum(gaps)
    trials = rng.integers(0, most + 1, (length, SERIES))
    rates = np.where(np.arange(length) < length // 3, RATE, high)
    return [
        (int(tick), n.astype(float), rng.binomial(n, rate).astype(float))
        for tick, n, rate in zip(ticks, trials, rates, strict=True)
    ]


@every_detector
@settings(max_examples=10)
@given(stream=streams(), seed=st.integers(0, 99))
def test_batching_and_order_of_rows_change_nothing(name, stream, seed):
    """A tick in one call, or in several with the rows in any order, gives the same findings and the same state."""
    whole, parted, rng = subject(name), subject(name), np.random.default_rng(seed)
    for tick, n, k in stream:
        expected = whole.feed(tick, np.arange(SERIES), n, k)
        order, cut = rng.permutation(SERIES), int(rng.integers(0, SERIES + 1))
        found = [
            finding for rows in (order[:cut], order[cut:]) for finding in parted.feed(tick, rows, n[rows], k[rows])
        ]
        assert sorted(found, key=lambda finding: finding.series) == expected
    assert_same_state(whole.state(), parted.state())


@every_detector
@settings(max_examples=10)
@given(stream=streams(), cuts=st.sets(st.integers(0, 89), max_size=5))
def test_storing_and_restoring_changes_nothing(name, stream, cuts):
    """Restored at any moments, a detector finds the same and ends in the same state, to the last bit."""
    plain, other = subject(name), subject(name)
    for index, (tick, n, k) in enumerate(stream):
        if index in cuts:
            other = other.restored(other.state())
        assert other.feed(tick, np.arange(SERIES), n, k) == plain.feed(tick, np.arange(SERIES), n, k)
    assert_same_state(plain.state(), other.state())


@every_detector
@settings(max_examples=6)
@given(stream=streams(), seed=st.integers(0, 99))
def test_sums_of_partitions_make_the_single_stream(name, stream, seed):
    """Sums counted by three partitions and added up are as good as the stream counted at one place."""
    single, merged, rng = subject(name), subject(name), np.random.default_rng(seed)
    for tick, n, k in stream:
        parts = [rng.multinomial(int(count), [0.2, 0.3, 0.5]) for count in np.stack([k, n - k]).ravel()]
        flagged, others = np.array(parts).sum(axis=1).reshape(2, SERIES).astype(float)
        assert merged.feed(tick, np.arange(SERIES), flagged + others, flagged) == single.feed(
            tick, np.arange(SERIES), n, k
        )


@every_detector
def test_a_series_without_trials_is_as_if_it_were_not_named(name):
    """Rows with n = 0 and rows left out lead to the same state."""
    named, left_out = subject(name), subject(name)
    for tick in range(TICK, TICK + 40):
        named.feed(tick, np.arange(SERIES), [5.0, 0.0, 3.0, 0.0], [1.0, 0.0, 0.0, 0.0])
        left_out.feed(tick, [0, 2], [5.0, 3.0], [1.0, 0.0])
    assert_same_state(named.state(), left_out.state())


@every_detector
def test_a_series_knows_nothing_of_its_neighbours(name):
    """The same stream in another row, among other series, gives the same findings."""
    rng = np.random.default_rng(5)
    alone, among = subject(name, 3), subject(name, 5)
    for index in range(300):
        n, k = 20.0, float(rng.binomial(20, RATE if index < 150 else 0.5))
        noise = rng.binomial(20, RATE, 4).astype(float)
        one = alone.feed(TICK + index, [1], [n], [k])
        all_found = among.feed(TICK + index, [2, 0, 3, 1, 4], [n, *np.full(4, n)], [k, *noise])
        assert [finding.tick for finding in one] == [finding.tick for finding in all_found if finding.series == 2]


@every_detector
def test_inputs_are_not_changed(name):
    """What the caller hands over stays as it was."""
    rows, n, k = np.array([2, 0]), np.array([9.0, 4.0]), np.array([3.0, 0.0])
    tested = subject(name)
    for tick in range(TICK, TICK + 10):
        tested.feed(tick, rows, n, k)
    assert rows.tolist() == [2, 0]
    assert n.tolist() == [9.0, 4.0]
    assert k.tolist() == [3.0, 0.0]


@every_detector
def test_state_shares_nothing_with_the_detector(name):
    """Neither the detector that state was taken of nor the one made from it changes when the arrays do."""
    tested = subject(name)
    for tick in range(TICK, TICK + 20):
        tested.feed(tick, np.arange(SERIES), np.full(SERIES, 10.0), np.full(SERIES, 2.0))
    state, kept = tested.state(), tested.state()
    successor = tested.restored(state)
    for array in state.values():
        array[...] = 0
    assert_same_state(tested.state(), kept)
    assert_same_state(successor.state(), kept)
    successor.feed(TICK + 20, [0], [10.0], [2.0])
    assert_same_state(tested.state(), kept)


@every_detector
def test_state_is_plain_numbers(name):
    """State holds numeric arrays alone: nothing that needs a pickle."""
    tested = subject(name)
    tested.feed(TICK, [0], [10.0], [2.0])
    assert all(isinstance(array, np.ndarray) and array.dtype.kind in "bif" for array in tested.state().values())


FIRES_ON_ONE_IN_FIFTY = {"river.drift.binary.DDM", "river.drift.binary.EDDM"}
"""River's own doing, and the reason why a vote is no more than a ticket."""


@pytest.mark.parametrize(
    ("name", "flagged"),
    [(name, flagged) for flagged in (0.0, 1.0) for name in NAMES if not (flagged and name in FIRES_ON_ONE_IN_FIFTY)],
)
def test_a_constant_stream_never_alarms(name, flagged):
    """The same tick over and over, with nothing or the usual share flagged, is no drift."""
    tested = subject(name)
    found = []
    for index in range(1200):
        found += tested.feed(TICK + index, [1], [50.0], [flagged])
    assert found == []


bad_sums = pytest.mark.parametrize(
    ("rows", "n", "k"),
    [
        ([0], [np.nan], [0.0]),
        ([0], [1.0], [np.nan]),
        ([0], [np.inf], [0.0]),
        ([0], [np.inf], [np.inf]),
        ([0], [-1.0], [-1.0]),
        ([0], [1.0], [-1.0]),
        ([0], [1.0], [2.0]),
        ([0], [0.0], [1.0]),
        ([0], [1.5], [1.0]),
        ([0], [2.0], [0.5]),
        ([7], [1.0], [1.0]),
        ([-1], [1.0], [1.0]),
        ([3, -1], [1.0, 1.0], [1.0, 1.0]),
        ([0, 0], [1.0, 1.0], [0.0, 0.0]),
        ([0, 1, 0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]),
        ([0.5], [1.0], [0.0]),
        ([0], [1.0, 2.0], [0.0]),
        ([[0]], [[1.0]], [[0.0]]),
    ],
)


@pytest.mark.parametrize("name", [RateSubject.name, "river.drift.ADWIN", "river.drift.binary.DDM"])
@bad_sums
def test_impossible_sums_are_refused_and_leave_no_trace(name, rows, n, k):
    """Sums that cannot be are refused with an error that says what must be, and nothing of them is kept."""
    tested = subject(name)
    before = tested.state()
    with pytest.raises(ValueError, match=r"must"):
        tested.feed(TICK, rows, n, k)
    assert_same_state(tested.state(), before)


@every_detector
def test_time_does_not_go_backwards(name):
    """An older tick is refused, a negative one too; the same tick may come again for other series."""
    tested = subject(name)
    tested.feed(TICK, [0], [1.0], [0.0])
    tested.feed(TICK, [1], [1.0], [0.0])
    with pytest.raises(ValueError, match="backwards"):
        tested.feed(TICK - 1, [0], [1.0], [0.0])
    with pytest.raises(ValueError, match="negative"):
        subject(name).feed(-1, [0], [1.0], [0.0])


@every_detector
def test_foreign_state_is_refused(name):
    """State of an older or newer version, or with a part missing, is refused with the reason."""
    tested = subject(name)
    for version in (0, 99):
        with pytest.raises(StateError, match=f"version {version}"):
            tested.restored({**tested.state(), "version": np.array([version])})
    with pytest.raises(StateError, match="None"):
        tested.restored({})
    for missing in set(tested.state()) - {"version"}:
        state = tested.state()
        del state[missing]
        with pytest.raises(StateError, match="start without it"):
            tested.restored(state)


@every_detector
def test_state_of_other_lengths_is_refused(name):
    """A state whose columns speak of different numbers of series is refused."""
    tested = subject(name)
    column = next(key for key, array in tested.state().items() if len(array) == SERIES)
    state = tested.state()
    state[column] = state[column][:-1]
    with pytest.raises(StateError, match="start without it"):
        tested.restored(state)


@pytest.mark.parametrize("name", sorted(SLOW | DRAWN))
def test_the_slow_and_the_random_restore_too(name):
    """KSWIN, which draws samples, and the dummy, which draws moments, go on as if never interrupted."""
    plain, other = subject(name), subject(name)
    rng = np.random.default_rng(3)
    found = 0
    for index in range(1400):
        if index == 1250:
            other = other.restored(other.state())
        k = rng.binomial(50, RATE if index < 700 else 0.4, 1).astype(float)
        votes = plain.feed(TICK + index, [0], [50.0], k)
        assert other.feed(TICK + index, [0], [50.0], k) == votes
        found += len(votes)
    assert found
    assert_same_state(plain.state(), other.state())
