"""Verify: every query of boards and rules asked through a Grafana, which asks the engine; what is wrong is told."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from dashboards.grafana.deploy import Files
from dashboards.grafana.server import Server
from dashboards.grafana.verify import questions, verify
from tests.support.dashboards import history
from tests.support.dashboards.deploying import FILES, run
from tests.support.dashboards.grafana import alert_rules, targets
from tests.support.dashboards.grafana_server import TOKEN
from tests.support.dashboards.grafana_store import asking

SOME = Files(
    boards=[board for board in FILES.boards if board["uid"] == "watchkeeper-overview"],
    groups=[group | {"rules": group["rules"][:1]} for group in FILES.groups],
    points=FILES.points,
    routes=FILES.routes,
)
FAILING, MISSING = (group["rules"][0] for group in SOME.groups)
NOW = history.BAD_UNTIL - timedelta(minutes=1)


@pytest.fixture
def asked(grafana, client):
    """A Grafana with everything deployed, over the engine."""
    grafana.ask = asking(client)
    run(grafana)
    return grafana


def verified(grafana, files=FILES):
    """Return the report."""
    return verify(Server(grafana.url, TOKEN), files, NOW)


def test_questions_are_all_that_boards_and_rules_ask():
    """Each query of a board once, each rule with all its steps; nothing of the front end is left in them."""
    made = list(questions(FILES, {"service": ["kim's"]}))
    rules = [question for question in made if question.where.startswith("rule ")]
    assert len(rules) == len(alert_rules())
    assert all(len(question.queries) == 3 for question in rules)
    panels = {sql for _board, name, sql, _series in targets() if not name.startswith("variable")}
    assert len(made) - len(rules) >= len(panels)
    for question in made:
        assert not any("${" in query.get("rawSql", "") for query in question.queries), question.where
        assert not any("conditionalAll" in query.get("rawSql", "") for query in question.queries), question.where


def test_all_is_well_on_the_real_tables(asked, client):
    """Every question is answered over a history, with a value of each variable; all rules are there."""
    history.write_all(client)
    report = verified(asked)
    assert report.wrong == []
    assert report.asked == len(list(questions(FILES, report.chosen))) + 4
    assert report.chosen == {"environment": ["prod"], "service": ["shop"], "version": ["m@1"], "tenant": ["t'1"]}
    assert {rule.health for rule in report.rules} == {"ok"}
    assert len(report.rules) == len(alert_rules())


def test_all_is_well_on_empty_tables(asked):
    """A variable without a value stands on All, and that is no error."""
    report = verified(asked, SOME)
    assert (report.wrong, report.chosen) == ([], {})


def test_a_wrong_query_of_a_panel_and_of_a_rule_is_told_with_where(asked):
    """A column that is not there, and a rule with two numbers, are two lines; the rest is well."""
    files = copy.deepcopy(SOME)
    [overview] = files.boards
    panel = next(panel for panel in overview["panels"] if panel.get("targets"))
    panel["targets"][0]["rawSql"] = "SELECT no_such_column FROM inferences"
    rule = files.groups[0]["rules"][0]
    rule["data"][0]["model"]["rawSql"] = "SELECT 1.0 AS a, 2.0 AS b"
    report = verified(asked, files)
    assert [where for where, _said in report.wrong] == [
        f"{overview['title']}: {panel['title']}",
        f"rule {rule['title']}",
    ]
    assert "no_such_column" in report.wrong[0][1]
    assert "wide series" in report.wrong[1][1]


def test_a_rule_that_fails_or_is_missing_is_told(asked):
    """With the last error of Grafana, or with what to do."""
    asked.states[FAILING["uid"]] = {"health": "error", "lastError": "no route to host"}
    del asked.rules[MISSING["uid"]]
    assert dict(verified(asked, SOME).wrong) == {
        f"rule {FAILING['title']}": "no route to host",
        f"rule {MISSING['title']}": "Grafana does not have it; run `watchkeeper grafana deploy`",
    }


@pytest.mark.enable_socket
def test_a_data_source_that_does_not_answer_is_the_one_thing_told(grafana):
    """Nothing is asked of it, as all would fail alike."""
    run(grafana)
    report = verify(Server(grafana.url, TOKEN), FILES, datetime.now(UTC))
    [(what, said)] = report.wrong
    assert (what, report.asked) == ("data source", 0)
    assert "connection refused" in said
