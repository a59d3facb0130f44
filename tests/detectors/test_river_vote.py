"""River's detectors behind one adapter."""

import numpy as np
import pytest

from detectors.base import StateError
from detectors.river_vote import EVERY, DriftVote, _names, drift_class

ROW = np.array([0])
SKIPPED = {"river.drift.DummyDriftDetector", "river.drift.DriftRetrainingClassifier"}


def feed(vote, rng, values, rate, start, expected=0.02):
    """Feed as many complete values of 60 trials and return the votes."""
    found = []
    for index in range(values * EVERY):
        k = float(rng.binomial(2, rate))
        found += vote.update(start + index, ROW, np.array([2.0]), np.array([k]), np.array([expected]))
    return found


@pytest.mark.parametrize("name", sorted(set(_names()) - SKIPPED))
def test_any_river_class_restores_to_the_last_bit(name):
    """Restored in mid-stream from flat arrays, every River detector votes as if never interrupted."""
    plain, other, rng = DriftVote(name), DriftVote(name), np.random.default_rng(1)
    plain.grow(1)
    other.grow(1)
    stream = [(float(rng.binomial(6, 0.02 if tick < 12_000 else 0.3))) for tick in range(18_000)]
    for tick, k in enumerate(stream):
        if tick in (7_001, 15_500):
            restored = DriftVote(name)
            restored.restore(other.state())
            other = restored
        one = (ROW, np.array([6.0]), np.array([k]), np.array([0.02]))
        assert plain.update(tick, *one) == other.update(tick, *one)
    for key, array in plain.state().items():
        np.testing.assert_array_equal(array, other.state()[key])


def test_adwin_sees_a_lasting_rise():
    """ADWIN votes "up" after a rise from 2 % to 20 % and was quiet before."""
    vote, rng = DriftVote(), np.random.default_rng(2)
    vote.grow(1)
    assert not feed(vote, rng, 300, 0.02, 0)
    votes = feed(vote, rng, 100, 0.2, 300 * EVERY)
    assert votes
    assert votes[0].direction == "up"


@pytest.mark.parametrize("name", ["river.drift.NoSuch", "os.system", "river.anomaly.HalfSpaceTrees", "ADWIN"])
def test_other_names_are_refused(name):
    """What is no drift detector of River is refused, and the message names those that are."""
    with pytest.raises(ValueError, match=r"river\.drift\.ADWIN"):
        drift_class(name)


def test_wrong_parameters_are_refused_at_once():
    """A parameter that the class does not know is refused when the settings are read."""
    with pytest.raises(TypeError):
        DriftVote("river.drift.ADWIN", {"no_such": 1})


def test_other_versions_are_refused():
    """State of another version is refused."""
    vote = DriftVote()
    state = vote.state()
    state["version"] = np.array([9])
    with pytest.raises(StateError):
        vote.restore(state)


def test_state_is_bounded():
    """However long the stream, a series keeps at most one epoch of values."""
    vote, rng = DriftVote(), np.random.default_rng(3)
    vote.grow(1)
    feed(vote, rng, 1_300, 0.02, 0)
    assert len(vote.state()["values"]) < 512
