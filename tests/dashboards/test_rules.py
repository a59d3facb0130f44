"""The rules, played on histories by the simulator: query, reduce, threshold, waits, no data and errors."""

import copy
from datetime import datetime, timedelta

import pytest
import yaml

from dashboards.generate import FOLDER
from schemas.kpis import OBJECTIVES, objectives
from tests.support.dashboards import history
from tests.support.dashboards.grafana import alert_rules, expand
from tests.support.dashboards.simulator import Alert, Answer, beyond
from tests.support.dashboards.states import STATES
from tests.support.histories import judge

RULES = {rule["uid"].removeprefix("watchkeeper-"): rule for rule in alert_rules()}
GROUPS = yaml.safe_load((FOLDER / "alerting/rules.yaml").read_text())["groups"]
INTERVAL = {rule["uid"]: group["interval"] for group in GROUPS for rule in group["rules"]}
CLEAN_AT = history.CLEAN_UNTIL - timedelta(minutes=1)
HOLD = 1_800
"""Seconds for which an answer stays: longer than any rule waits, or fires on, and asked once."""


def ask(client, rule: dict, at: datetime) -> Answer:
    """Return what a rule's query says at a moment: the numbers of each set of labels."""
    asked = rule["data"][0]
    since = at - timedelta(seconds=asked["relativeTimeRange"]["from"])
    result = client.query(expand(asked["model"]["rawSql"], since, at, {}, {}))
    names = result.column_names[:-1]
    return {tuple(zip(names, row[:-1], strict=True)): [row[-1]] for row in result.result_rows}


def play(rule: dict, *answers: Answer) -> tuple[bool, ...]:
    """Return whether a rule fires at the end of each phase; each holds for half an hour."""
    alert = Alert(rule, INTERVAL[rule["uid"]])
    fires, now = [], 0
    for answer in answers:
        for _ in range(0, HOLD, alert.interval):
            now += alert.interval
            alert.evaluate(answer, now)
        fires.append(bool(alert.firing()))
    return tuple(fires)


@pytest.fixture(scope="session")
def answers(filled):
    """A function from a rule, a state and a moment to the answer, asked once."""
    known = {}

    def of(name, state, at=None):
        if (name, state, at) not in known:
            known[name, state, at] = ask(filled(state), RULES[name], at or STATES[state].until)
        return known[name, state, at]

    return of


@pytest.fixture
def edge(answers):
    """A function from a rule to its answers just within its limit and just beyond it."""

    def of(name):
        if name != "store":
            return answers(name, "just within"), answers(name, "just beyond")
        ages = (timedelta(minutes=10), timedelta(minutes=20))
        return tuple(answers(name, "just within", STATES["just within"].until + age) for age in ages)

    return of


@pytest.mark.store
@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_quiet_on_an_empty_store(answers, name):
    """No rule about a KPI takes no data for harm; the one about the store takes it for an alarm."""
    assert play(RULES[name], answers(name, "nothing")) == (name == "store",)


@pytest.mark.store
@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_quiet_fires_and_resolves(answers, edge, name):
    """It is quiet on a clean day, fires on the bad one and resolves when that is mended; the store is well on all."""
    clean, bad, mended = (
        answers(name, "a bad day", CLEAN_AT), answers(name, "a bad day"), answers(name, "a mended day")
    )  # fmt: skip
    assert play(RULES[name], clean, bad, mended) == (False, name != "store", False)
    within, over = edge(name)
    assert play(RULES[name], within, over, within) == (False, True, False)


def flipped(evaluator):
    """Turn a comparator round."""
    evaluator["type"] = {"gt": "lt", "lt": "gt"}[evaluator["type"]]


def doubled(evaluator):
    """Double a limit; one of 0 is moved by a unit: a second, or one incident."""
    evaluator["params"] = [2 * limit or UNIT for limit in evaluator["params"]]


def halved(evaluator):
    """Halve a limit, or move one of 0 the other way."""
    evaluator["params"] = [limit / 2 or -UNIT for limit in evaluator["params"]]


UNIT = 1
SAME = {(f"{name}burn-3d", "halved") for name in ("", "call-error-", "slow-call-")}
"""A burn rate counts only where it is surely above 1, so that any limit from 0 to 1 says the same."""
MUTANTS = [
    (name, mutate) for name in RULES for mutate in (flipped, doubled, halved) if (name, mutate.__name__) not in SAME
]


@pytest.mark.store
@pytest.mark.parametrize(("name", "mutate"), MUTANTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_wrong_rule_is_noticed(edge, name, mutate):
    """With its comparator turned round, or its limit doubled or halved, a rule says something else near the limit."""
    wrong = copy.deepcopy(RULES[name])
    mutate(wrong["data"][2]["model"]["conditions"][0]["evaluator"])
    within, over = edge(name)
    assert play(wrong, within, over, within) != (False, True, False)


@pytest.mark.store
@pytest.mark.parametrize("name", RULES)
def test_a_store_that_is_away_changes_nothing_but_its_own_alarm(edge, name):
    """What fires goes on firing, what is quiet stays quiet; only the rule about the store pages for the outage."""
    within, over = edge(name)
    assert play(RULES[name], over, None, within) == (True, True, False)
    assert play(RULES[name], within, None, within) == (False, name == "store", False)


@pytest.mark.store
@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule["for"] != "0s"])
def test_one_bad_answer_pages_nobody(edge, name):
    """Every rule waits: a single answer beyond the limit fires nothing."""
    within, over = edge(name)
    alert = Alert(RULES[name], INTERVAL[RULES[name]["uid"]])
    for number, answer in enumerate((within, over, within, within)):
        alert.evaluate(answer, number * alert.interval)
        assert alert.firing() == [], number


