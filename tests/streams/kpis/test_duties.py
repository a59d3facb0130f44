"""Reporting duties: the same incidents, due times and answers in the store as on the page of an incident."""

from datetime import UTC, datetime, timedelta

import pytest

from streams.incidents.pages.duties import duties, duty_text
from streams.kpis.policies import publish_policy
from streams.policy.policy import parse_policy
from streams.policy.text import PolicyError
from streams.store.client import rows
from tests.support.histories import fill
from tests.support.incidents.entries import START, act, at, folding, page

POLICY = """
duties:
- {name: GDPR, families: [leak], severities: [sev1, sev2], hours: 72, authority: the office, source: Article 33}
- {name: contract, services: [b], hours: 1}
- {name: all, hours: 2}
"""
HOUR = 3_600
ENTRIES = [
    page(), page("b", 60, service="b", family="error", onset=-3_000), page("f", 90, service="f", onset=-90_000),
    act("report", 30 * HOUR, about="GDPR"), act("report", 2 * HOUR, "inc-b", about="contract"),
    act("waive", HOUR, "inc-b", about="all", reason="nobody was harmed"), act("false_positive", HOUR, "inc-f"),
]  # fmt: skip
UNTIL = START + 40 * HOUR * 10**9


def said(incident):
    """Return the transitions of an incident as rows of the store."""
    known = {"incident_id": incident.incident_id, "service_name": incident.service, "family": incident.family,
             "severity": incident.severity, "services": incident.services}  # fmt: skip
    return [
        known | {"event_id": f"{incident.incident_id}-{number}", "transition": step.name, "time": moment(step.at),
                 "transition_time": moment(step.at), "about": step.about or "", "actor_id": step.by,
                 "false_positive": step.false_positive}
        for number, step in enumerate(incident.steps)
    ]  # fmt: skip


def moment(unix_nano):
    """Return a time as the store takes it."""
    return datetime.fromtimestamp(unix_nano // 10**9, UTC)


def test_a_page_says_what_is_due_and_what_was_said():
    """Each duty that concerns an incident is shown with its clock; an alarm that was false has none."""
    agreed = parse_policy(POLICY).duties
    first, second, false = folding(*ENTRIES).incidents()
    assert [duty_text(each, at(72 * HOUR)) for each in duties(first, agreed)] == [
        "GDPR, to the office: reported 2026-02-03 08:40:00 UTC by kim",
        "all: due 2026-02-02 04:40:00 UTC, 2 d 22 h LATE",
    ]
    assert [duty_text(each, at(72 * HOUR)) for each in duties(second, agreed)] == [
        "contract: reported 2026-02-02 04:40:00 UTC after it was due by kim",
        "all: does not apply, said 2026-02-02 03:40:00 UTC by kim: nobody was harmed",
    ]
    assert not list(duties(false, agreed))


@pytest.mark.parametrize("action", ["report", "waive", "correct"])
def test_what_is_about_nothing_is_refused(action):
    """A report without the name of its duty is kept as refused, and stands in no record as done."""
    kept = folding(page(), act(action, 60))
    assert "(`about`" in kept.fold.refused[f"{action}-60"][1]


def test_two_duties_have_two_names():
    """A report must say which duty it was for."""
    with pytest.raises(PolicyError, match="two reporting duties are called a"):
        parse_policy("duties: [{name: a, hours: 1}, {name: a, hours: 2}]")


@pytest.mark.store
def test_the_view_agrees_with_the_page(store):
    """Incidents, due times and states are those of the page, and duties of an older policy are none."""
    incidents = folding(*ENTRIES).incidents()
    fill(store, incident_transitions=[row for incident in incidents for row in said(incident)])
    publish_policy(store, parse_policy("duties: [{name: old, hours: 1}]"), moment(START))
    policy = parse_policy(POLICY)
    publish_policy(store, policy, moment(START) + timedelta(hours=1))
    found = rows(
        store,
        "SELECT incident_id, duty, toUnixTimestamp(due_time), ifNull(toUnixTimestamp(answered_time), 0), state"
        " FROM reporting_duties(until={until:DateTime('UTC')}) ORDER BY ALL",
        {"until": moment(UNTIL)},
    )
    states = {("inc-p", "GDPR"): "reported", ("inc-p", "all"): "overdue", ("inc-b", "contract"): "reported late",
              ("inc-b", "all"): "does not apply"}  # fmt: skip
    assert found == sorted(
        (incident.incident_id, duty.name, duty.due // 10**9, (duty.at or 0) // 10**9,
         states[incident.incident_id, duty.name])
        for incident in incidents
        for duty in duties(incident, policy.duties)
    )  # fmt: skip
