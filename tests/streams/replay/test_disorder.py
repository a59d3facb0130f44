"""Another order of arrival: the same events, none held back for longer than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Inference
from schemas.fields import NANO
from streams.replay.disorder import MOST_NANO, disordered


def events(seconds):
    """Return an event at each of some times."""
    return [
        Inference(event_id=str(number), source="s", service_name="a", time_unix_nano=int(second * NANO))
        for number, second in enumerate(sorted(seconds))
    ]


@given(seconds=st.lists(st.floats(0, 1_000), max_size=60), seed=st.integers(0, 2**32))
def test_every_event_comes_once_and_in_time(seconds, seed):
    """Each comes once, before any that is more than five seconds younger, and the same seed gives the same order."""
    given_events = events(seconds)
    found = list(disordered(given_events, seed))
    assert sorted(found, key=lambda event: int(event.event_id)) == given_events
    newest = 0
    for event in found:
        assert event.time_unix_nano >= newest - MOST_NANO
        newest = max(newest, event.time_unix_nano)
    assert list(disordered(given_events, seed)) == found


def test_the_order_is_another_one():
    """A seed changes the order, and two seeds change it differently."""
    given_events = events(range(100))
    orders = [[event.event_id for event in disordered(given_events, seed)] for seed in (1, 2)]
    assert orders[0] != orders[1]
    assert [event.event_id for event in given_events] not in orders
