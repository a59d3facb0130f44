"""One reader of durations for requests, periods, boards and rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.durations import LONGEST_SECONDS, seconds


@pytest.mark.parametrize(
    "wrong", ["", "5", "m", "1 h", "-1s", "+1s", "1.5h", "1h 30m", "1h,30m", "1hour", "now", "٣h", "1h\n", "1H", "1mm"]
)
def test_what_is_no_duration_is_refused_with_one_that_is(wrong):
    """A number without a unit, a sign, a gap, a fraction and other digits are none; the message shows some that are."""
    with pytest.raises(ValueError, match="is no duration; write for example 30s"):
        seconds(wrong)


def test_a_hundred_years_are_the_longest():
    """What would end beyond the times that the contract can hold is refused, however many digits it has."""
    assert seconds("100y") == LONGEST_SECONDS
    for wrong in ("100y1s", "999999d", "999999999999y"):
        with pytest.raises(ValueError, match="longer than 100y"):
            seconds(wrong)


@given(st.lists(st.tuples(st.integers(0, 1_000), st.sampled_from(["ms", "s", "m", "h", "d"])), min_size=1, max_size=5))
def test_parts_add_up(parts):
    """A duration of several parts is the sum of them."""
    whole = seconds("".join(f"{number}{unit}" for number, unit in parts))
    assert whole == pytest.approx(sum(seconds(f"{number}{unit}") for number, unit in parts))
