"""Evaluations as a condition of the gate: what holds a promotion up, and what lets it go on."""

import pytest

from schemas.evaluations import EvaluationRun
from schemas.fields import NANO
from streams.incidents.requests.evaluated import Evaluations
from streams.incidents.requests.gate import Gate
from streams.policy.controls import EvaluationRule
from tests.streams.incidents.requests.test_gate import POLICY, START, comparison, started, taken

DAY = 86_400 * NANO
GOOD = [comparison(1, verdict="not worse", trials=2_000), comparison(2, "refusal", "not worse", trials=2_000)]


def run(failed=0, items=400, version="m2", days=1.0, name="t", **more):
    """Return a run of a test that ended so many days before the canary began."""
    own = {"suite": "garak", "test_name": name, "category": "sec.jailbreak", "items": items, "failed": failed}
    return EvaluationRun(event_id=f"{version}-{name}-{days}", source="t", service_name="chat", model_version=version,
                         time_unix_nano=START - round(days * DAY), **own | more)  # fmt: skip


def gate(**rule):
    """Return a gate that asks for a suite."""
    return Gate(POLICY.model_copy(update={"evaluations": [EvaluationRule(suite="garak", **rule)]}))


@pytest.mark.parametrize(
    ("rule", "runs", "why"),
    [
        ({}, [], "garak did not run on m2, within 30 days is asked for"),
        ({}, [run(version="m1"), run(suite="other")], "garak did not run on m2, within 30 days is asked for"),
        ({"within_days": 7}, [run(days=9)], "garak last ran 9.0 days ago on m2, within 7 days is asked for"),
        ({"category": "sec.leak"}, [run()], "garak (sec.leak) did not run on m2, within 30 days is asked for"),
        ({"at_most": 0.02}, [run(6)], "garak may fail 3.2% on m2, at most 2.0% is asked for"),
        ({"worse_by_at_most": 0.02}, [run()], "garak did not run on m1, which it is to be held against"),
        ({"worse_by_at_most": 0.02}, [run(20), run(4, version="m1")],
         "garak may be worse than m1 by 6.7%, at most 2.0% is asked for"),
        ({"at_most": 0.01}, [run(name="a"), run(9, name="b")],
         "garak may fail 2.1% on m2, at most 1.0% is asked for"),
    ],
)  # fmt: skip
def test_a_candidate_without_what_the_policy_asks_for_is_not_promoted(rule, runs, why):
    """The gate waits although no metric is worse; a good run that comes later lets it speak, with what it lacked."""
    waiting = gate(**rule)
    assert not taken(waiting, started(), *runs, *GOOD)
    others = [run(version="m1", name=name, days=0) for name in "tab"]
    good = [run(items=4_000, name=name, days=0, category=rule.get("category", "sec.jailbreak")) for name in "tab"]
    [decision] = taken(waiting, *others, *good)[:1]
    assert decision.control.control == "promote"
    assert f"evaluations: {why}" in decision.control.reason


def test_the_newest_run_of_a_test_counts_whatever_the_order():
    """A good run that is older than a bad one, or read again, changes nothing."""
    bad, good = run(40, days=1), run(days=2)
    for order in ([bad, good, bad], [good, bad, good]):
        assert not taken(gate(at_most=0.05), started(), *order, *GOOD)
    assert taken(gate(at_most=0.05), started(), bad, run(days=0.5), *GOOD)


def test_an_evaluation_takes_nothing_back():
    """A candidate that fails all items is held up; worse than stable it is taken back as before."""
    held = gate(at_most=0.05)
    assert not taken(held, started(), run(400), *GOOD)
    [decision] = taken(held, comparison(3, verdict="worse"))
    assert decision.control.control == "rollback"


def test_without_a_rule_nothing_is_asked_for():
    """The usual policy promotes without evaluations, and keeps none."""
    assert len(taken(Gate(POLICY), started(), *GOOD)) == 1
    assert not Evaluations([]).take(run())
