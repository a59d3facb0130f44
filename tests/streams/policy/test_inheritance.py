"""Policies that extend others, and what is said over them."""

from datetime import date

import pytest
from typer.testing import CliRunner

from streams.commands.main import app
from streams.intake.doctor.agreed import expired_risks
from streams.policy.explain import explained
from streams.policy.policy import Policy, PolicyError, load_policy, parse_policy, policy_over
from streams.policy.tools import ToolOverride, ToolRules, ToolStep, breaches

RISK = "{risk: no guard in Polish, why: few users, by: head of support, until: 2026-06-30}"


def test_what_is_said_goes_before_what_is_extended():
    """A mapping is taken over key by key, a list as a whole; a service that extends nothing takes over nothing."""
    policy = parse_policy(
        "extends: customer-support\n"
        "services:\n  a: {extends: customer-support, required_guards: [own], objectives: {over_refusal: 0.03}}\n"
        "  b: {}\n"
    )
    assert (policy.services["a"].required_guards, policy.services["a"].tier) == (["own"], "critical")
    assert policy.services["a"].objectives["over_refusal"] == 0.03
    assert policy.services["a"].objectives["mitigation"] == 0.95
    assert policy.services["b"].tier == "standard"
    assert policy.canary_gate.max_regret == 10
    assert policy.service("c").tier == "critical"


def test_a_file_is_found_beside_the_one_that_extends_it(tmp_path):
    """Files extend files, which extend a ready policy; each says its own over it."""
    (tmp_path / "house.yaml").write_text("extends: decision-support\ndefaults: {owner: house}\n")
    (tmp_path / "own.yaml").write_text("extends: house.yaml\nservices: {a: {extends: house.yaml, tier: critical}}\n")
    service = load_policy(tmp_path / "own.yaml").services["a"]
    assert (service.owner, service.tier, service.posture.appetite) == ("house", "critical", "open")


@pytest.mark.parametrize(("house", "problem"), [
    ("extends: own.yaml", "break that circle"),
    ("extends: nowhere", "is no ready policy (customer-support, compliance-documents, decision-support) and no file"),
    ("defaults:\n  ownre: x", "house.yaml:2: defaults.ownre: Extra inputs are not permitted"),
])  # fmt: skip
def test_what_cannot_be_extended_is_told(tmp_path, house, problem):
    """A circle, a file that is not there, and a mistake in what is extended, with its own file and line."""
    (tmp_path / "house.yaml").write_text(house)
    (tmp_path / "own.yaml").write_text("extends: house.yaml\n")
    with pytest.raises(PolicyError) as error:
        load_policy(tmp_path / "own.yaml")
    assert problem in str(error.value)


def test_a_risk_is_accepted_until_its_last_day():
    """On that day it is accepted still; from the next on the doctor and the explanation say that it expired."""
    policy = parse_policy(f"services: {{a: {{posture: {{accepted_risks: [{RISK}]}}}}}}")
    assert not list(expired_risks(policy, date(2026, 6, 30)))
    [complaint] = expired_risks(policy, date(2026, 7, 1))
    assert (complaint.check, complaint.service) == ("policy", "a")
    assert "accepted until 2026-06-30 by head of support" in complaint.evidence
    told = "\n".join(explained(policy, date(2026, 7, 1)))
    assert "accepted until 2026-06-30 (expired) by head of support: no guard in Polish, because few users" in told


def test_overrides_are_for_those_that_they_name():
    """One by group, one by class of data and tool: what each names is replaced or denied besides, the rest stays."""
    rules = ToolRules(denied=["shell"], overrides=[
        ToolOverride(groups=["guest"], denied=["orders.*"]),
        ToolOverride(tools=["mail.*"], data_classes=["secret"], hosts=["inside.example"], level="ticket"),
    ])  # fmt: skip

    def words(step):
        return [each.words for each in breaches(rules.at(step), step)]

    assert words(ToolStep("orders.get", group="guest")) == ["the tool is not allowed"]
    assert words(ToolStep("shell", group="guest")) == ["the tool is not allowed"]
    assert words(ToolStep("orders.get", group="staff")) == []
    assert words(ToolStep("mail.send", host="out.example", data="secret")) == ["the host out.example is on no list"]
    assert words(ToolStep("mail.send", host="out.example")) == []
    assert rules.at(ToolStep("mail.send", data="secret")).level == "ticket"


def test_five_answers_make_a_policy(tmp_path):
    """With an option for each question nobody is asked; without, and without a terminal, it says which are missing."""
    file = tmp_path / "policy.yaml"
    answers = ["--use-case", "customer-support", "--service", "shop", "--owner", "us", "--guards", "pii, tox"]
    asked = CliRunner().invoke(app, ["init", str(file), *answers])
    assert "answer by --runbook" in str(asked.exception)
    made = CliRunner().invoke(app, ["init", str(file), *answers, "--runbook", ""])
    assert made.exit_code == 0
    assert load_policy(file).services["shop"].required_guards == ["pii", "tox"]
    assert "to do: give the address of its runbook" in made.output
    again = CliRunner().invoke(app, ["init", str(file), *answers, "--runbook", ""])
    assert "is there already" in str(again.exception)


def test_a_text_is_laid_over_the_policy_in_use(tmp_path):
    """It says only what is other; a ready policy that it extends stands in the place of the one in use."""
    path = tmp_path / "house.yaml"
    path.write_text("budget: {pages_per_day: 3}\ndefaults: {tier: critical}\n")
    tried = policy_over(path, "budget: {tickets_per_day: 4}")
    assert (tried.budget.pages_per_day, tried.budget.tickets_per_day, tried.defaults.tier) == (3, 4, "critical")
    assert policy_over(path, "").model_copy(update={"extends": ""}) == load_policy(path)
    assert policy_over(path, "extends: compliance-documents") == parse_policy("extends: compliance-documents")
    assert policy_over(None, "{}") == Policy()


@pytest.mark.parametrize("text", ["extends: {}", "services:\n  a: {{extends: {}}}"])
@pytest.mark.parametrize("form", ["{}", "../{}", "./x/../{}"])
def test_a_text_cannot_have_files_read(tmp_path, text, form):
    """Whoever may try a policy may not read the disk by it: neither what a file says nor whether it is there."""
    path = tmp_path / "house.yaml"
    path.write_text("budget: {}\n")
    (tmp_path / "secret").write_text("a-secret\n")
    for name in (tmp_path / "secret", "secret", tmp_path / "nothing"):
        with pytest.raises(PolicyError, match="is no ready policy; take one of") as error:
            policy_over(path, text.format(form.format(name)))
        assert "a-secret" not in str(error.value)


def test_mistakes_of_a_text_are_told_with_its_lines(tmp_path):
    """The policy in use is not counted among them."""
    path = tmp_path / "house.yaml"
    path.write_text("# one\n# two\n# three\nbudget: {pages_per_day: 3}\n")
    with pytest.raises(PolicyError, match=r"^mine:2: budget\.page_per_day: Extra inputs"):
        policy_over(path, "budget:\n  page_per_day: 1\n", "mine")
    with pytest.raises(PolicyError, match=r"^mine:1: a policy is a mapping"):
        policy_over(path, "- a", "mine")
