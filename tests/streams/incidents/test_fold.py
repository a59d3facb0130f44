"""The fold of incidents: what they come to, what is refused, and that no order of arrival matters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.actions import IncidentAction
from schemas.findings import Finding
from streams.incidents.fold import ALLOWED, REOPENS_NANO, IllegalActionError, IncidentFold

NANO = 1_000_000_000
START = 1_770_000_000 * NANO


def page(name="p", second=0, severity="page", kind="rate", opened=None, service="a", family="leak"):
    """Return a finding."""
    return Finding(
        finding_id=name, kind=kind, severity=severity, service_name=service, metric="leak", family=family,
        detected_time_unix_nano=START + second * NANO, onset_time_unix_nano=START + (second - 600) * NANO,
        detector="d", detector_version="1", opened_finding_id=opened,
    )  # fmt: skip


def back(opened="p", second=3_600, name=None):
    """Return the recovery of a finding."""
    return page(name or f"r-{opened}", second, "info", "recovery", opened)


def act(action, second, incident="inc-p", name=None):
    """Return an action of a person."""
    return IncidentAction(
        event_id=name or f"{action}-{second}", source="cli", service_name="a", incident_id=incident, action=action,
        time_unix_nano=START + second * NANO, actor_kind="human", actor_id="kim",
    )  # fmt: skip


def fold(*entries):
    """Return the fold of some entries."""
    folded = IncidentFold()
    for entry in entries:
        (folded.finding if isinstance(entry, Finding) else folded.action)(entry)
    return folded


def test_the_clocks_come_out_to_the_second():
    """Onset, detection, acknowledgement, mitigation, recovery and close each stop their clock once."""
    entries = (page(), act("acknowledge", 120), act("mitigate", 900), back(), act("close", 7_200))
    [incident] = fold(*entries).incidents()
    assert incident.status == "closed"
    names = ("acknowledged", "mitigated", "recovered", "closed")
    assert [incident.clocks.since_detection(name) for name in names] == [120, 900, 3_600, 7_200]
    assert (incident.clocks.detected - incident.clocks.onset) / NANO == 600
    assert [step.by for step in incident.steps] == ["d", "kim", "kim", "d", "kim"]


def test_mitigated_is_not_recovered_and_recovery_needs_no_mitigation():
    """Only the down-test stops the recovery clock, and an incident that recovers by itself was never mitigated."""
    [mitigated] = fold(page(), act("mitigate", 60)).incidents()
    assert (mitigated.status, mitigated.clocks.recovered) == ("mitigated", None)
    [alone] = fold(page(), back()).incidents()
    assert (alone.status, alone.clocks.mitigated) == ("recovered", None)


def test_all_that_was_found_must_be_back():
    """Findings of the same service and family join, and it is recovered when each has been called back."""
    entries = (page(), page("q", 60, "ticket"), back("p", 600))
    [incident] = fold(*entries).incidents()
    assert len(incident.findings) == 3
    assert incident.open_findings() == {"q"}
    assert incident.status == "detected"
    assert fold(*entries, back("q", 900)).incidents()[0].clocks.recovered == START + 900 * NANO


def test_a_ticket_opens_nothing_and_services_and_families_stay_apart():
    """Without a page there is no incident; another service or family has its own."""
    assert not fold(page("t", severity="ticket")).incidents()
    folded = fold(page(), page("b", service="b"), page("f", family="unsafe"))
    assert len(folded.incidents()) == 3


@pytest.mark.parametrize(("later", "count"), [(REOPENS_NANO // NANO - 1, 1), (REOPENS_NANO // NANO + 1, 2)])
def test_a_page_soon_after_the_end_reopens_and_a_late_one_begins_anew(later, count):
    """Within a day of the recovery a new page reopens the incident and its clocks run on; after that it is another."""
    incidents = fold(page(), back(), page("q", 3_600 + later)).incidents()
    assert len(incidents) == count
    assert incidents[-1].status == "detected"
    assert ("reopened" in [step.status for step in incidents[0].steps]) == (count == 1)


@pytest.mark.parametrize(
    ("entries", "action"),
    [
        ((page(), act("close", 60)), "acknowledge"),
        ((page(), act("acknowledge", 60)), "acknowledge"),
        ((page(),), "reopen"),
    ],
)
def test_illegal_moves_are_refused_with_the_allowed_ones(entries, action):
    """What the state does not allow is refused by name, changes nothing, and is kept as refused."""
    folded = fold(*entries)
    [before] = folded.incidents()
    with pytest.raises(IllegalActionError, match=ALLOWED[before.status][0]):
        folded.check(act(action, 99))
    assert not folded.action(act(action, 99))
    [after] = folded.incidents()
    assert after.steps == before.steps
    assert after.refused == [(f"{action}-99", ", ".join(ALLOWED[before.status]))]
    with pytest.raises(IllegalActionError, match="no incident is called"):
        folded.check(act("close", 1, "inc-none"))


def test_a_false_positive_is_closed_and_says_so():
    """Called a false positive, an incident is closed, and a reopening keeps that in its history."""
    [incident] = fold(page(), act("false_positive", 60), act("reopen", 90)).incidents()
    assert incident.status == "detected"
    assert [step.status for step in incident.steps] == ["detected", "closed", "reopened"]


ENTRIES = st.lists(
    st.one_of(
        st.builds(page, st.sampled_from("pqs"), st.integers(0, 200_000), st.sampled_from(["page", "ticket"])),
        st.builds(back, st.sampled_from("pqs"), st.integers(0, 200_000)),
        st.builds(
            act,
            st.sampled_from(["acknowledge", "mitigate", "close", "reopen", "false_positive", "note"]),
            st.integers(0, 200_000),
            st.sampled_from(["inc-p", "inc-q", "inc-s"]),
        ),
    ),
    max_size=14,
    unique_by=lambda entry: entry.finding_id if isinstance(entry, Finding) else entry.event_id,
)


@settings(max_examples=300)
@given(entries=ENTRIES, data=st.data())
def test_no_order_and_no_repetition_matters(entries, data):
    """Any interleaving, repetition or lateness of the same entries gives the same incidents, to the last step."""
    expected = fold(*entries).incidents()
    shuffled = data.draw(st.permutations(entries))
    repeated = [entry for entry in shuffled for _ in range(data.draw(st.integers(1, 2)))]
    assert fold(*repeated).incidents() == expected
    for incident in expected:
        times = [step.at for step in incident.steps]
        assert times == sorted(times)
        assert incident.clocks.detected == incident.findings[0].detected_time_unix_nano
