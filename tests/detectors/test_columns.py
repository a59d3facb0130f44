"""Growing columns."""

from typing import ClassVar

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.columns import Columns


class _Pair(Columns):
    COLUMNS: ClassVar = ("wide", "whole")

    def __init__(self) -> None:
        self.wide = np.empty((0, 3))
        self.whole = np.empty(0, np.int64)


@given(counts=st.lists(st.integers(0, 9), max_size=20))
def test_rows_keep_their_values_and_new_ones_are_zero(counts):
    """However rows are added, old ones keep what was written and new ones begin as zeros."""
    pair, expected = _Pair(), []
    for count in counts:
        pair.extend(count)
        expected += [0] * count
        assert pair.whole.tolist() == expected
        pair.whole += 1
        pair.wide[:] = pair.whole[:, None]
        expected = [value + 1 for value in expected]
    assert pair.wide.tolist() == [[float(value)] * 3 for value in expected]


def test_adding_rows_singly_copies_little():
    """A thousand rows added one at a time move the arrays a dozen times, not a thousand."""
    pair, moved, home = _Pair(), 0, None
    for _ in range(1000):
        pair.extend(1)
        address = pair.wide.__array_interface__["data"][0]
        moved += address != home
        home = address
    assert moved <= 12
