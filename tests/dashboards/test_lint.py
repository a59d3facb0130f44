"""What a Grafana would stumble over, or a tired person: checked on the committed files."""

import copy
import json
import re

import pytest
import yaml

from dashboards.boards import BOARDS, service
from dashboards.generate import FOLDER
from dashboards.rules import RETIRED, RULES
from dashboards.runbook import names as runbooks
from schemas.durations import seconds
from schemas.kpis import KPIS, OBJECTIVES
from tests.support.dashboards.grafana import alert_rules
from tests.support.dashboards.lints import BOARD_LINTS, TICK_SECONDS, of_rule, repeated

FILES = sorted((FOLDER / "boards").glob("*.json"))
BOARD_JSON = {path.stem: json.loads(path.read_text()) for path in FILES}
ALERTING = FOLDER / "alerting"
EVER = {
    "not-acknowledged", "not-mitigated", "not-recovered", "unsafe-served", "mitigation", "injection-flag",
    "injection-detection", "over-refusal", "guard-coverage", "fail-open", "leak-incidents", "drift-open", "burn-1h",
    "burn-6h", "burn-3d", "untrusted", "dead-letters", "store",
    "consumer-lag", "call-error-budget", "slow-call-budget", "call-error-burn-1h", "call-error-burn-6h",
    "call-error-burn-3d", "slow-call-burn-1h", "slow-call-burn-6h", "slow-call-burn-3d",
    "guard-time", "goal-hijack", "memory-poisoning", "inter-agent", "privilege-abuse",
}  # fmt: skip
"""The name of every rule that there ever was; a name is added here with its rule, and stays when the rule goes."""


@pytest.mark.parametrize("lint", BOARD_LINTS)
@pytest.mark.parametrize("uid", BOARD_JSON)
def test_a_board_has_no_fault(uid, lint):
    """No lint has anything to say."""
    assert list(BOARD_LINTS[lint](BOARD_JSON[uid])) == []


def _panel(key, value):
    return lambda board: board["panels"][-1].update({key: value})


def _default(key, value):
    return lambda board: board["panels"][-1]["fieldConfig"]["defaults"].update({key: value})


def _sql(board):
    for panel in board["panels"]:
        panel["targets"][0]["rawSql"] = panel["targets"][0]["rawSql"].replace("ORDER BY time", "ORDER BY service")


def _blind(board):
    for panel in board["panels"]:
        panel["targets"][0]["rawSql"] = panel["targets"][0]["rawSql"].replace("untrusted", "distrusted")


BREAK = {
    "described": [_panel("description", ""), lambda board: board.update(description="")],
    "fixed": [lambda board: board.update(editable=True), lambda board: board.update(uid="watchkeeper-" + 29 * "x")],
    "told_apart": [_panel("id", 1), lambda board: board["panels"][0]["targets"].append({"refId": "A"})],
    "measured": [_default("unit", "percentunits"), _default("noValue", "")],
    "visible": [lambda board: board["panels"][0]["fieldConfig"]["defaults"].update(min=0.5)],
    "templated": [_panel("datasource", {"type": "prometheus", "uid": "p"})],
    "refreshed": [lambda board: board["templating"]["list"][2].update(refresh=1)],
    "declared": [lambda board: board["templating"]["list"].pop(), lambda board: board["templating"]["list"].pop(3)],
    "placed": [
        _panel("gridPos", {"x": 12, "y": 900, "w": 13, "h": 1}), _panel("gridPos", {"x": 0, "y": 0, "w": 1, "h": 1})
    ],
    "ordered": [_sql, _panel("interval", "15s")],
    "honest": [_blind],
    "plain": [_panel("title", "Cost in $"), lambda board: board.update(title="$service")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("lint", "break_it"), [(lint, change) for lint, changes in BREAK.items() for change in changes]
)
def test_every_lint_of_boards_sees_its_fault(lint, break_it):
    """A board with the fault is complained of, and by the lint about it."""
    board = copy.deepcopy(BOARD_JSON[service.BOARD.uid])
    break_it(board)
    assert list(BOARD_LINTS[lint](board)) != []


def test_no_lint_goes_unbroken():
    """Each lint is seen to fail at least once above."""
    assert set(BREAK) == set(BOARD_LINTS)


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["uid"])
def test_a_rule_has_no_fault(rule):
    """Nothing that only the browser knows, plain labels, one panel that exists, and a runbook."""
    assert list(of_rule(rule, BOARD_JSON)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("uid",), "watchkeeper-Burn"),
        (("data", 0, "model", "rawSql"), "SELECT 1 WHERE $__conditionalAll(a IN (1), $a)"),
        (("data", 0, "model", "format"), 0),
        (("data", 0, "model", "intervalMs"), 1_000),
        (("labels", "service"), "{{ $labels.service }}"),
        (("annotations", "summary"), "{{ $values.B.Value"),
        (("condition",), "D"),
        (("panelId",), 99),
        (("dashboardUid",), "watchkeeper-nothing"),
        (("annotations", "runbook_url"), "{{ externalURL }}d/watchkeeper-runbooks?viewPanel=99"),
    ],
)
def test_the_lint_of_rules_sees_a_fault(path, value):
    """A rule with one wrong value is complained of."""
    rule = copy.deepcopy(alert_rules()[0])
    place = rule
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert list(of_rule(rule, BOARD_JSON)) != []


