"""The simulator of rules, held against what Grafana's documentation says of states and times."""

import pytest

from tests.support.dashboards.simulator import ALERTING, NORMAL, PENDING, RECOVERING, Alert, beyond

SHOP, ALL = (("service", "shop"),), (("service", "all"),)
GOOD, BAD = {SHOP: [0.01]}, {SHOP: [0.03]}


def rule(**changed):
    """Return a rule about a number above 0.02, for two minutes, that fires two minutes longer."""
    evaluator = {"type": "gt", "params": [0.02]}
    steps = [
        {"refId": "A", "model": {}},
        {"refId": "B", "model": {"type": "reduce", "reducer": "last"}},
        {"refId": "C", "model": {"type": "threshold", "conditions": [{"evaluator": evaluator}]}},
    ]
    made = {"uid": "r", "condition": "C", "data": steps, "for": "2m", "keepFiringFor": "2m", "noDataState": "OK",
            "execErrState": "KeepLast", "missing_series_evals_to_resolve": 2}  # fmt: skip
    return made | changed


def states(alert, *answers, start=0):
    """Return the state of the shop after each answer, a minute apart."""
    shown = []
    for number, answer in enumerate(answers):
        alert.evaluate(answer, start + 60 * number)
        shown.append(alert.series[SHOP].state if SHOP in alert.series else None)
    return shown


def test_it_waits_fires_recovers_and_ends():
    """Two minutes Pending, then Alerting; good again, two minutes Recovering, in which it fires, then Normal."""
    alert = Alert(rule(), "1m")
    assert states(alert, GOOD, BAD, BAD, BAD) == [NORMAL, PENDING, PENDING, ALERTING]
    assert states(alert, GOOD, GOOD, start=240) == [RECOVERING, RECOVERING]
    assert alert.firing() == [SHOP]
    assert states(alert, GOOD, start=360) == [NORMAL]
    assert alert.firing() == []


def test_a_single_bad_answer_does_not_fire_and_a_relapse_fires_at_once():
    """Pending falls back to Normal; from Recovering there is no second wait."""
    assert states(Alert(rule(), "1m"), BAD, GOOD, BAD, BAD) == [PENDING, NORMAL, PENDING, PENDING]
    assert states(Alert(rule(), "1m"), BAD, BAD, BAD, GOOD, BAD)[-2:] == [RECOVERING, ALERTING]


def test_without_waits_states_change_at_once():
    """Nothing is Pending or Recovering where `for` and `keepFiringFor` are zero."""
    alert = Alert(rule(**{"for": "0s", "keepFiringFor": "0s"}), "1m")
    assert states(alert, BAD, GOOD, BAD) == [ALERTING, NORMAL, ALERTING]


@pytest.mark.parametrize(("word", "after"), [("OK", NORMAL), ("Alerting", ALERTING), ("KeepLast", ALERTING)])
def test_errors_are_mapped_for_every_series(word, after):
    """A store that fails ends an alarm, makes one, or leaves it as it was, as the rule says."""
    alert = Alert(rule(keepFiringFor="0s", execErrState=word), "1m")
    assert states(alert, BAD, BAD, BAD, None)[-1] == after
    assert states(Alert(rule(execErrState=word), "1m"), GOOD, None)[-1] == (PENDING if word == "Alerting" else NORMAL)


@pytest.mark.parametrize("empty", [{}, {ALL: [None]}, {ALL: []}])
def test_no_row_and_no_number_are_no_data(empty):
    """Either is mapped; where nothing is known yet, it makes a series without labels."""
    alert = Alert(rule(noDataState="Alerting", **{"for": "0s"}), "1m")
    alert.evaluate(empty, 0)
    assert alert.firing() == [()]
    quiet = Alert(rule(), "1m")
    quiet.evaluate(empty, 0)
    assert quiet.firing() == []


def test_a_series_that_is_missing_is_forgotten_after_two_evaluations():
    """One evaluation without it changes nothing; the second ends it, while the others go on."""
    alert = Alert(rule(), "1m")
    states(alert, BAD, BAD, BAD)
    assert states(alert, {ALL: [0.01]}, {ALL: [0.01]}, start=180) == [ALERTING, None]


def test_a_number_that_is_none_stops_the_play():
    """NaN compares false and would pass for healthy."""
    assert not beyond(rule(), None)
    with pytest.raises(ValueError, match="r gives nan"):
        beyond(rule(), float("nan"))
