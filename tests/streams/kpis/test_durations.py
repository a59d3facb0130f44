"""The clocks of incidents and of reviews, against a plain fold."""

import math
import statistics
from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import HOUR, START, ask, counts, fill, near, of

pytestmark = pytest.mark.store

STATES = ("acknowledged", "mitigated", "recovered", "closed")
CLOCKS = {"acknowledged": "acknowledge", "mitigated": "mitigate", "recovered": "recover", "closed": "close"}


def transition(incident, number, name, minute, **fields):
    """Return a row of one transition of an incident, so many minutes after the start."""
    at = START + timedelta(minutes=minute)
    row = {
        "incident_id": f"i{incident}", "event_id": f"{incident}/{number}", "transition": name, "transition_time": at,
        "time": at, "onset_time": None, "actor_kind": "human", "family": "unsafe", "service_name": "a",
        "false_positive": None, "into_incident_id": "", "reached_user": None,
    }  # fmt: skip
    return row | fields


@st.composite
def incidents(draw):
    """Return the transitions of some incidents, each in the order of their times."""
    rows = []
    for incident in range(draw(st.integers(1, 12))):
        minute = draw(st.integers(0, 600))
        onset = START + timedelta(minutes=minute - draw(st.integers(0, 90)))
        rows.append(transition(incident, 0, "detected", minute, onset_time=draw(st.sampled_from([None, onset]))))
        steps = draw(st.lists(st.sampled_from([*STATES, "reopened", "noted"]), max_size=7))
        for number, name in enumerate(steps, 1):
            minute += draw(st.integers(1, 200))
            false = draw(st.integers(0, 9)) == 0 and name == "closed"
            actor = draw(st.sampled_from(["human", "human", "automation"]))
            rows.append(transition(incident, number, name, minute, false_positive=false, actor_kind=actor))
    return rows


def reached(steps):
    """Return when an incident came to each state: the first time, or the first since it was last reopened."""
    at = {}
    for step in steps:
        if step["transition"] == "reopened":
            at.pop("recovered", None)
            at.pop("closed", None)
        elif step["transition"] != "acknowledged" or step["actor_kind"] == "human":
            at.setdefault(step["transition"], step["transition_time"])
    return at


def folded(rows):
    """Return {clock: seconds of each incident} and {clock: how many still wait}."""
    taken, waiting = defaultdict(list), defaultdict(int)
    by_incident = defaultdict(list)
    for row in rows:
        by_incident[row["incident_id"]].append(row)
    for steps in by_incident.values():
        if any(step["false_positive"] for step in steps):
            continue
        began, at = steps[0]["transition_time"], reached(steps)
        if steps[0]["onset_time"]:
            taken["detect"].append((began - steps[0]["onset_time"]).total_seconds())
        for state, clock in CLOCKS.items():
            if state in at:
                taken[clock].append((at[state] - began).total_seconds())
            elif "closed" not in at:
                waiting[clock] += 1
    return taken, waiting


def quantile(values, share):
    """Return a quantile with its order-statistic bounds, None where there are too few values."""
    ordered, n = sorted(values), len(values)
    spread = statistics.NormalDist().inv_cdf(0.975) * math.sqrt(n * share * (1 - share))
    low, high = math.floor(n * share - spread), math.ceil(n * share + spread) + 1
    return (
        float(np.quantile(ordered, share)),
        ordered[low - 1] if low >= 1 else None,
        ordered[high - 1] if high <= n else None,
    )


@settings(max_examples=8)
@given(rows=incidents())
def test_clocks_of_incidents(store, rows):
    """Median and p90 of each clock, and how many still wait; false positives are left out, reopened ones run on."""
    fill(store, service_hours=[counts(hour) for hour in range(24)], incident_transitions=rows)
    found = ask(store, "kpi_durations")
    taken, waiting = folded(rows)
    for clock in ("detect", *CLOCKS.values()):
        for end, share in (("", 0.5), ("_p90", 0.9)):
            row = of(found, f"time_to_{clock}{end}").get((0, "a", ""), {"n": 0})
            assert row["n"] == len(taken[clock])
            if row["n"]:
                assert near((row["value"], row["lower"], row["upper"]), quantile(taken[clock], share))
                assert row["trust"] == "trusted"
        still = of(found, f"time_to_{clock}_open").get((0, "a", ""), {"n": 0})
        assert still["n"] == waiting[clock]


def test_an_incident_that_was_merged_is_not_counted_twice(store):
    """What went into another incident has no clocks of its own."""
    rows = [transition(1, 0, "detected", 0), transition(1, 1, "merged", 5, into_incident_id="i2"),
            transition(2, 0, "detected", 1), transition(2, 1, "closed", 61)]  # fmt: skip
    fill(store, service_hours=[counts(0)], incident_transitions=[*rows, *rows])
    found = ask(store, "kpi_durations")
    assert of(found, "time_to_close")[0, "a", ""]["value"] == 3600
    assert of(found, "time_to_close")[0, "a", ""]["n"] == 1
    assert not of(found, "time_to_close_open")


def test_an_age_is_counted_to_the_end_of_the_period(store):
    """An open incident of the past is as old as the period says, not as it is today."""
    fill(store, service_hours=[counts(0)], incident_transitions=[transition(1, 0, "detected", 60)])
    waits = of(ask(store, "kpi_durations", hours=5), "time_to_acknowledge_open")
    assert waits[0, "a", ""]["value"] == 4 * 3600


