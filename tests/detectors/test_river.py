"""River's detectors as votes, and ours with River's face."""

import numpy as np
import pytest
from river import base

from detectors.river.api import QuantityDriftDetector, RateDriftDetector
from detectors.river.classes import drift_class
from detectors.river.vote import EPOCH, EVERY, KEPT, MOST_FLAGS, REST, DriftVote
from tests.support.detectors.subjects import drift_names

ONE = np.array([0])


def feed(vote, rng, values, rate, start, trials=60, expected=0.02):
    """Feed as many complete values and return the votes."""
    found = []
    for index in range(values * EVERY):
        n, k = (float(trials), float(rng.binomial(trials, rate))) if index % EVERY == EVERY - 1 else (1.0, 0.0)
        found += vote.update(start + index, ONE, np.array([n]), np.array([k]), np.array([expected]))
    return found


def one(name="river.drift.ADWIN", *args):
    """Return a vote of one series."""
    vote = DriftVote(name, *args)
    vote.grow(1)
    return vote


@pytest.mark.parametrize("name", ["river.drift.ADWIN", "river.drift.binary.HDDMA"])
def test_a_lasting_rise_gets_a_vote_up(name):
    """After a rise from 2 % to 20 % the vote is "up", and it was quiet before."""
    vote, rng = one(name), np.random.default_rng(2)
    assert feed(vote, rng, 150, 0.02, 0) == []
    votes = feed(vote, rng, 80, 0.2, 150 * EVERY)
    assert votes
    assert votes[0].direction == "up"


def test_a_lasting_fall_gets_a_vote_down():
    """ADWIN sees both sides, and the vote says which."""
    vote, rng = one(), np.random.default_rng(3)
    feed(vote, rng, 150, 0.2, 0, expected=0.2)
    votes = feed(vote, rng, 80, 0.02, 150 * EVERY, expected=0.2)
    assert votes
    assert votes[0].direction == "down"


def test_a_vote_is_followed_by_rest():
    """Two votes of a series are more than the rest period apart, even of a detector that always fires."""
    vote, rng = one("river.drift.DummyDriftDetector", {"t_0": 3}), np.random.default_rng(4)
    ticks = [found.tick for found in feed(vote, rng, 300, 0.02, 0)]
    assert len(ticks) >= 2
    assert min(np.diff(ticks)) > REST * EVERY


def test_the_season_is_taken_out():
    """A rate that follows its expectation up and down gets no vote; held against a fixed one it does."""
    rng, followed, ignored = np.random.default_rng(5), one(), one()
    votes = {"followed": 0, "ignored": 0}
    for tick in range(300 * EVERY):
        rate = 0.05 * (1 + 0.7 * np.sin(tick / (60 * EVERY)))
        n, k = np.array([10.0]), np.array([float(rng.binomial(10, rate))])
        votes["followed"] += len(followed.update(tick, ONE, n, k, np.array([rate])))
        votes["ignored"] += len(ignored.update(tick, ONE, n, k, np.array([0.05])))
    assert votes["followed"] == 0
    assert votes["ignored"] > 0


def test_memory_is_bounded_by_an_epoch():
    """However long the stream, fewer than an epoch of values are kept, and never fewer than what begins one."""
    vote, rng = DriftVote(every=1), np.random.default_rng(6)
    vote.grow(1)
    lengths = []
    for tick in range(EPOCH + 3 * (EPOCH - KEPT) + 10):
        vote.update(tick, ONE, np.array([20.0]), np.array([float(rng.binomial(20, 0.02))]), np.array([0.02]))
        lengths.append(len(vote.state()["values"]))
    assert max(lengths) < EPOCH
    assert min(lengths[EPOCH:]) >= KEPT


def test_a_binary_detector_is_shown_the_true_mean_of_a_rare_rate():
    """Thinned to 64 of 10,000 with 30 flagged, the shown flags still average 0.3 %: the remainder is carried over."""
    vote = DriftVote("river.drift.binary.DDM", every=1)
    vote.grow(1)
    for tick in range(400):
        vote.update(tick, ONE, np.array([10_000.0]), np.array([30.0]), np.array([0.003]))
    values = vote.state()["values"]
    assert np.floor(values).sum() / (MOST_FLAGS * len(values)) == pytest.approx(0.003, abs=1 / MOST_FLAGS / 100)


def test_river_objects_are_made_when_they_are_needed():
    """A thousand silent series hold no River object and no value."""
    vote = DriftVote()
    vote.grow(1000)
    vote.update(0, np.array([7]), np.array([5.0]), np.array([0.0]), np.array([0.02]))
    assert vote._detectors == {}
    vote.update(EVERY, np.array([7]), np.array([5.0]), np.array([0.0]), np.array([0.02]))
    assert list(vote._detectors) == [7]


