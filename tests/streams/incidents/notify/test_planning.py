"""What is due: order, backoff, giving up, quiet hours, all from the log."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.incidents.notify.planning import GIVES_UP_AFTER, WAITS_MS, Due, backoff, pending, plan, quiet_until
from streams.policy.receivers import QuietHours, Receiver
from tests.support.incidents.records import HOUR, NANO, START, attempt, record

DAY = 24 * HOUR


def receiver(name="a", **others):
    """Return a receiver of everything."""
    return Receiver(name=name, kind="webhook", url="http://127.0.0.1/", **others)


def night(**others):
    """Return a receiver that sleeps from 22:00 to 07:00 UTC; START is at 02:40."""
    return receiver(quiet_hours={"from": "22:00", "to": "07:00", "timezone": "UTC"}, **others)


def due_names(transitions, deliveries=(), receivers=None, second=0):
    """Return the ids of what is due."""
    found = pending(transitions, deliveries, receivers or [receiver()], START + int(second * NANO))
    return [[told.event_id for told in due.transitions] for due in found]


MORNING = 4 * HOUR + 20 * 60


def test_each_incident_goes_on_when_its_last_transition_is_settled():
    """The second transition waits for the first; another incident does not."""
    one, two, other = record(), record("acknowledged", 5), record(incident="j")
    told = [one, two, other]
    assert due_names(told) == [[one.event_id], [other.event_id]]
    assert due_names(told, [attempt(one)], second=0.5) == [[other.event_id]]
    assert due_names(told, [attempt(one)], second=1) == [[other.event_id], [one.event_id]]
    for status in ("delivered", "given_up"):
        assert due_names(told, [attempt(one, status=status)]) == [[two.event_id], [other.event_id]]


def test_the_gravest_news_goes_first():
    """A receiver that is slow hears of what it has not heard of before repeats, and of sev1 before sev4."""
    old, mild, grave = record(), record(incident="j", severity="sev4"), record(incident="k", severity="sev1")
    expected = [[grave.event_id], [mild.event_id], [old.event_id]]
    assert due_names([old, mild, grave], [attempt(old)], second=5) == expected


def test_only_what_a_receiver_asked_for():
    """Transitions and severities choose; a repeat of a record is told once."""
    told = [record(severity="sev3"), record("noted", 1), record("escalated", 2), record("escalated", 2)]
    picky = receiver(transitions=["escalated", "noted"], severities=["sev2"])
    assert due_names(told, receivers=[picky]) == [[told[1].event_id]]
    done = [attempt(told[1], status="delivered")]
    assert due_names(told, done, [picky]) == [[told[2].event_id]]


def test_retry_after_stops_the_whole_receiver_and_no_other():
    """What asked to be left alone is left alone, for all incidents; another receiver is told."""
    one, other = record(), record(incident="j")
    log = [attempt(one, http_status=429, labels={WAITS_MS: "30000"})]
    assert due_names([one, other], log, second=29) == []
    assert due_names([one, other], log, second=30) == [[one.event_id], [other.event_id]]
    assert due_names([one], log, [receiver(), receiver("b")], second=29) == [[one.event_id]]


def test_nothing_older_than_a_day():
    """A first start over an old topic tells of the last day alone, and a failure is not repeated after one."""
    old, young = record(second=0), record(incident="j", second=HOUR)
    assert due_names([old, young], second=DAY) == [[young.event_id]]
    assert due_names([old], [attempt(old, second=DAY - 10)], second=DAY + 1) == []


def test_quiet_hours_end_in_one_digest():
    """What sev3 and sev4 held back comes at seven, of all incidents together, in order, and once."""
    told = [record(severity="sev3"), record("recovered", 60, severity="sev3"), record(incident="j", severity="sev4")]
    assert due_names(told, receivers=[night()], second=MORNING - 1) == []
    [due] = pending(told, [], [night()], START + MORNING * NANO)
    assert due.digest
    assert {item.event_id for item in due.transitions} == {item.event_id for item in told}
    assert [item.transition for item in due.transitions if item.incident_id == "i"] == ["detected", "recovered"]
    done = [attempt(item, status="delivered", second=MORNING) for item in told]
    assert due_names(told, done, [night()], second=MORNING + 1) == []


def test_quiet_hours_never_hold_an_urgent_incident():
    """sev1 and sev2 are told at night, and what was held back of an incident that becomes urgent comes before it."""
    mild, grave = record(severity="sev3"), record("escalated", 60, severity="sev1")
    assert due_names([mild], receivers=[night()], second=60) == []
    assert due_names([mild, grave], receivers=[night()], second=60) == [[mild.event_id]]
    done = [attempt(mild, status="delivered", second=60)]
    assert due_names([mild, grave], done, [night()], second=61) == [[grave.event_id]]


def test_a_digest_that_failed_is_repeated_as_it_was():
    """A newcomer makes a digest of its own: what a receiver may have got already keeps its delivery id."""
    one, two, late = (
        record(severity="sev3"),
        record(incident="j", severity="sev3"),
        record(incident="k", severity="sev4"),
    )
    [first] = pending([one, two], [], [night()], START + MORNING * NANO)
    log = [attempt(item, second=MORNING) for item in (one, two)]
    again = pending([one, two, late], log, [night()], START + (MORNING + 1) * NANO)
    assert [len(due.transitions) for due in again] == [1, 2]
    assert again[1].delivery_id == first.delivery_id
    assert again[1].attempt == 2
    assert again[0].delivery_id != first.delivery_id


@pytest.mark.parametrize(
    ("zone", "at", "end"),
    [
        ("Europe/Berlin", "2026-03-28T22:30+00:00", "2026-03-29T05:00+00:00"),  # the clocks go forward in this night
        ("Europe/Berlin", "2026-10-24T21:30+00:00", "2026-10-25T06:00+00:00"),  # and back in this one
        ("Europe/Berlin", "2026-06-01T20:30+00:00", "2026-06-02T05:00+00:00"),
        ("America/New_York", "2026-06-01T10:59+00:00", "2026-06-01T11:00+00:00"),
        ("America/New_York", "2026-06-01T11:00+00:00", None),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(zone, at, end):
    """They end at seven by local time, also in the nights in which the clocks are changed."""
    hours = QuietHours.model_validate({"from": "22:00", "to": "07:00", "timezone": zone})
    until = quiet_until(hours, int(datetime.fromisoformat(at).timestamp()) * NANO)
    assert (until and datetime.fromtimestamp(until / NANO, UTC)) == (end and datetime.fromisoformat(end))


def test_quiet_hours_within_a_day():
    """A siesta ends on the same day."""
    hours = QuietHours.model_validate({"from": "12:00", "to": "14:00", "timezone": "UTC"})
    noon = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * NANO
    assert quiet_until(hours, noon) == noon + 2 * HOUR * NANO
    assert quiet_until(hours, noon + 2 * HOUR * NANO) is None
    assert quiet_until(hours, noon - NANO) is None


incidents = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 8 * HOUR), st.sampled_from(["sev1", "sev3", "sev4"])),
    max_size=8,
    unique_by=lambda item: item[:2],
)


def played(transitions, receivers, answers):
    """Play a clock that jumps to what is due next, with some answers, and return what was sent in order."""
    now, log, sent = START, [], []
    answers = iter([*answers, *(["delivered"] * 1000)])
    while True:
        known = [item for item in transitions if item.time_unix_nano <= now]
        moments = [due.at for due in plan(known, log, receivers, now)]
        moments += [item.time_unix_nano for item in transitions if item.time_unix_nano > now]
        if not moments:
            return sent, log
        now = max(now, min(moments))
        known = [item for item in transitions if item.time_unix_nano <= now]
        for due in pending(known, log, receivers, now):
            status = next(answers) if due.receiver == "a" else "delivered"
            sent.append((due, now, status))
            log += [attempt(item, due.receiver, status, (now - START) / NANO, due.attempt) for item in due.transitions]


@given(incidents, st.lists(st.sampled_from(["failed", "delivered", "given_up"]), max_size=30), st.booleans())
def test_everything_is_told_once_and_in_order(drawn, answers, sleeps):
    """Whatever fails: nothing is told after it was settled, incidents keep their order, and the other hears all."""
    told = [
        record("detected", second, f"i{name}", severity)
        for name, second, severity in sorted(drawn, key=lambda item: item[1])
    ]
    a = night() if sleeps else receiver()
    sent, log = played(told, [a, receiver("b")], answers)
    for name in ("a", "b"):
        settled = [item for item in log if item.receiver == name and item.status != "failed"]
        ids = [item.transition_event_id for item in settled]
        assert sorted(ids) == sorted({item.event_id for item in told})
        for incident in {item.incident_id for item in told}:
            mine = [item.transition_event_id for item in settled if item.incident_id == incident]
            expected = list(dict.fromkeys(item.event_id for item in told if item.incident_id == incident))
            assert mine == expected
    assert all(now == told_at(due) for due, now, _ in sent if due.receiver == "b")
    for due, now, _ in sent:
        urgent = {item.incident_id for item in told if item.severity == "sev1" and item.time_unix_nano <= now}
        if due.receiver == "a" and sleeps and due.digest:
            assert not any(item.incident_id in urgent for item in due.transitions)
            assert now >= START + MORNING * NANO


def told_at(due: Due):
    """Return when the last of a request was published."""
    return max(item.time_unix_nano for item in due.transitions)


@given(st.integers(1, 200))
def test_backoff_grows_to_ten_minutes(failures):
    """It never shrinks, never exceeds ten minutes, and fits many attempts into the day."""
    assert NANO <= backoff(failures) <= backoff(failures + 1) <= 600 * NANO
    assert sum(backoff(n) for n in range(1, 145)) < GIVES_UP_AFTER
