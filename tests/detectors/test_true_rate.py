"""Few labels, the true rate: the sampler keeps its budget, intervals hold the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.review.strata import STRATA, ReviewSampler
from detectors.review.true_rate import Labels, guard_quality, true_rate


@given(seed=st.integers(0, 10**6), labels=st.integers(200, 2_000), spread=st.floats(0.2, 20))
def test_the_labels_stay_in_their_budget_and_no_event_is_left_out(seed, labels, spread):
    """On days like the one learned from, no more labels are asked for than people give; each propensity is above 0."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(spread, 10 * spread, 20_000)
    sampler = ReviewSampler(labels)
    sampler.learn(scores)
    sampler.renew(days=1.0)
    propensity = sampler.propensity(sampler.strata(scores))
    assert (propensity > 0).all()
    assert propensity.sum() <= labels * 1.001


def test_an_event_without_a_score_can_be_chosen():
    """A missing score is the lowest stratum, and that is looked at too."""
    sampler = ReviewSampler(100)
    sampler.learn(np.random.default_rng(1).beta(1, 30, 5_000))
    sampler.renew(days=1.0)
    assert sampler.strata(np.array([np.nan])).tolist() == [0]
    assert 0 < sampler.propensity(np.array([0]))[0] < 1
    with pytest.raises(ValueError, match="above 0"):
        sampler.renew(days=0)


EVENTS = np.array([40_000, 7_000, 2_000, 700, 200, 75, 25.0])


def labels(shares, n, rng, flagged=None):
    """Return labels of a world with these unsafe shares by stratum, flagged with a chance of their own."""
    cells = np.stack([EVENTS * (1 - flagged), EVENTS * flagged], axis=1) if flagged is not None else EVENTS
    cells = np.round(cells)
    p = np.stack([shares[0], shares[1]], axis=1) if flagged is not None else shares
    labelled = np.minimum(cells, n)
    return Labels(cells, labelled, rng.binomial(labelled.astype(int), p).astype(float))


def test_the_interval_holds_the_truth():
    """Over 200 worlds the 95 per cent interval holds the true rate at least nine times in ten."""
    rng, shares = np.random.default_rng(2), np.array([0.0005, 0.003, 0.02, 0.08, 0.3, 0.6, 0.9])
    truth = float(EVENTS @ shares / EVENTS.sum())
    held = [(found := true_rate(labels(shares, 70, rng))).lower <= truth <= found.upper for _ in range(200)]
    assert np.mean(held) >= 0.9


def test_a_guard_whose_recall_fell_is_told():
    """Precision and recall come with intervals; after a fall of recall they lie apart, and without one they meet."""
    rng = np.random.default_rng(3)
    flagged = np.array([0.0, 0.0, 0.01, 0.2, 0.8, 1.0, 1.0])
    good = (np.array([0, 0, 0.001, 0.02, 0.1, 0.5, 0.5]), np.array([0, 0, 0.2, 0.4, 0.6, 0.8, 0.95]))
    fallen = (np.array([0.02, 0.05, 0.05, 0.1, 0.2, 0.5, 0.5]), good[1])
    before, again, now = (labels(shares, 150, rng, flagged) for shares in (good, good, fallen))
    quality = guard_quality(before)
    assert 0 < quality.precision.lower < quality.precision.value < quality.precision.upper < 1
    assert guard_quality(now).recall.upper < quality.recall.lower
    same = guard_quality(again).recall
    assert max(same.lower, quality.recall.lower) < min(same.upper, quality.recall.upper)


@pytest.mark.parametrize(
    "wrong",
    [
        Labels(EVENTS, EVENTS + 1, EVENTS),
        Labels(EVENTS, np.ones(STRATA), 2 * np.ones(STRATA)),
        Labels(EVENTS, -np.ones(STRATA), -np.ones(STRATA)),
        Labels(EVENTS * np.nan, np.ones(STRATA), np.ones(STRATA)),
        Labels(EVENTS[:3], np.ones(3), np.ones(3)),
    ],
)
def test_impossible_counts_are_refused(wrong):
    """More labels than events, more unsafe than labels, negative, missing or other strata are errors."""
    with pytest.raises(ValueError, match="must"):
        true_rate(wrong)
    with pytest.raises(ValueError, match=r"told apart"):
        guard_quality(Labels(EVENTS, np.ones(STRATA), np.zeros(STRATA)))
