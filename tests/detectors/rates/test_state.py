"""Gaps, sums and the state of the rate detector."""

import numpy as np
import pytest

from detectors.base import StateError
from detectors.rates.detector import RateDetector
from tests.support.detectors.fleet import DAY, ONE, START, Fleet
from tests.support.detectors.subjects import successor_of


def test_gaps_cost_nothing_and_count_nothing():
    """A stream with long silences, within the same hour of the week, alarms at the same active tick as without."""
    week = 7 * DAY
    found = []
    for gap in (0, week):
        detector = RateDetector(10, half_life_days=1e9, seasonal=False)
        detector.grow(np.array([0.02]))
        rng, active = np.random.default_rng(14), 0
        while True:
            active += 1
            tick = START + active * (1 + gap)
            k = float(rng.binomial(20, 0.02 if active < 300 else 0.2))
            if detector.update(tick, ONE, np.array([20.0]), np.array([k]), 1e6).alarms:
                break
        found.append(active)
    assert found[0] == found[1]


def test_sums_of_a_tick_come_once():
    """A series that has had its sums of a tick is refused for that tick: parts must be added up before."""
    detector = RateDetector(10)
    detector.grow(np.array([0.02, 0.02]))
    detector.update(START, ONE, np.array([5.0]), np.array([0.0]), 1e6)
    with pytest.raises(ValueError, match="already"):
        detector.update(START, ONE, np.array([5.0]), np.array([0.0]), 1e6)


def test_the_settings_of_stored_state_must_match():
    """State kept with another length of tick or half-life would be misread; it is refused, naming both."""
    state = RateDetector(10).state()
    with pytest.raises(StateError, match="60"):
        successor_of(RateDetector(60), state)
    with pytest.raises(StateError, match="half-life"):
        successor_of(RateDetector(10, half_life_days=7), state)


def test_state_is_as_small_as_documented_and_grows_with_series_alone():
    """2.2 kB a series, however much traffic there was."""
    fleet = Fleet(50, 0.02)
    empty = sum(array.nbytes for array in fleet.detector.state().values())
    fleet.run(300, 500, 0.02)
    assert sum(array.nbytes for array in fleet.detector.state().values()) == empty
    assert empty / 50 <= 2250


def test_series_can_be_added_at_any_time():
    """Series added one by one while others run end in the state of series added together."""
    together, singly = RateDetector(10), RateDetector(10)
    together.grow(np.full(40, 0.02))
    for row in range(40):
        singly.grow(np.array([0.02]))
        singly.update(START + row, np.array([row]), np.array([9.0]), np.array([1.0]), 1e6)
        together.update(START + row, np.array([row]), np.array([9.0]), np.array([1.0]), 1e6)
    for name, array in together.state().items():
        np.testing.assert_array_equal(array, singly.state()[name], err_msg=name)
