"""Escalations, reminders and closes: when they are due, and that they are due once."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.incidents.escalation import MINUTE, due, level
from streams.incidents.fold.fold import Clocks, Step
from streams.policy.receivers import ResponseTimes
from tests.support.incidents.records import START

TIMES = ResponseTimes()


@dataclass
class Open:
    """An incident, as far as it matters."""

    severity: str = "sev1"
    status: str = "detected"
    steps: list = field(default_factory=lambda: [Step("detected", START, "d", "f")])
    clocks: Clocks = field(default_factory=lambda: Clocks(detected=START))
    incident_id: str = "inc-f"
    service: str = "helpdesk-eu"


def at(incident, minutes, times=TIMES):
    """Return what is due after some minutes, and note it in the incident as the fold would."""
    found = due([incident], START + int(minutes * MINUTE), times)
    incident.steps += [Step(item.action, item.time_unix_nano, "watchkeeper", item.event_id) for item in found]
    return [item.action for item in found]


def test_nobody_acknowledges():
    """sev1 is escalated after 5, 15 and 35 minutes, once each; somebody acknowledges, and it is over."""
    quiet = TIMES.model_copy(update={"remind_every_minutes": None})
    incident = Open()
    escalated = [minute for minute in range(40) if at(incident, minute, quiet)]
    assert escalated == [5, 15, 35]
    incident.status = "acknowledged"
    assert at(incident, 59, quiet) == []


def test_acknowledged_and_not_mitigated_is_escalated_too():
    """Who acknowledges still has to mitigate: sev1 within an hour."""
    incident = Open(status="acknowledged")
    assert at(incident, 59) == ["remind"]
    assert at(incident, 60) == ["escalate", "remind"]
    incident.status = "mitigated"
    assert at(incident, 600) == []


def test_reminders_come_every_half_hour_and_not_in_bursts():
    """After a pause only the latest reminder is due."""
    incident = Open(status="acknowledged", severity="sev3")
    assert [minute for minute in range(100) if at(incident, minute)] == [30, 60, 90]
    assert at(incident, 600) == ["remind"]


def test_what_nobody_has_to_acknowledge_disturbs_nobody():
    """sev4 is neither escalated nor reminded of."""
    assert at(Open(severity="sev4"), 100_000) == []


def test_a_quiet_day_after_the_recovery_closes():
    """Recovered for 24 hours: closed, once, by the system; a mitigated incident is not."""
    incident = Open(status="recovered", clocks=Clocks(detected=START, recovered=START))
    assert at(incident, 24 * 60 - 1) == []
    [action] = due([incident], START + 24 * 60 * MINUTE, TIMES)
    assert (action.action, action.actor_kind, action.reason) == ("close", "system", "recovered for 24 hours")
    assert at(incident, 24 * 60) == ["close"]
    assert at(incident, 24 * 60) == []
    assert at(Open(status="mitigated"), 100_000) == []


@pytest.mark.parametrize("status", ["closed", "merged"])
def test_what_is_over_is_left_alone(status):
    """Closed and merged incidents have nothing due."""
    assert at(Open(status=status), 100_000) == []


def test_a_reopened_incident_begins_anew():
    """The waits run from the reopening, and its escalations are others than those of the first round."""
    incident = Open()
    [first] = due([incident], START + 5 * MINUTE, TIMES)
    incident.steps.append(Step("reopened", START + 600 * MINUTE, "d", "g"))
    assert due([incident], START + 604 * MINUTE, TIMES) == []
    [again] = due([incident], START + 605 * MINUTE, TIMES)
    assert (first.action, again.action) == ("escalate", "escalate")
    assert first.event_id != again.event_id


@given(
    st.sampled_from(["sev1", "sev2", "sev3", "sev4"]),
    st.sampled_from(["detected", "acknowledged", "mitigated", "recovered", "closed"]),
    st.lists(st.floats(0, 3_000), max_size=30),
)
def test_asking_more_often_changes_nothing(severity, status, minutes):
    """Whoever asks, and how often: ids do not depend on when it is asked, and nothing is due twice."""
    incident = Open(severity, status, clocks=Clocks(detected=START, recovered=START))
    for minute in sorted(minutes):
        before = due([incident], START + int(minute * MINUTE), TIMES)
        assert before == due([incident], START + int(minute * MINUTE), TIMES)
        at(incident, minute)
        assert at(incident, minute) == []
    entries = [step.entry for step in incident.steps]
    assert len(entries) == len(set(entries))


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_levels_double_the_wait(elapsed, wait):
    """Level n is reached after wait x (2^n - 1), neither earlier nor later."""
    n = level(elapsed, wait)
    assert wait * (2**n - 1) <= elapsed < wait * (2 ** (n + 1) - 1)
