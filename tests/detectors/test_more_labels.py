"""How many more labels would halve an interval."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.review.more import labels_to_halve

strata = st.lists(
    st.tuples(st.integers(1, 50_000), st.integers(1, 400), st.integers(0, 400)), min_size=1, max_size=7
)  # fmt: skip


def variance(events, labelled, spread):
    """Return the variance of the stratified estimate, as the KPI has it, but for the square of the whole."""
    return (events**2 * spread / labelled * (1 - np.minimum(1, labelled / events))).sum()


@given(strata)
def test_the_labels_halve_the_interval_and_few_less_would_not(given_strata):
    """With them the variance is at most a quarter; with a tenth less of them it is more."""
    events, labelled, unsafe = np.array(given_strata, float).T
    labelled = np.minimum(labelled, events)
    unsafe = np.minimum(unsafe, labelled)
    centre = (unsafe + 0.5) / (labelled + 1)
    spread = centre * (1 - centre)
    more = labels_to_halve(events, labelled, unsafe)
    now = variance(events, labelled, spread)
    assert (more >= 0).all()
    assert (labelled + more <= np.ceil(events)).all()
    assert variance(events, labelled + more, spread) <= now / 4 + 1e-9
    if more.sum():
        fewer = more - np.ceil(more * 0.1).astype(int) * (more > 0)
        assert variance(events, labelled + fewer, spread) > now / 4


def test_a_stratum_without_a_label_is_asked_about():
    """What nobody has looked at is where the interval comes from."""
    more = labels_to_halve(np.array([10_000.0, 500.0]), np.array([0.0, 50.0]), np.array([0.0, 5.0]))
    assert more[0] > 0
