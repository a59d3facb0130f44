"""Runbooks: there is one for each rule, in one form, and its queries run."""

import re

import pytest
from typer.testing import CliRunner

from dashboards.boards import runbooks
from dashboards.layout import board_json
from dashboards.prometheus import DOWN
from dashboards.rules import RULES
from dashboards.runbook import link, names, page
from schemas.kpis import KPIS
from schemas.runbooks import OF_FAMILY
from streams.commands.main import app
from streams.policy.controls import FAMILIES
from tests.schemas.test_questions import QUESTIONS
from tests.support.dashboards.history import SERVICE
from tests.support.dashboards.states import SPANS, STATES

LOOKS = re.compile(r"^\d\. .+?\n\n```sql\n(.+?)\n```", re.DOTALL | re.MULTILINE)


def test_every_rule_and_kpi_names_a_runbook_that_exists_and_none_lies_about():
    """No link leads nowhere, and no page is about nothing."""
    families = set(OF_FAMILY.values())
    of_rules = {rule.runbook for rule in RULES} | {DOWN}
    assert of_rules | {kpi.runbook for kpi in KPIS} - {""} | families == set(names())


def test_every_family_that_can_be_found_has_a_runbook():
    """Whatever wakes somebody, by a rate, a single event, a breach, a canary or silence, there is a page about it."""
    assert set(FAMILIES) <= set(OF_FAMILY)


def test_a_runbook_is_printed_by_its_name_or_by_a_family():
    """What a notice names can be typed as it stands; another word is told which there are."""
    by_name, by_family = (CliRunner().invoke(app, ["runbook", word]) for word in ("tool-rules", "tool"))
    assert by_name.output == by_family.output == page("tool-rules") + "\n"
    assert CliRunner().invoke(app, ["runbook", "nothing"]).exit_code == 2


@pytest.mark.parametrize("name", names())
def test_a_runbook_says_what_it_means_where_to_look_how_to_stop_and_how_to_close(name):
    """A title, a meaning, three looks with SQL, and two sections of what to do."""
    text = page(name)
    title, meaning = text.split("\n\n")[:2]
    assert title.startswith("# ")
    assert len(meaning) > 60
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["First three looks", "Stop the harm", "Close"]
    assert len(LOOKS.findall(text)) == 3


@pytest.mark.store
@pytest.mark.parametrize("service", [SERVICE, "'); DROP TABLE findings; --"])
@pytest.mark.parametrize("state", STATES)
def test_every_look_and_every_question_of_analysts_runs(filled, state, service):
    """The engine takes each query, whatever is stored, over minutes and a month, and whatever the service is called."""
    client, until = filled(state), STATES[state].until
    for name in names():
        for sql in LOOKS.findall(page(name)):
            client.query(sql, parameters={"service": service} if "{service:String}" in sql else {})
    for sql in QUESTIONS.values():
        for span in SPANS.values():
            client.query(sql, parameters={"service": service, "since": until - span, "until": until})


def test_a_link_opens_the_panel_of_its_runbook():
    """The panel that a link names holds the text of that runbook, with the chosen services in its queries."""
    panels = {panel["id"]: panel for panel in board_json(runbooks.BOARD)["panels"]}
    for name in names():
        panel = panels[int(link(name).split("viewPanel=")[1])]
        assert panel["title"] == page(name).splitlines()[0].removeprefix("# ")
        assert "{service:String}" not in panel["options"]["content"]
