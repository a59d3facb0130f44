"""The incident_log: what is news, what is told again, and what is taken back."""

from hypothesis import given
from hypothesis import strategies as st

from streams.incidents.fold.incident_log import IncidentLog, StreamClock
from tests.support.incidents.entries import act, at, back, page, taken


def incident_log(*entries, published=()):
    """Return a incident_log that has taken entries."""
    made = IncidentLog(lambda _: "sev2")
    made.published(published)
    made.folding.add(taken(entries))
    return made


def names(records):
    """Return the transitions of records."""
    return [record.transition for record in records]


def test_each_transition_is_news_once():
    """What was told is not told again, not even by a incident_log that begins with what was published."""
    first = incident_log(page(), act("acknowledge", 60))
    told = first.news()
    assert names(told) == ["detected", "acknowledged"]
    assert first.news() == []
    assert incident_log(page(), act("acknowledge", 60), published=told).news() == []
    assert names(incident_log(page(), act("acknowledge", 60), back(), published=told).news()) == ["recovered"]


def test_what_comes_out_otherwise_is_told_again_and_what_does_not_hold_is_retracted():
    """A page that comes late and reopens the incident earlier changes what follows it, under the same identities."""
    made = incident_log(page(), back(), act("close", 5_000))
    told = {record.event_id: record for record in made.news()}
    made.folding.add(taken([page("q", 3_000)]))  # it was not all back at 3,600
    news = made.news()
    assert sorted(names(news)) == ["joined", "retracted"]
    [retracted] = [record for record in news if record.transition == "retracted"]
    assert told[retracted.event_id].transition == "recovered"


def test_a_refused_action_is_told_and_taken_back_once_it_was_right():
    """An action on an unknown incident is told as refused, and retracted when the incident turns up."""
    made = incident_log(act("acknowledge", 60))
    [refused] = made.news()
    assert (refused.transition, "no incident" in refused.reason) == ("refused", True)
    made.folding.add(taken([page()]))
    assert sorted(names(made.news())) == ["acknowledged", "detected", "retracted"]


def test_a_start_takes_back_what_a_crash_left_standing():
    """What was published and does not follow from the log any more is retracted at the next start, once."""
    told = incident_log(page(), back()).news()
    later = incident_log(page(), page("q", 3_000), back(), published=told)
    news = later.news()
    assert sorted(names(news)) == ["joined", "retracted"]
    assert incident_log(page(), page("q", 3_000), back(), published=[*told, *news]).news() == []


def test_what_is_older_than_the_log_is_left_alone():
    """Transitions from before the oldest entry that the log still holds are nobody's mistake."""
    told = incident_log(page(second=-90_000)).news()
    assert names(incident_log(page("q"), published=told).news()) == ["detected"]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1), st.integers(0, 10**7))
def test_stream_time_never_passes_the_clock_and_never_lies_before_an_entry(entries, wait):
    """Between two entries it goes on with the clock; it is never later than the clock and not before what happened."""
    clock = StreamClock()
    for happened, lag in entries:
        clock.note(at(happened), at(happened + lag))
    latest = max(happened for happened, _ in entries)
    wall = at(latest + 10**6 + wait)
    now = clock.now(wall)
    assert at(latest) <= now <= wall
    assert StreamClock().now(wall) is None