def test_leak_incidents_are_those_that_may_have_reached_a_user(store):
    """Incidents of the leak family: not those that surely reached nobody, false ones or merged ones."""
    rows = [
        transition(1, 0, "detected", 0, family="leak", reached_user=True),
        transition(2, 0, "detected", 5, family="leak"),
        transition(3, 0, "detected", 9, family="leak", reached_user=False),
        transition(4, 0, "detected", 9, family="unsafe", reached_user=True),
        transition(5, 0, "detected", 9, family="leak", reached_user=True, false_positive=True),
    ]
    fill(store, service_hours=[counts(0), counts(1)], incident_transitions=rows)
    found = of(ask(store, "kpi_totals", step=3600), "leak_incidents")
    assert {key[0]: (row["value"], row["n"]) for key, row in found.items()} == {0: (2, 3), 1: (0, 0)}


def test_whom_an_incident_touched_is_what_its_last_evidence_counted(store):
    """What its pages say holds until events were counted; that it reached somebody once is never taken back."""
    rows = [
        transition(number, 0, "detected", 0, family="leak", reached_user=said, sessions_affected=7, users_affected=None)
        for number, said in enumerate((None, True, None, None))
    ]
    evidence = [
        {"incident_id": f"i{incident}", "event_id": f"e{incident}{minute}", "time": START + timedelta(minutes=minute),
         "users_affected": users, "sessions_affected": users, "reached_user": told}
        for incident, minute, users, told in (
            (0, 1, 3, True), (0, 90, 40, None), (1, 1, 2, False), (2, 1, 2, False), (2, 90, 5, False),
        )
    ]  # fmt: skip
    fill(store, service_hours=[counts(0)], incident_transitions=rows, incident_evidence=evidence)
    found = store.query(
        "SELECT incident_id, users_affected, sessions_affected, reached_user FROM incidents ORDER BY incident_id"
    ).result_rows
    assert found == [("i0", 40, 40, True), ("i1", 2, 2, True), ("i2", 5, 5, False), ("i3", None, 7, None)]
    leaks = of(ask(store, "kpi_totals", step=3600), "leak_incidents")[0, "a", ""]
    assert (leaks["value"], leaks["n"]) == (3, 4)  # all but i2, which reached nobody


def test_harm_ends_before_its_end_is_proven(store):
    """Both clocks run from the detection; harm that was over by then lasted no time, one not proven over has no end."""
    rows = [transition(number, 0, "detected", 10) for number in range(3)]
    rows += [transition(number, 1, "recovered", 300) for number in range(2)]
    evidence = [
        {"incident_id": f"i{incident}", "event_id": f"e{incident}", "time": START + timedelta(minutes=300),
         "ended_time": START + timedelta(minutes=minute)}
        for incident, minute in ((0, 70), (1, 4), (2, 20))
    ]  # fmt: skip
    fill(store, service_hours=[counts(0)], incident_transitions=rows, incident_evidence=evidence)
    found = ask(store, "kpi_durations")
    ended, proven = (of(found, kpi)[0, "a", ""] for kpi in ("time_to_end", "time_to_recover"))
    assert (ended["value"], ended["n"]) == (30 * 60, 2)  # the median of 60 minutes and of none
    assert (proven["value"], proven["n"]) == (290 * 60, 2)


def test_drift_is_open_until_it_is_called_back(store):
    """A finding counts at the end of each window in which it is open; votes lapse, rates and patterns are no drift."""

    def finding(identity, kind, hour, opened="", metric="latency"):
        return {"finding_id": identity, "kind": kind, "service_name": "a", "metric": metric,
                "detected_time": START + hour * HOUR + HOUR / 4, "opened_finding_id": opened}  # fmt: skip

    rows = [finding("1", "quantity", 1), finding("2", "recovery", 4, "1"), finding("3", "mix", 3, metric="tool"),
            finding("4", "rate", 0), finding("5", "drift_vote", -170), finding("6", "pattern", 0)]  # fmt: skip
    fill(store, service_hours=[counts(hour) for hour in range(6)], findings=rows)
    found = of(ask(store, "kpi_totals", step=3600), "drift_open")
    assert [found[hour, "a", ""]["value"] for hour in range(6)] == [0, 1, 1, 2, 1, 1]
    whole = of(ask(store, "kpi_totals", hours=6), "drift_open")[0, "a", ""]
    assert (whole["value"], whole["n"]) == (1, 1)


def test_review_turnaround_is_from_the_queue_to_the_first_person(store):
    """The first label of a person ends the wait; judges and users do not; what nobody labelled waits."""
    items = [{"target_event_id": str(number), "event_id": str(number), "time": START, "service_name": "a"}
             for number in range(4)]  # fmt: skip
    labels = [
        {"target_event_id": str(target), "event_id": f"{target}/{minute}", "time": START + timedelta(minutes=minute),
         "service_name": "a", "annotator_kind": kind, "queued_at": queued, "label": "safe"}
        for target, minute, kind, queued in (
            (0, 30, "human", START), (0, 50, "human", START), (1, 20, "llm", START), (1, 70, "human", None),
            (2, 5, "end_user", None),
        )
    ]  # fmt: skip
    fill(store, service_hours=[counts(0)], review_items=items, review_labels=labels)
    found = ask(store, "kpi_durations")
    assert of(found, "review_turnaround")[0, "a", ""]["value"] == 50 * 60
    assert of(found, "review_turnaround")[0, "a", ""]["n"] == 2
    assert of(found, "review_turnaround_open")[0, "a", ""]["n"] == 2
