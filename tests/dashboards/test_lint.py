"""What a Grafana would stumble over, or a tired person: checked on the committed files."""

import json
import re
from itertools import combinations

import pytest
import yaml

from dashboards.boards import BOARDS
from dashboards.generate import FOLDER
from dashboards.registry import BY_ID
from dashboards.rules import RULES
from tests.dashboards.grafana import alert_rules

FILES = sorted((FOLDER / "boards").glob("*.json"))
BOARD_JSON = {path.stem: json.loads(path.read_text()) for path in FILES}
RULE_KEYS = {
    "uid", "title", "condition", "data", "dashboardUid", "panelId", "noDataState", "execErrState", "for",
    "keepFiringFor", "missing_series_evals_to_resolve", "labels", "annotations", "isPaused",
}  # fmt: skip
FRONT_END_ONLY = ("$__conditionalAll", "$__adHocFilters", "${", "$__timeInterval", "$__interval")


@pytest.mark.parametrize("board", BOARD_JSON.values(), ids=list(BOARD_JSON))
def test_a_board_is_whole(board):
    """Fixed names, no editing, shared time, links that keep time and variables, the four variables, annotations."""
    assert board["uid"] == f"watchkeeper-{board['uid'].removeprefix('watchkeeper-')}"
    assert len(board["uid"]) <= 40
    assert (board["schemaVersion"], board["editable"], board["timezone"]) == (42, False, "utc")
    assert board["description"]
    assert all(link["includeVars"] and link["keepTime"] for link in board["links"])
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert {"environment", "service", "version", "tenant"} <= set(variables)
    assert all(variable["refresh"] == 2 for variable in variables.values() if variable["type"] == "query")
    assert [note["name"] for note in board["annotations"]["list"]] == ["Changes", "Incidents"]


