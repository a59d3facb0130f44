"""The canary gate: when it promotes, when it takes back, what it waits for, and that it speaks once."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.changes import Change
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.wire import decoder, encode
from streams.incidents.requests.gate import Gate, decision_id
from streams.policy.controls import CanaryGate

START = 1_770_000_000 * NANO
POLICY = CanaryGate(metrics=["leak", "refusal"], min_exposure=1_000, max_regret=20)


def started(service="chat", candidate="m2", number=1, **more):
    """Return the change that begins a canary."""
    own = {"action": "started", "to_version": candidate, "from_version": "m1", "gate_name": "canary"}
    own |= {"time_unix_nano": START} | more
    return Change(
        event_id=f"s{number}", source="t", service_name=service, change_id=f"c-{candidate}",
        subject_type="model", subject_name=service, **own,
    )  # fmt: skip


def comparison(minute, metric="leak", verdict="undecided", trials=500, flagged=5, service="chat"):
    """Return what is known of a metric so many minutes after the start; stable flags one in a hundred."""
    return Finding(
        finding_id=f"{metric}-{minute}", kind="canary", severity="info", service_name=service, model_version="m2",
        metric=metric, family="canary", detector="d", detector_version="1", verdict=verdict, sample_size=trials,
        flagged=flagged, rate_lower=0.001, rate_upper=0.05, details={"stable_trials": 9_000.0, "stable_flagged": 90.0},
        detected_time_unix_nano=START + minute * 60 * NANO,
    )  # fmt: skip


def taken(gate, *records):
    """Return what some records decide."""
    return [decision for record in records for decision in gate.take(record)]


def test_worse_in_one_metric_is_taken_back():
    """The control asks for stable, is signed for a day, and says what was known at each comparison."""
    [decision] = taken(
        Gate(POLICY),
        started(),
        comparison(1),
        comparison(2, "refusal", "not worse"),
        comparison(3, verdict="worse", flagged=19),
    )
    control, change = decision
    assert (control.control, control.model_version, control.to_version) == ("rollback", "m2", "m1")
    assert (control.rule, control.finding_id, control.change_id) == ("canary", "leak-3", "c-m2")
    assert control.expires_at - control.time_unix_nano == 86_400 * NANO
    assert control.reason.startswith("worse than stable in leak; 3 comparisons; ")
    assert "not yet proven not worse: leak, refusal" in control.reason
    assert control.evidence["leak_flagged"] == 19
    assert control.evidence["leak_stable_trials"] == 9_000
    assert (change.action, change.gate_result, change.trigger, change.event_id) == (
        "rejected", "fail", "gate", decision_id(started()),
    )  # fmt: skip
    assert change.gate_stats == control.evidence
    assert decoder(Change)(encode(change), change.time_unix_nano) == change


def test_it_waits_for_every_metric_and_for_exposure():
    """Not worse in one metric is not enough, nor in both over too few sessions; then it is promoted."""
    gate = Gate(POLICY)
    assert not taken(gate, started(), comparison(1, verdict="not worse", trials=2_000, flagged=20))
    assert not taken(gate, comparison(2, "refusal", "not worse", trials=900, flagged=9))
    [decision] = taken(gate, comparison(3, "refusal", "not worse", trials=1_000, flagged=10))
    assert (decision.control.control, decision.control.to_version) == ("promote", "m2")
    assert "900 sessions, 1000 are asked for" in decision.control.reason
    assert (decision.change.action, decision.change.gate_result) == ("approved", "pass")


@pytest.mark.parametrize(("flagged", "decided"), [(25, 0), (26, 1)])
def test_what_it_may_cost_is_bounded(flagged, decided):
    """More than 20 flagged sessions above stable's rate take it back without a verdict; latency costs none."""
    gate = Gate(POLICY)
    decisions = taken(gate, started(), comparison(1, trials=500, flagged=flagged))
    assert [decision.control.control for decision in decisions] == ["rollback"] * decided
    slow = Gate(CanaryGate(metrics=["latency"]))
    assert not taken(slow, started(), comparison(1, "latency", trials=500, flagged=400))


def test_a_canary_may_bring_its_own_limits():
    """Exposure and regret of the start go before those of the policy."""
    strict = started(gate_stats={"min_exposure": 5_000.0, "max_regret": 2.0})
    both = [comparison(1, verdict="not worse", trials=2_000), comparison(2, "refusal", "not worse", trials=2_000)]
    assert not taken(Gate(POLICY), strict, *both)
    assert len(taken(Gate(POLICY), strict, comparison(1, flagged=8))) == 1


def test_others_and_what_is_over_decide_nothing():
    """Without a start, after a stop, of another service, metric or version nothing is decided."""
    bad = comparison(3, verdict="worse")
    assert not taken(Gate(POLICY), bad)
    assert not taken(Gate(POLICY), started(), started(action="aborted", number=2), bad)
    assert not taken(Gate(POLICY), started(), comparison(3, verdict="worse", service="search"))
    assert not taken(Gate(POLICY), started(), comparison(3, "error", "worse"))
    assert not taken(Gate(POLICY), started(candidate="m3"), bad)
    assert not taken(Gate(POLICY), started(gate_name="other"), bad)


def test_what_was_known_before_the_start_counts():
    """A candidate that was compared already is judged when its canary begins."""
    assert len(taken(Gate(POLICY), comparison(-1, verdict="worse"), started())) == 1


def test_after_a_restart_its_own_word_is_kept():
    """Read back from the topic, in any place, the decision keeps the canary closed; another start begins anew."""
    [decision] = taken(Gate(POLICY), started(), comparison(1, verdict="worse"))
    for order in ([decision.change, started()], [started(), decision.change]):
        gate = Gate(POLICY)
        assert not taken(gate, *order, comparison(1, verdict="worse"), started())
        assert len(taken(gate, started(number=2))) == 1


VERDICTS = st.tuples(
    st.sampled_from(["leak", "refusal"]), st.sampled_from(["undecided", "not worse", "worse"]), st.integers(1, 3_000)
)


@given(verdicts=st.lists(VERDICTS, max_size=15), again=st.lists(st.integers(0, 14), max_size=30))
def test_each_canary_is_decided_once_whatever_is_repeated(verdicts, again):
    """Repeats of records that were taken change nothing of what is decided, and nothing is decided twice."""
    records = [started()]
    for minute, (metric, verdict, trials) in enumerate(verdicts):
        records.append(comparison(minute, metric, verdict, trials, trials // 50))
    once = taken(Gate(POLICY), *records)
    gate, twice = Gate(POLICY), []
    for at, record in enumerate(records):
        repeats = [records[index] for index in again if index <= at]
        twice += taken(gate, record, *repeats)
    assert len(once) <= 1
    assert [msgspec.to_builtins(decision) for decision in twice] == [msgspec.to_builtins(each) for each in once]


def test_a_version_of_a_prompt_is_decided_by_what_was_answered_with_it():
    """The comparison under its name counts, that of the model does not; the control names prompt and version."""
    canary = msgspec.structs.replace(
        started(candidate="13", from_version="12"), subject_type="prompt", subject_name="help"
    )
    worse = comparison(3, verdict="worse", flagged=19)
    assert not taken(Gate(POLICY), canary, worse)
    [decision] = taken(Gate(POLICY), canary, msgspec.structs.replace(worse, model_version="help@13"))
    control = decision.control
    assert (control.control, control.prompt_name, control.to_version, control.model_version) == (
        "rollback", "help", "12", None,
    )  # fmt: skip
