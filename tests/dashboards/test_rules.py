"""The rules, evaluated on histories: query, number, threshold, no-data state. Pending times are not played."""

import copy
import math
from datetime import datetime, timedelta

import pytest

from dashboards import registry
from tests.dashboards import history
from tests.dashboards.grafana import alert_rules, expand
from tests.streams.kpis.histories import judge

RULES = {rule["uid"].removeprefix("watchkeeper-"): rule for rule in alert_rules()}
BAD_AT = history.BAD_UNTIL - timedelta(minutes=1)
WELL_AT = history.WELL_AGAIN - timedelta(minutes=1)
CLEAN_AT = history.CLEAN_UNTIL - timedelta(minutes=1)

FIRING = {"not-acknowledged", "not-mitigated", "not-recovered", "unsafe-served", "mitigation", "injection-flag",
          "injection-detection", "over-refusal", "guard-coverage", "fail-open", "leak-incidents", "drift-open",
          "burn-1h", "burn-6h", "burn-3d", "untrusted", "dead-letters"}  # fmt: skip


def values(client, rule: dict, at: datetime) -> dict[tuple, float | None]:
    """Return what a rule's query says at a moment: the number of each set of labels."""
    asked = rule["data"][0]
    since = at - timedelta(seconds=asked["relativeTimeRange"]["from"])
    result = client.query(expand(asked["model"]["rawSql"], since, at, {}, {}))
    names = result.column_names[:-1]
    return {tuple(zip(names, row[:-1], strict=True)): row[-1] for row in result.result_rows}


def beyond(rule: dict, value: float) -> bool:
    """True where the threshold of a rule is passed."""
    [condition] = rule["data"][2]["model"]["conditions"]
    limit = condition["evaluator"]["params"][0]
    assert math.isfinite(value)
    return value > limit if condition["evaluator"]["type"] == "gt" else value < limit


def firing(client, rule: dict, at: datetime) -> list[dict[str, str]]:
    """Return the labels of what fires at a moment, as notices carry them."""
    seen = values(client, rule, at)
    if not seen or None in seen.values():
        return [dict(rule["labels"])] if rule["noDataState"] == "Alerting" else []
    return [dict(labels) | rule["labels"] for labels, value in seen.items() if beyond(rule, value)]


def flipped(rule: dict) -> dict:
    """Return a rule with its comparator turned round."""
    other = copy.deepcopy(rule)
    evaluator = other["data"][2]["model"]["conditions"][0]["evaluator"]
    evaluator["type"] = {"gt": "lt", "lt": "gt"}[evaluator["type"]]
    return other


@pytest.mark.store
def test_an_empty_store_fires_the_rule_about_the_store_alone(client):
    """No rule about a KPI takes no data for harm; the one about the store takes it for an alarm."""
    assert {name for name, rule in RULES.items() if firing(client, rule, BAD_AT)} == {"store"}


@pytest.mark.store
def test_each_rule_is_quiet_fires_and_resolves(client):
    """Nothing fires on a clean day; on the bad day every rule that harm is about does; afterwards none of them does."""
    history.write_all(client)
    clean = {name for name, rule in RULES.items() if firing(client, rule, CLEAN_AT)}
    bad = {name for name, rule in RULES.items() if firing(client, rule, BAD_AT)}
    history.write_recovery(client)
    well = {name for name, rule in RULES.items() if firing(client, rule, WELL_AT)}
    assert (clean, bad, well) == (set(), FIRING, set())


@pytest.mark.store
def test_a_comparator_turned_round_is_noticed(client):
    """Each rule turned round would not fire on harm, or would fire on a clean day: the days above tell them apart."""
    history.write_all(client)
    for name in FIRING:
        good, harm = (values(client, RULES[name], at).values() for at in (CLEAN_AT, BAD_AT))
        assert any(beyond(RULES[name], value) for value in harm), name
        wrong = flipped(RULES[name])
        assert any(beyond(wrong, value) for value in good) or not any(beyond(wrong, value) for value in harm), name


@pytest.mark.store
def test_an_incident_alert_names_the_incident_its_service_and_family(client):
    """The labels are those by which the webhook finds the incident, and severity stays that of the rule."""
    history.write_records(client)
    [labels] = firing(client, RULES["not-acknowledged"], BAD_AT)
    assert (labels["incident_id"], labels["service"], labels["family"]) == ("inc-1", history.SERVICE, "leak")
    assert (labels["severity"], labels["incident_severity"]) == ("page", "sev1")


@pytest.mark.store
@pytest.mark.parametrize("clock", ["acknowledged", "mitigated", "recovered"])
def test_a_clock_alarms_when_the_time_allowed_is_over_and_not_before(client, clock):
    """A sev1 incident is quiet until its time is up; doing what is asked, or a false positive, ends the alarm."""
    allowed = {
        "acknowledged": registry.ACKNOWLEDGE_SECONDS, "mitigated": registry.MITIGATE_SECONDS,
        "recovered": registry.RECOVER_SECONDS,
    }[clock]["sev1"]  # fmt: skip
    began, rule = history.START, RULES[f"not-{clock}"]
    limit = began + timedelta(seconds=allowed)
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
def test_the_store_rule_sees_a_store_that_gets_nothing_new(client):
    """It is quiet while minutes come and fires a quarter of an hour after the last one."""
    history.write_hours(client, history.START, history.START + timedelta(hours=1))
    last = history.START + timedelta(minutes=55)
    assert firing(client, RULES["store"], last + timedelta(minutes=14)) == []
    assert firing(client, RULES["store"], last + timedelta(minutes=16)) != []


@pytest.mark.store
def test_little_evidence_does_not_fire(client):
    """One unsafe output of three is no alert: the bound of the interval is compared, not the share."""
    key = {"hour": history.START, "service_name": "tiny", "kafka_topic_id": "i", "kafka_partition": 0, "version": 1}
    few = {"events": 30, "calls": 30, "unsafe_attempted_trials": 30, "unsafe_attempted": 1, "unsafe_served_trials": 30,
           "unsafe_served": 1, "outputs_by_guards": {"pii": 30}, "served_by_guards": {"pii": 30}}  # fmt: skip
    history.put(client, "service_hours", key | few)
    judge(client)
    at = history.START + timedelta(minutes=59)
    [value] = values(client, RULES["unsafe-served"], at).values()
    assert 0 < value < registry.BY_ID["unsafe_served"].objective
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
    from streams.incidents.policy import ResponseTimes
    from streams.policy import Budget

    for rate in RATES:
        if rate.name in registry.BY_ID and rate.name != "unsafe_attempted":
            assert registry.BY_ID[rate.name].objective == rate.ceiling, rate.name
    times = ResponseTimes()
    for severity in ("sev1", "sev2", "sev3", "sev4"):
        acknowledge, mitigate = times.acknowledge_within(severity), times.mitigate_within(severity)
        assert registry.ACKNOWLEDGE_SECONDS.get(severity) == (acknowledge and 60 * acknowledge)
        assert registry.MITIGATE_SECONDS.get(severity) == (mitigate and 60 * mitigate)
    assert (Budget().pages_per_day, Budget().tickets_per_day) == (registry.PAGES_PER_DAY, registry.TICKETS_PER_DAY)
