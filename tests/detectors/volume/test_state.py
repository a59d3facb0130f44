"""State of a volume watch, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import StateError
from detectors.volume.detector import (
    VolumeWatch,
)
from tests.support.detectors.counts import DAY, MONDAY
from tests.support.detectors.subjects import successor_of


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
