"""Escalations, reminders and closes: when they are due, and that they are due once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.incidents.escalation import due, level
from streams.incidents.fold.state import MINUTE_NANO, Clocks, Incident, Step
from streams.policy.receivers import ResponseTimes
from tests.support.incidents.records import START

TIMES = ResponseTimes()
DETECTED = Clocks(detected=START)


class Open:
    """An incident that takes what is due of it, as the fold would."""

    def __init__(self, severity="sev1", status="detected", clocks=DETECTED):
        self.now = Incident(
            incident_id="inc-f", key=("helpdesk-eu", "leak"), severity=severity, opened_by="f", metric="leak",
            detector="d", clocks=clocks, status=status, steps=(Step("detected", START, "d", "f"),),
        )  # fmt: skip

    def become(self, **changed):
        """Be otherwise from now on."""
        self.now = replace(self.now, **changed)

    def step(self, name, at, entry):
        """Take a step."""
        self.become(steps=(*self.now.steps, Step(name, at, "watchkeeper", entry)))


def at(opened, minutes, times=TIMES):
    """Return what is due after some minutes, and note it in the incident."""
    found = due([opened.now], START + int(minutes * MINUTE_NANO), times)
    for item in found:
        opened.step(item.action, item.time_unix_nano, item.event_id)
    return [item.action for item in found]


def test_nobody_acknowledges():
    """sev1 is escalated after 5, 15 and 35 minutes, once each; somebody acknowledges, and it is over."""
    quiet = TIMES.model_copy(update={"remind_every_minutes": None})
    opened = Open()
    escalated = [minute for minute in range(40) if at(opened, minute, quiet)]
    assert escalated == [5, 15, 35]
    opened.become(status="acknowledged")
    assert at(opened, 59, quiet) == []


def test_acknowledged_and_not_mitigated_is_escalated_too():
    """Who acknowledges still has to mitigate: sev1 within an hour."""
    opened = Open(status="acknowledged")
    assert at(opened, 59) == ["remind"]
    assert at(opened, 60) == ["escalate", "remind"]
    opened.become(status="mitigated")
    assert at(opened, 600) == []


def test_reminders_come_every_half_hour_and_not_in_bursts():
    """After a pause only the latest reminder is due."""
    opened = Open(status="acknowledged", severity="sev3")
    assert [minute for minute in range(100) if at(opened, minute)] == [30, 60, 90]
    assert at(opened, 600) == ["remind"]


def test_what_nobody_has_to_acknowledge_disturbs_nobody():
    """sev4 is neither escalated nor reminded of."""
    assert at(Open(severity="sev4"), 100_000) == []


def test_a_quiet_day_after_the_recovery_closes():
    """Recovered for 24 hours: closed, once, by the system; a mitigated incident is not."""
    opened = Open(status="recovered", clocks=Clocks(detected=START, recovered=START))
    assert at(opened, 24 * 60 - 1) == []
    [action] = due([opened.now], START + 24 * 60 * MINUTE_NANO, TIMES)
    assert (action.action, action.actor_kind, action.reason) == ("close", "system", "recovered for 24 hours")
    assert at(opened, 24 * 60) == ["close"]
    assert at(opened, 24 * 60) == []
    assert at(Open(status="mitigated"), 100_000) == []


@pytest.mark.parametrize("status", ["closed", "merged"])
def test_what_is_over_is_left_alone(status):
    """Closed and merged incidents have nothing due."""
    assert at(Open(status=status), 100_000) == []


def test_a_reopened_incident_begins_anew():
    """The waits run from the reopening, and its escalations are others than those of the first round."""
    opened = Open()
    [first] = due([opened.now], START + 5 * MINUTE_NANO, TIMES)
    opened.step("reopened", START + 600 * MINUTE_NANO, "g")
    assert due([opened.now], START + 604 * MINUTE_NANO, TIMES) == []
    [again] = due([opened.now], START + 605 * MINUTE_NANO, TIMES)
    assert (first.action, again.action) == ("escalate", "escalate")
    assert first.event_id != again.event_id


@given(
    st.sampled_from(["sev1", "sev2", "sev3", "sev4"]),
    st.sampled_from(["detected", "acknowledged", "mitigated", "recovered", "closed"]),
    st.lists(st.floats(0, 3_000), max_size=30),
)
def test_asking_more_often_changes_nothing(severity, status, minutes):
    """Whoever asks, and how often: ids do not depend on when it is asked, and nothing is due twice."""
    opened = Open(severity, status, clocks=Clocks(detected=START, recovered=START))
    for minute in sorted(minutes):
        before = due([opened.now], START + int(minute * MINUTE_NANO), TIMES)
        assert before == due([opened.now], START + int(minute * MINUTE_NANO), TIMES)
        at(opened, minute)
        assert at(opened, minute) == []
    entries = [step.entry for step in opened.now.steps]
    assert len(entries) == len(set(entries))


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_levels_double_the_wait(elapsed, wait):
    """Level n is reached after wait x (2^n - 1), neither earlier nor later."""
    n = level(elapsed, wait)
    assert wait * (2**n - 1) <= elapsed < wait * (2 ** (n + 1) - 1)