def test_another_class_takes_over_the_values():
    """With another class of the same kind, stored values are shown to it; a binary one begins anew."""
    vote, rng = one(), np.random.default_rng(7)
    feed(vote, rng, 50, 0.02, 0)
    other, binary = DriftVote("river.drift.PageHinkley"), DriftVote("river.drift.binary.DDM")
    other.restore(vote.state())
    binary.restore(vote.state())
    np.testing.assert_array_equal(other.state()["values"], vote.state()["values"])
    assert len(binary) == 1
    assert len(binary.state()["values"]) == 0


def test_every_name_that_is_offered_works():
    """Each class that the error message offers can be made with its defaults and is a drift detector of River."""
    assert {"river.drift.ADWIN", "river.drift.binary.DDM"} <= drift_names()
    with pytest.raises(ValueError, match="no drift detector") as refused:
        drift_class("none")
    assert set(str(refused.value).split("take one of ")[1].split(", ")) == drift_names()
    for name in drift_names():
        DriftVote(name)


@pytest.mark.parametrize(
    "name", ["river.drift.NoSuch", "os.system", "river.anomaly.HalfSpaceTrees", "ADWIN", "", "river.drift.binary"]
)
def test_other_names_are_refused(name):
    """What is no drift detector of River is refused, and the message names those that are."""
    with pytest.raises(ValueError, match=r"river\.drift\.ADWIN"):
        drift_class(name)


def test_wrong_parameters_are_refused_at_once():
    """A parameter that the class does not know, or an empty value, is refused when the vote is made."""
    with pytest.raises(TypeError):
        DriftVote("river.drift.ADWIN", {"no_such": 1})
    with pytest.raises(ValueError, match="at least 1"):
        DriftVote(every=0)


@pytest.mark.parametrize("expected", [[0.0], [1.0], [-0.1], [np.nan], [0.1, 0.1]])
def test_impossible_expectations_are_refused(expected):
    """An expected rate is above 0 and below 1, one for each series."""
    with pytest.raises(ValueError, match="expected must"):
        one().update(0, ONE, np.array([1.0]), np.array([0.0]), np.array(expected))


def fed(detector, rng, updates, rate):
    """Return how many updates it took to a drift, or None."""
    for index in range(updates):
        detector.update(bool(rng.random() < rate))
        if detector.drift_detected:
            return index + 1
    return None


def test_ours_is_a_river_detector():
    """It is of River's class, clones with its parameters, and starts without a drift."""
    detector = RateDriftDetector(prior=0.02, run_length=5000)
    assert isinstance(detector, base.BinaryDriftDetector)
    assert not detector.drift_detected
    copy = detector.clone()
    assert (copy.prior, copy.run_length) == (0.02, 5000)
    for parameters in RateDriftDetector._unit_test_params():
        assert not RateDriftDetector(**parameters).drift_detected


def test_ours_finds_a_rise_and_goes_on_from_there():
    """A rise is found once; the rate after it is the new normal, and the next rise is found again."""
    detector, rng = RateDriftDetector(prior=0.05, run_length=10_000), np.random.default_rng(8)
    assert fed(detector, rng, 3000, 0.03) is None
    assert fed(detector, rng, 500, 0.25) <= 200
    assert fed(detector, rng, 1500, 0.2) is None
    assert fed(detector, rng, 500, 0.9) <= 200


def test_ours_does_not_fire_on_a_fall():
    """A fall is no rise."""
    detector, rng = RateDriftDetector(prior=0.3, run_length=1000), np.random.default_rng(9)
    assert fed(detector, rng, 1000, 0.3) is None
    assert fed(detector, rng, 1000, 0.05) is None


@pytest.mark.parametrize("parameters", [{"prior": 0}, {"prior": 1}, {"run_length": 0}, {"prior": float("nan")}])
def test_ours_refuses_parameters_that_cannot_be(parameters):
    """A prior is a rate and a run length at least 1."""
    with pytest.raises(ValueError, match="must be"):
        RateDriftDetector(**parameters)


@pytest.mark.parametrize("x", [2, -1, 0.5, float("nan")])
def test_ours_refuses_what_is_no_flag(x):
    """An observation is 0 or 1."""
    with pytest.raises(ValueError, match="0 or 1"):
        RateDriftDetector().update(x)


def test_the_quantity_detector_speaks_rivers_language():
    """It is a drift detector of River: fires once, after the shift, goes on from the new normal, and refuses NaN."""
    for parameters in QuantityDriftDetector._unit_test_params():
        assert isinstance(QuantityDriftDetector(**parameters), base.DriftDetector)
    detector, rng = QuantityDriftDetector(0, 20, 50_000), np.random.default_rng(10)
    found = []
    for step in range(4_000):
        detector.update(rng.normal(8 if step < 2_000 else 10, 1))
        found += [step] if detector.drift_detected else []
    assert len(found) == 1
    assert 2_000 <= found[0] <= 2_060
    for wrong in (np.nan, np.inf):
        with pytest.raises(ValueError, match="finite"):
            detector.update(wrong)
    with pytest.raises(ValueError, match="below upper"):
        QuantityDriftDetector(1, 1)