def firing(client, rule: dict, at: datetime) -> list[dict[str, str]]:
    """Return the labels of what is beyond the limit at a moment, as notices carry them."""
    asked = ask(client, rule, at)
    return [dict(labels) | rule["labels"] for labels, [number] in asked.items() if beyond(rule, number)]


@pytest.mark.store
def test_an_incident_alert_names_the_incident_its_service_and_family(filled):
    """The labels are those by which the webhook finds the incident, and severity stays that of the rule."""
    [labels] = firing(filled("a bad day"), RULES["not-acknowledged"], STATES["a bad day"].until)
    assert (labels["incident_id"], labels["service"], labels["family"]) == ("inc-1", history.SERVICE, "leak")
    assert (labels["severity"], labels["incident_severity"]) == ("page", "sev1")


@pytest.mark.store
@pytest.mark.parametrize("clock", ["acknowledged", "mitigated", "recovered"])
def test_a_clock_alarms_when_the_time_allowed_is_over_and_not_before(client, clock):
    """A sev1 incident is quiet until its time is up; doing what is asked, or a false positive, ends the alarm."""
    allowed = {
        "acknowledged": objectives.ACKNOWLEDGE_MINUTES, "mitigated": objectives.MITIGATE_MINUTES,
        "recovered": objectives.RECOVER_MINUTES,
    }[clock]["sev1"]  # fmt: skip
    began, rule = history.START, RULES[f"not-{clock}"]
    limit = began + timedelta(minutes=allowed)
    history.put(client, "incident_transitions", history.transition("i", "detected", began))
    assert firing(client, rule, limit) == []
    assert len(firing(client, rule, limit + timedelta(seconds=1))) == 1
    done = limit + timedelta(minutes=1)
    history.put(client, "incident_transitions", history.transition("i", clock, done))
    assert len(firing(client, rule, done - timedelta(seconds=1))) == 1
    assert firing(client, rule, done) == []
    lone = history.transition("j", "detected", began, false_positive=True)
    history.put(client, "incident_transitions", lone)
    assert firing(client, rule, done) == []


@pytest.mark.store
def test_little_evidence_does_not_fire(client):
    """One unsafe output of three is no alert: the bound of the interval is compared, not the share."""
    key = {"hour": history.START, "service_name": "tiny", "kafka_topic_id": "i", "kafka_partition": 0, "version": 1}
    few = {"events": 30, "calls": 30, "unsafe_attempted_trials": 30, "unsafe_attempted": 1, "unsafe_served_trials": 30,
           "unsafe_served": 1, "outputs_by_guards": {"pii": 30}, "served_by_guards": {"pii": 30}}  # fmt: skip
    history.put(client, "service_hours", key | few)
    judge(client)
    at = history.START + timedelta(minutes=59)
    [[value]] = ask(client, RULES["unsafe-served"], at).values()
    assert 0 < value < OBJECTIVES["unsafe_served"]
    assert firing(client, RULES["unsafe-served"], at) == []


def test_states_are_set_on_purpose():
    """A failing query keeps every rule as it is but one, which takes errors and no data for an alarm."""
    states = {name: (rule["noDataState"], rule["execErrState"]) for name, rule in RULES.items()}
    assert states.pop("store") == ("Alerting", "Alerting")
    assert set(states.values()) == {("OK", "KeepLast")}


def test_what_detectors_decide_is_no_second_page():
    """Rules about rates that detectors watch, and about drift, are tickets: their findings page as incidents."""
    from schemas.metrics import WATCHED

    decided = {rate.family for rate in WATCHED} - {"guard"} | {"quantity"}
    about = [rule for rule in RULES.values() if rule["labels"].get("family") in decided]
    assert {rule["labels"]["severity"] for rule in about if "burn" not in rule["uid"]} == {"ticket"}


def test_limits_are_those_of_the_policy_and_the_detectors():
    """Ceilings, response times and budgets here are the defaults that the rest of the system has."""
    from schemas.metrics import RATES
    from streams.policy.policy import Budget
    from streams.policy.receivers import ResponseTimes

    for rate in RATES:
        if rate.name != "unsafe_attempted":
            assert OBJECTIVES.get(rate.name, rate.ceiling) == rate.ceiling, rate.name
    times = ResponseTimes()
    for severity in ("sev1", "sev2", "sev3", "sev4"):
        assert objectives.ACKNOWLEDGE_MINUTES.get(severity) == times.acknowledge_within(severity)
        assert objectives.MITIGATE_MINUTES.get(severity) == times.mitigate_within(severity)
    assert (Budget().pages_per_day, Budget().tickets_per_day) == (objectives.PAGES_PER_DAY, objectives.TICKETS_PER_DAY)
