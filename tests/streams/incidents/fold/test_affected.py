"""What the page that wakes someone says: what was measured, and whom it touches; both grow with what joins."""

import pytest

from streams.incidents.fold.transitions import transition
from tests.support.incidents.entries import act, folding, page


def told(*entries, which=-1):
    """Return the transition of a step of the one incident."""
    [incident] = folding(*entries).incidents()
    return transition(incident, incident.steps[which])


def test_the_first_transition_says_what_was_measured_and_how_many_sessions():
    """Who is told of a detection reads the finding's own sentence, and its numbers."""
    first = told(page(evidence="leak of a is 16.5 %", flagged=33, sample_size=200, direction="up"))
    assert (first.reason, first.sessions_affected) == ("leak of a is 16.5 %", 33)
    assert first.reached_user is None  # nobody said so


def test_severe_events_add_up_and_sessions_of_two_findings_may_be_the_same():
    """Each severe event is an output of its own; of rates the one that names most sessions counts."""
    entries = [
        page("p", 0, kind="severe_event", details={"reached_user": 0.0}),
        page("q", 60, kind="severe_event", details={"reached_user": 1.0}),
        page("r", 120, flagged=5, direction="up"),
        page("s", 180, flagged=3, direction="up"),
    ]
    last = told(*entries)
    assert (last.outputs_affected, last.sessions_affected, last.reached_user) == (2, 5, True)
    assert told(*entries, which=0).reached_user is False  # what was known then stays as it was


@pytest.mark.parametrize("direction", ["up", "down"])
def test_what_is_served_has_reached_people_and_what_falls_has_not(direction):
    """A rise of what is served unsafe reached users by its meaning; a fall says nothing of anybody."""
    only = told(page(kind="rate", metric="unsafe_served", family="unsafe", flagged=4, direction=direction))
    assert (only.reached_user, only.sessions_affected) == ((True, 4) if direction == "up" else (None, None))


def test_a_merged_incident_brings_its_affected_along():
    """Whoever was counted there is counted where it went."""
    entries = (
        page("p", 0, flagged=2, direction="up"),
        page("q", 10, service="b", family="unsafe", kind="severe_event", details={"reached_user": 1.0}),
        act("merge", 60, "inc-q", into_incident_id="inc-p"),
    )
    into = next(each for each in folding(*entries).incidents() if each.incident_id == "inc-p")
    assert (into.sessions, into.outputs, into.reached) == (2, 1, True)
