"""Times as places of a plot."""

from hypothesis import given
from hypothesis import strategies as st

from streams.pages.spread import FOOT, LEFT, RIGHT, TOP, Took, spread

TIMES = st.lists(
    st.builds(
        Took, st.integers(0, 4 * 10**18), st.floats(0, 1e8), st.none() | st.floats(1, 1e7, exclude_min=True)
    ), min_size=1, max_size=30,
)  # fmt: skip


@given(TIMES)
def test_whatever_it_took_lies_in_the_plot(times):
    """Every time is drawn once, in time or late, within the axes; longer ones stand higher."""
    drawn = spread(times)
    places = [*drawn.kept, *drawn.missed]
    assert len(places) == len(times)
    assert all(LEFT <= x <= RIGHT and TOP <= y <= FOOT for x, y in places)
    assert all(TOP <= at <= FOOT for at in drawn.wanted)
    assert len(drawn.missed) == sum(each.wanted is not None and each.seconds > each.wanted for each in times)
