"""The sampler keeps its budget and leaves no event out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.review.strata import ReviewSampler


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
