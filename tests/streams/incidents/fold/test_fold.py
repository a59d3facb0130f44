"""The fold of incidents: what they come to, what is refused, and that no order of arrival matters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.findings import Finding
from streams.incidents.fold import reordering
from streams.incidents.fold.fold import MOST_JOINED, REOPENS_NANO
from streams.incidents.fold.moves import ALLOWED, IllegalActionError, UnknownIncidentError
from streams.incidents.fold.reordering import ReorderingFold
from tests.support.incidents.entries import NANO, START, act, at, back, change, folding, page, taken


def test_the_clocks_come_out_to_the_second():
    """Onset, detection, acknowledgement, mitigation, recovery and close each stop their clock once."""
    entries = (page(), act("acknowledge", 120), act("mitigate", 900), back(), act("close", 7_200))
    [incident] = folding(*entries).incidents()
    assert incident.status == "closed"
    names = ("acknowledged", "mitigated", "recovered", "closed")
    assert [incident.clocks.since_detection(name) for name in names] == [120, 900, 3_600, 7_200]
    assert (incident.clocks.detected - incident.clocks.onset) / NANO == 600
    assert [step.by for step in incident.steps] == ["d", "kim", "kim", "d", "kim"]


def test_an_action_counts_when_it_was_done_not_when_it_was_said():
    """An acknowledgement typed in an hour late stops its clock at the time that it names."""
    [incident] = folding(page(), act("acknowledge", 3_600, happened_at_unix_nano=at(60))).incidents()
    assert incident.clocks.since_detection("acknowledged") == 60


def test_mitigated_is_not_recovered_and_recovery_needs_no_mitigation():
    """Only the down-test stops the recovery clock, and an incident that recovers by itself was never mitigated."""
    [mitigated] = folding(page(), act("mitigate", 60)).incidents()
    assert (mitigated.status, mitigated.clocks.recovered) == ("mitigated", None)
    [alone] = folding(page(), back()).incidents()
    assert (alone.status, alone.clocks.mitigated) == ("recovered", None)


def test_all_that_was_paged_must_be_back():
    """Findings of the same service and family join; each paged one must be called back, and tickets stay in sight."""
    entries = (page(), page("q", 60), page("t", 90, "ticket"), back("p", 600))
    [incident] = folding(*entries).incidents()
    assert (incident.findings, incident.waiting, incident.unproven) == (3, {"q"}, {"t"})
    assert incident.status == "detected"
    [recovered] = folding(*entries, back("q", 900)).incidents()
    assert recovered.clocks.recovered == START + 900 * NANO
    assert recovered.unproven == {"t"}


def test_closed_before_it_was_proven_back_keeps_its_recovery_clock_running():
    """What is closed by a person and recovers later is closed, and says when it recovered."""
    [incident] = folding(page(), act("close", 60), back()).incidents()
    assert (incident.status, incident.clocks.since_detection("recovered")) == ("closed", 3_600)


def test_a_ticket_opens_nothing_and_services_stay_apart():
    """Without a page there is no incident; services with nothing in common have their own."""
    assert not folding(page("t", severity="ticket")).incidents()
    assert len(folding(page(), page("b", service="b", onset=-601)).incidents()) == 2


def test_one_service_that_suffers_in_two_ways_at_once_has_one_incident():
    """A page of another family joins if what it is about began before the incident was detected, and not otherwise."""
    [incident] = folding(page(), page("u", 300, family="unsafe", onset=-400), back("p", 900)).incidents()
    assert (incident.keys, incident.waiting) == ((("a", "leak"), ("a", "unsafe")), {"u"})
    assert len(folding(page(), page("u", 3_600, family="unsafe", onset=-600)).incidents()) == 2


def test_services_with_the_same_onset_and_model_version_are_one_incident():
    """The same onset and the same model version, or change, make one incident of several services."""
    [incident] = folding(page(versions=["m@2"]), page("b", 120, service="b", versions=["m@2"])).incidents()
    assert incident.services == ["a", "b"]
    assert len(folding(page(versions=["m@2"]), page("b", 120, service="b", versions=["m@3"])).incidents()) == 2
    late = page("b", 3_600, service="b", versions=["m@2"])
    assert len(folding(page(versions=["m@2"]), late).incidents()) == 2
    deploys = change(-700), change(-690, service="b")
    [changed] = folding(page(), page("b", 120, service="b"), *deploys).incidents()
    assert (changed.services, changed.suspected_change) == (["a", "b"], "c--700")


@pytest.mark.parametrize(("later", "count"), [(REOPENS_NANO // NANO - 1, 1), (REOPENS_NANO // NANO + 1, 2)])
def test_a_page_soon_after_the_end_reopens_and_a_late_one_begins_anew(later, count):
    """Within a day of the recovery a new page reopens the incident and its clocks run on; after that it is another."""
    incidents = folding(page(), back(), page("q", 3_600 + later)).incidents()
    assert len(incidents) == count
    assert incidents[-1].status == "detected"
    assert ("reopened" in [step.name for step in incidents[0].steps]) == (count == 1)
    assert (incidents[0].clocks.recovered is None) == (count == 1)


@pytest.mark.parametrize(
    ("entries", "action"),
    [
        ((page(), act("close", 60)), "acknowledge"),
        ((page(), act("acknowledge", 60)), "acknowledge"),
        ((page(),), "reopen"),
        ((page(),), "merge"),
    ],
)
def test_illegal_moves_are_refused_with_the_allowed_ones(entries, action):
    """What the state does not allow is refused by name, changes nothing, and is kept as refused."""
    kept = folding(*entries)
    [before] = kept.incidents()
    possible = "into which" if action == "merge" else ALLOWED[before.status][-1]
    with pytest.raises(IllegalActionError, match=possible):
        kept.check(act(action, 99))
    kept.add([act(action, 99)])
    assert kept.incidents() == [before]
    assert possible in kept.fold.refused[f"{action}-99"][1]


def test_what_cannot_be_is_refused():
    """Unknown incidents and times before the detection are refused; the first is taken once the incident is known."""
    kept = folding(act("acknowledge", 60))
    assert "no incident is called" in kept.fold.refused["acknowledge-60"][1]
    kept.add(taken([page()]))
    assert kept.incidents()[0].status == "acknowledged"
    assert not kept.fold.refused
    with pytest.raises(UnknownIncidentError):
        kept.check(act("close", 99, "inc-none"))
    with pytest.raises(IllegalActionError, match="not yet detected"):
        kept.check(act("mitigate", 99, happened_at_unix_nano=at(-1)))


def test_a_false_positive_is_closed_and_what_follows_is_another_incident():
    """Called a false positive, an incident is closed; a page on the next day begins a new one."""
    [incident, other] = folding(page(), act("false_positive", 60), page("q", 3_600)).incidents()
    assert (incident.status, incident.false_positive) == ("closed", True)
    assert other.status == "detected"
    [again] = folding(page(), act("false_positive", 60), act("reopen", 90)).incidents()
    assert (again.status, again.false_positive) == ("detected", False)


def test_a_merged_incident_hands_over_what_it_waits_for():
    """After a merge the other incident is recovered only when both are proven back, and takes what comes later."""
    entries = (
        page(), page("b", 60, service="b", onset=-601), act("merge", 120, "inc-b", into_incident_id="inc-p"),
        back("p", 600),
    )  # fmt: skip
    merged, into = sorted(folding(*entries).incidents(), key=lambda each: each.status != "merged")
    assert (merged.status, merged.merged_into, into.services) == ("merged", "inc-p", ["a", "b"])
    assert (into.status, into.waiting) == ("detected", {"b"})
    later = folding(*entries, back("b", 900), page("c", 1_200, service="b")).incidents()
    assert [each.status for each in later if each.incident_id == "inc-p"] == ["detected"]


def test_changes_mitigate_and_are_suspected():
    """A rollback of the service, a kill switch, and a change that names the incident stop the mitigation clock."""
    for stop in (
        change(300, "rolled_back"),
        change(300, subject="kill_switch"),
        change(300, incident_id="inc-p", service="z"),
    ):
        [incident] = folding(change(-900, name="deploy"), page(), stop).incidents()
        assert (incident.status, incident.clocks.since_detection("mitigated")) == ("mitigated", 300)
        assert incident.suspected_change == "deploy"
    [untouched] = folding(page(), change(300), change(400, "proposed", incident_id="inc-p")).incidents()
    assert untouched.clocks.mitigated is None


def test_a_flood_is_counted_and_bounded():
    """A thousand severe events are one incident with a thousand findings and a bounded history."""
    flood = [page(f"s{number}", number, kind="severe_event", event_ids=[str(number)]) for number in range(1_000)]
    [incident] = folding(*flood).incidents()
    assert incident.findings == 1_000
    assert len(incident.steps) <= MOST_JOINED + 2
    assert len(incident.event_ids) == 100
    assert incident.severity == "sev1"


SECONDS = st.integers(0, 300_000)
ENTRIES = st.lists(
    st.one_of(
        st.builds(
            page, st.sampled_from("pqsuvw"), SECONDS, st.sampled_from(["page", "ticket"]), st.just("rate"), st.none(),
            st.sampled_from("ab"), st.sampled_from(["leak", "unsafe"]), st.sampled_from([-10_000, -600]),
        ),
        st.builds(back, st.sampled_from("pqsuvw"), SECONDS),
        st.builds(
            act,
            st.sampled_from(["acknowledge", "mitigate", "close", "reopen", "false_positive", "note", "merge"]),
            SECONDS,
            st.sampled_from(["inc-p", "inc-q", "inc-s"]),
            into_incident_id=st.sampled_from(["inc-p", "inc-q"]),
        ),
        st.builds(change, SECONDS, st.sampled_from(["started", "rolled_back"]), service=st.sampled_from("ab")),
    ),
    max_size=14,
    unique_by=lambda entry: entry.finding_id if isinstance(entry, Finding) else entry.event_id,
)  # fmt: skip


@settings(max_examples=300)
@given(entries=ENTRIES, data=st.data())
def test_no_order_and_no_repetition_matters(entries, data):
    """Any interleaving, repetition, lateness or batching of the same entries gives the same incidents, to the step."""
    expected = folding(*entries)
    shuffled = data.draw(st.permutations(entries))
    repeated = [entry for entry in shuffled for _ in range(data.draw(st.integers(1, 2)))]
    kept = ReorderingFold(lambda _: "sev2")
    while repeated:
        size = data.draw(st.integers(1, len(repeated)))
        kept.add(taken(repeated[:size]))
        repeated = repeated[size:]
    assert kept.incidents() == expected.incidents()
    assert kept.fold.refused == expected.fold.refused
    for incident in expected.incidents():
        times = [step.at for step in incident.steps]
        assert times == sorted(times)


def test_going_back_far_gives_what_order_gives(monkeypatch):
    """With many remembered states, thinned out, a very late entry changes exactly what it would have changed."""
    monkeypatch.setattr(reordering, "EVERY", 3)
    monkeypatch.setattr(reordering, "MOST_REMEMBERED", 4)
    entries = [page(f"n{number}", 50_000 * number, service="ab"[number % 2]) for number in range(60)]
    late = entries.pop(2)
    assert (
        folding(*entries, late).incidents()
        == folding(*sorted([*entries, late], key=lambda e: e.finding_id)).incidents()
    )