@pytest.mark.parametrize("board", BOARD_JSON.values(), ids=list(BOARD_JSON))
def test_panels_say_what_they_show_and_have_a_place(board):
    """Each has a number, a title, a description, a unit and the chosen data source; none lies on another."""
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    titles = [panel["title"] for panel in board["panels"]]
    assert len(set(titles)) == len(titles)
    for panel in board["panels"]:
        assert panel["title"]
        assert len(panel["description"]) > 30, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        if panel["type"] == "text":
            continue
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]
        assert {panel["datasource"]["uid"], *(t["datasource"]["uid"] for t in panel["targets"])} == {"${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert not any(overlap(a, b) for a, b in combinations(places, 2))


def overlap(a, b):
    """True where two places share a cell."""
    apart = (
        a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"] or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    )
    return not apart


def test_series_are_sorted_and_say_where_they_are_untrusted():
    """A time series is ordered by time; one of a KPI has a column for what is untrusted."""
    for board in BOARD_JSON.values():
        for panel in board["panels"]:
            if panel["type"] == "timeseries":
                sql = panel["targets"][0]["rawSql"]
                assert re.search(r"ORDER BY time\b", sql), panel["title"]
                assert bool(re.search("kpi_|trust_hours", sql)) == ("AS untrusted" in sql), panel["title"]
            if panel["type"] == "table" and re.search(r"\bkpis?_?\w*\(", panel["targets"][0]["rawSql"]):
                about_rules = panel["title"].startswith("Rule: ")
                assert about_rules or "trust" in panel["targets"][0]["rawSql"], panel["title"]


def test_links_between_boards_lead_to_boards_and_keep_time_and_variables():
    """Each link names a board that exists, with the time and every variable but the one that it sets."""
    for text in re.findall(r'"url": "(/d/[^"]+)"', "".join(path.read_text() for path in FILES)):
        assert text.split("?")[0].removeprefix("/d/") in BOARD_JSON
        for part in ("${__url_time_range}", "environment:queryparam", "version:queryparam", "tenant:queryparam"):
            assert part in text


def test_names_of_boards_panels_and_rules_are_told_apart():
    """No two boards or rules share a name, and every rule's name fits."""
    uids = [rule["uid"] for rule in alert_rules()]
    assert len(set(uids)) == len(uids)
    assert len({rule["title"] for rule in alert_rules()}) == len(uids)
    assert all(re.fullmatch(r"watchkeeper-[a-z0-9-]{1,28}", uid) for uid in uids)
    assert len(BOARD_JSON) == len(BOARDS) == len({board.title for board in BOARDS})


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["uid"])
def test_a_rule_is_what_grafana_takes(rule):
    """Known keys alone, nothing that only the browser knows, a plain label, one panel that exists, and a runbook."""
    assert set(rule) == RULE_KEYS
    asked = rule["data"][0]["model"]
    assert not any(macro in asked["rawSql"] for macro in FRONT_END_ONLY)
    assert (asked["format"], asked["editorType"]) == (1, "sql")
    assert not any("$" in value for value in (*rule["labels"].values(), rule["title"]))
    panels = {panel["id"]: panel for panel in BOARD_JSON[rule["dashboardUid"]]["panels"]}
    assert rule["panelId"] in panels
    assert rule["annotations"]["__panelId__"] == str(rule["panelId"])
    assert rule["annotations"]["__dashboardUid__"] == rule["dashboardUid"]
    board, number = re.search(r"d/([\w-]+)\?viewPanel=(\d+)", rule["annotations"]["runbook_url"]).groups()
    assert int(number) in {panel["id"] for panel in BOARD_JSON[board]["panels"]}
    for text in rule["annotations"].values():
        assert text.count("{{") == text.count("}}")


def test_groups_are_looked_at_in_steps_of_ten_seconds_in_a_folder_of_their_own():
    """Intervals are multiples of Grafana's tick; the folder is not that of the boards."""
    groups = yaml.safe_load((FOLDER / "alerting/rules.yaml").read_text())["groups"]
    provider = FOLDER.parent / "provisioning/dashboards/watchkeeper.yaml"
    [boards] = yaml.safe_load(provider.read_text())["providers"]
    assert {group["interval"] for group in groups} == {"1m", "5m"}
    assert boards["folder"] not in {group["folder"] for group in groups}


def test_panel_and_rule_share_their_limit():
    """The line on a KPI's panel, the limit of its rule and the objective in the registry are one number."""
    rules = {rule["uid"]: rule for rule in alert_rules()}
    for rule in RULES:
        made = rules[rule.uid]
        panel = {p["id"]: p for p in BOARD_JSON[made["dashboardUid"]]["panels"]}[made["panelId"]]
        limit = made["data"][2]["model"]["conditions"][0]["evaluator"]["params"][0]
        if rule.kpi in BY_ID:
            drawn = panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"]
            assert limit == drawn == BY_ID[rule.kpi].objective, rule.name


def test_contact_points_exist_and_hold_no_secret():
    """Policies name points that exist; whatever differs between installations comes from the environment."""
    points = yaml.safe_load((FOLDER / "alerting/contact-points.yaml").read_text())["contactPoints"]
    [tree] = yaml.safe_load((FOLDER / "alerting/policy.yaml").read_text())["policies"]
    assert {tree["receiver"], *(route["receiver"] for route in tree["routes"])} == {point["name"] for point in points}
    receivers = [receiver for point in points for receiver in point["receivers"]]
    assert len({receiver["uid"] for receiver in receivers}) == len(receivers)
    assert {receiver["type"] for receiver in receivers} == {"webhook", "pagerduty", "slack", "email"}
    secret = ("url", "addresses", "integrationKey", "authorization_credentials")
    for receiver in receivers:
        assert all(
            re.fullmatch(r"\$\{WATCHKEEPER_\w+\}", receiver["settings"].get(key, "${WATCHKEEPER_X}")) for key in secret
        )


def test_a_page_goes_out_at_once_and_to_the_pager():
    """The first route that a page matches is the one with the pager, without a wait."""
    [tree] = yaml.safe_load((FOLDER / "alerting/policy.yaml").read_text())["policies"]
    for severity, wanted in (("page", "watchkeeper-page"), ("ticket", "watchkeeper-ticket")):
        labels = {"source": "watchkeeper", "severity": severity}
        route = next(r for r in tree["routes"] if all(labels[name] == value for name, _, value in r["object_matchers"]))
        assert route["receiver"] == wanted
        assert (route["group_wait"] == "0s") == (severity == "page")
