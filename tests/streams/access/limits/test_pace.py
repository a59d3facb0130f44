"""How many requests each one may send, whoever else sends some."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.access.limits.pace import Pace

STEPS = st.lists(st.tuples(st.floats(0, 20), st.sampled_from("ab")), min_size=1, max_size=200)


class Clock:
    """Seconds that a test moves."""

    now = 1e6

    def __call__(self):
        """Return them."""
        return self.now


@given(st.integers(1, 12), STEPS)
def test_no_minute_has_more_than_twice_the_allowance_and_no_key_takes_anothers(a_minute, steps):
    """At once, and within any minute, no more is taken than the setting says; a key alone has the same answers."""
    clock, alone, taken = Clock(), Clock(), []
    both, own = Pace(a_minute, clock), Pace(a_minute, alone)
    for wait, key in steps:
        clock.now += wait
        over = both.take(key)
        if key == "a":
            alone.now = clock.now
            assert own.take(key) == over
            taken += [clock.now] if over is None else []
    for first in taken:
        assert sum(first <= each < first + 60 for each in taken) <= 2 * a_minute
        assert taken.count(first) <= a_minute


@given(st.integers(1, 1_000), STEPS)
def test_who_waits_as_long_as_was_said_is_taken_and_who_does_not_is_refused(a_minute, steps):
    """`Retry-After` is the truth: after it the request is taken, just before it still not."""
    clock = Clock()
    pace = Pace(a_minute, clock)
    for wait, key in steps:
        clock.now += wait / a_minute
        if over := pace.take(key):
            clock.now += over.seconds * 0.9
            assert pace.take(key) is not None
            clock.now += over.seconds * 0.1 + 1e-6
            assert pace.take(key) is None


def test_a_flood_is_news_once_a_minute():
    """What was refused since is told with the next news, so that a flood fills no log and none of it is forgotten."""
    clock, refused = Clock(), []
    pace = Pace(10, clock)
    for _ in range(2_000):
        clock.now += 0.1
        refused += [(clock.now, over)] if (over := pace.take("a")) else []
    news = [(at, number, over) for number, (at, over) in enumerate(refused) if over.news]
    assert len(news) == 4
    for (at, number, _), (later, further, over) in pairwise(news):
        assert 60 <= later - at < 61
        assert over.unsaid == further - number - 1


def test_without_a_limit_nobody_is_refused_and_the_table_has_an_end():
    """0 is no limit; however many come, only so many are remembered, those who ask now among them."""
    assert not any(Pace(0, Clock()).take("a") for _ in range(10_000))
    pace = Pace(1, Clock(), most=10)
    pace.take("a")
    for each in range(1_000):
        pace.take(each)
        assert pace.take("a") is not None
    assert len(pace) == 10
