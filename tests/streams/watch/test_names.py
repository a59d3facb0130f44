"""Groups are told apart by their names, whatever characters the names hold."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from streams.watch.memory import Memory
from streams.watch.reduce import reduce_block
from tests.support.parts import TRIALS, block, measured, part

ALIKE = [("a\x1fb", "c", "m", ""), ("a", "b\x1fc", "m", "")]
names = st.text("ab\x1f/", min_size=1, max_size=3)


def flagged(group):
    """Return one flagged event of a group, all of them in one session."""
    return part(0, measured(1), group, flagged=np.full(1, TRIALS, np.uint32))


@given(groups=st.lists(st.tuples(names, names, names, st.just("")), min_size=2, max_size=2, unique=True))
@example(groups=ALIKE)
def test_a_session_flagged_in_one_group_is_new_in_another(groups):
    """What was flagged lately is remembered of its own group alone, however its names are put together."""
    memory = Memory(30, 10)
    counts = [
        [
            (sums.rates["error"].trials, sums.rates["error"].flagged)
            for _, groups_of_tick in reduce_block(block(tick, [flagged(group)]), memory)
            for sums in groups_of_tick
        ]
        for tick, group in enumerate(groups)
    ]
    assert counts == [[(1, 1)], [(1, 1)]]