def test_links_between_boards_lead_to_boards_and_keep_time_and_variables():
    """Each link names a board that exists, with the time and every variable but the one that it sets."""
    for text in re.findall(r'"url": "(/d/[^"]+)"', "".join(path.read_text() for path in FILES)):
        assert text.split("?")[0].removeprefix("/d/") in BOARD_JSON
        for part in ("${__url_time_range}", "environment:queryparam", "version:queryparam", "tenant:queryparam"):
            assert part in text
    links = [link for board in BOARD_JSON.values() for link in board["links"]]
    assert all(link["includeVars"] and link["keepTime"] for link in links)


def test_names_of_boards_and_rules_are_told_apart():
    """No two boards or rules share a name or a title."""
    for key in ("uid", "title"):
        assert repeated(rule[key] for rule in alert_rules()) == []
        assert repeated(board[key] for board in BOARD_JSON.values()) == []
    assert set(BOARD_JSON) == {board.uid for board in BOARDS}


def test_a_rule_that_is_gone_is_deleted_by_name():
    """A file that leaves a rule out deletes nothing: whatever rule there ever was is alive, or is in deleteRules."""
    alive = {rule["uid"] for rule in alert_rules()}
    deleted = yaml.safe_load((ALERTING / "rules.yaml").read_text())["deleteRules"]
    assert {entry["uid"] for entry in deleted} == {f"watchkeeper-{name}" for name in RETIRED}
    assert {f"watchkeeper-{name}" for name in EVER} == alive | {entry["uid"] for entry in deleted}
    assert alive.isdisjoint(entry["uid"] for entry in deleted)


def test_groups_are_looked_at_in_steps_of_ten_seconds_in_a_folder_of_their_own():
    """Intervals are multiples of Grafana's tick, waits of the interval; the folder is not that of the boards."""
    groups = yaml.safe_load((ALERTING / "rules.yaml").read_text())["groups"]
    provider = FOLDER.parent / "provisioning/dashboards/watchkeeper.yaml"
    [boards] = yaml.safe_load(provider.read_text())["providers"]
    for group in groups:
        assert seconds(group["interval"]) % TICK_SECONDS == 0
        assert all(seconds(rule["for"]) % TICK_SECONDS == 0 for rule in group["rules"])
    assert boards["folder"] not in {group["folder"] for group in groups}


def test_panel_and_rule_share_their_limit():
    """The line on a KPI's panel, the limit of its rule and the objective in the registry are one number."""
    rules = {rule["uid"]: rule for rule in alert_rules()}
    drawn = {panel["title"]: panel for panel in BOARD_JSON["watchkeeper-tuning"]["panels"]}
    for rule in RULES:
        made = rules[rule.uid]
        limit = made["data"][2]["model"]["conditions"][0]["evaluator"]["params"][0]
        panel = {p["id"]: p for p in BOARD_JSON[made["dashboardUid"]]["panels"]}[made["panelId"]]
        shown = [drawn[f"Rule: {rule.title}"]] + [panel] * (rule.kpi in OBJECTIVES or rule.health)
        for one in shown:
            assert one["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == limit, rule.name
        assert limit == OBJECTIVES.get(rule.kpi, limit), rule.name


@pytest.mark.parametrize("kpi", [kpi for kpi in KPIS if kpi.severity], ids=lambda kpi: kpi.id)
def test_a_kpi_that_alerts_has_a_panel_an_alert_and_a_runbook(kpi):
    """Its rule is of its severity, leads to a panel about it, and names a page that exists."""
    [rule] = [rule for rule in alert_rules() if rule["labels"].get("kpi") == kpi.id]
    assert (rule["labels"]["severity"], rule["labels"]["owner"]) == (kpi.severity, kpi.owner)
    assert kpi.runbook in runbooks()
    panel = {p["id"]: p for p in BOARD_JSON[rule["dashboardUid"]]["panels"]}[rule["panelId"]]
    assert panel["title"].startswith(kpi.title)
    assert kpi.id in panel["targets"][0]["rawSql"]


def test_contact_points_exist_and_hold_no_secret():
    """Policies name points that exist; whatever differs between installations comes from the environment."""
    points = yaml.safe_load((ALERTING / "contact-points.yaml").read_text())["contactPoints"]
    [tree] = yaml.safe_load((ALERTING / "policy.yaml").read_text())["policies"]
    assert {tree["receiver"], *(route["receiver"] for route in tree["routes"])} == {point["name"] for point in points}
    receivers = [receiver for point in points for receiver in point["receivers"]]
    assert repeated(receiver["uid"] for receiver in receivers) == []
    assert {receiver["type"] for receiver in receivers} == {"webhook", "pagerduty", "slack", "email"}
    secret = ("url", "addresses", "integrationKey", "authorization_credentials")
    for receiver in receivers:
        assert all(
            re.fullmatch(r"\$\{WATCHKEEPER_\w+\}", receiver["settings"].get(key, "${WATCHKEEPER_X}")) for key in secret
        )


def test_a_page_goes_out_at_once_and_to_the_pager():
    """The first route that a page matches is the one with the pager, without a wait; nothing in it is filled in."""
    text = (ALERTING / "policy.yaml").read_text()
    [tree] = yaml.safe_load(text)["policies"]
    for severity, wanted in (("page", "watchkeeper-page"), ("ticket", "watchkeeper-ticket")):
        labels = {"source": "watchkeeper", "severity": severity}
        route = next(r for r in tree["routes"] if all(labels[name] == value for name, _, value in r["object_matchers"]))
        assert route["receiver"] == wanted
        assert (route["group_wait"] == "0s") == (severity == "page")
    assert "$" not in text
