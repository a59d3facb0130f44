"""Quantiles from a table, held against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaincinv

from detectors.rates.quantiles import MOST_EVENTS, quantile, table


@pytest.mark.parametrize("share", [0.05, 0.95])
@given(events=st.floats(1, MOST_EVENTS, exclude_max=True))
def test_a_table_is_as_good_as_the_inverse(share, events):
    """Between its neighbours a quantile is off by less than a thousandth, which no slack of a rate notices."""
    assert quantile(table(share), np.array([events]))[0] == pytest.approx(gammaincinv(events, share), rel=1e-3)
