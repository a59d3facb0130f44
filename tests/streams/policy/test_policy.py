"""The policy file: what it says, and how it refuses."""

import pytest
from typer.testing import CliRunner

from streams.commands.main import app
from streams.policy.policy import Policy, PolicyError, load_policy, parse_policy

WHOLE = """
budget:
  pages_per_day: 0.5
  tickets_per_day: 4
  weights: {leak: 2, mix: 0.5}
defaults:
  ceilings: {leak: 0.01}
services:
  helpdesk-eu:
    owner: team-a
    tier: critical
    runbook: https://example.org/runbooks/helpdesk
    required_guards: [pii-scanner]
    ceilings: {leak: 0.005, refusal: 0.2}
detectors:
  rates: {refusal: ticket, error: "off"}
  drift_vote: {river_class: river.drift.PageHinkley, parameters: {threshold: 20}}
  quantities: {input_tokens: "off"}
  odd_events: {river_class: river.anomaly.LODA, parameters: {n_random_cuts: 20}, every: 5}
  canary: {alpha: 0.01, margin: 2}
changes: {announce_within_minutes: 30, level: "off"}
canary_gate: {metrics: [leak, latency], min_exposure: 500, max_regret: 5}
controls:
- {name: leaks, when: {family: leak, services: [helpdesk-eu]}, count: 3, do: kill_switch}
"""


def test_a_whole_policy_is_read():
    """Every part of a policy arrives where it is asked for; a service's ceiling goes before the default."""
    policy = parse_policy(WHOLE)
    assert policy.budget.pages_per_day == 0.5
    assert policy.ceiling("helpdesk-eu", "leak", 0.02) == 0.005
    assert policy.ceiling("other", "leak", 0.02) == 0.01
    assert policy.ceiling("other", "error", 0.05) == 0.05
    assert (policy.level("refusal"), policy.level("error"), policy.level("leak")) == ("ticket", "off", "page")
    assert policy.service("helpdesk-eu").owner == "team-a"
    assert (policy.changes.level, policy.canary_gate.metrics) == ("off", ["leak", "latency"])
    assert [(rule.name, rule.at_most_per_day) for rule in policy.controls] == [("leaks", 1)]


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_policy_is_the_default(text):
    """No file and an empty file say the same."""
    assert parse_policy(text) == load_policy(None) == Policy()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("budget:\n  pages_per_day: 1\n  page: 2\n", 3, "budget.page: Extra inputs"),
        ("services:\n  a:\n    owner: x\n    tier: gold\n", 4, "services.a.tier"),
        ("services:\n  a:\n    ceilings:\n      leaks: 0.1\n", 4, "services.a.ceilings.leaks"),
        ("services:\n  a:\n    ceilings:\n      leak: 1.5\n", 4, "less than 1"),
        ("budget:\n  weights: {lek: 2}\n", 2, "unknown family lek; known are"),
        ("detectors:\n  quantities: {speed: 'off'}\n", 2, "unknown quantity speed"),
        ("detectors:\n  drift_vote:\n    river_class: river.drift.Nope\n", 3, "no drift detector of River"),
        ("detectors:\n  odd_events:\n    river_class: os.system\n", 3, "no anomaly detector of River"),
        ("budget: {}\nbudget: {}\n", 2, 'found duplicate key "budget"$'),
        ("budget: [1\n", 2, "expected"),
        ("- 1\n", 1, "a policy is a mapping"),
    ],
)
def test_mistakes_are_named_with_their_line(text, line, words):
    """Unknown keys, wrong values, unknown classes, repeated keys and broken YAML are errors that name the line."""
    with pytest.raises(PolicyError, match=f"^p.yaml:{line}: .*{words}"):
        parse_policy(text, "p.yaml")


def test_check_says_so_on_the_command_line(tmp_path):
    """`watchkeeper policy check` accepts a good file and names the mistake of a bad one."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(WHOLE)
    bad.write_text("budgets: {}\n")
    answer = CliRunner().invoke(app, ["policy", "check", str(good)])
    assert answer.exit_code == 0
    assert "1 services, at most 0.5 false pages" in answer.output
    refused = CliRunner().invoke(app, ["policy", "check", str(bad)])
    assert refused.exit_code != 0
    assert "bad.yaml:1: budgets" in str(refused.exception)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "none.yaml")


def test_a_policy_is_yaml_1_2():
    """`off` is a word and 22:00 is a time, with quotes or without: neither is what YAML 1.1 made of it."""
    hook = "receivers: [{name: a, kind: webhook, url: https://example.org/, "
    policy = parse_policy(
        "detectors: {rates: {refusal: off}}\n" + hook + "quiet_hours: {from: 22:00, to: 07:00, timezone: UTC}}]"
    )
    assert policy.level("refusal") == "off"
    assert policy.receivers[0].quiet_hours is not None
    assert f"{policy.receivers[0].quiet_hours.start:%H:%M}" == "22:00"


@pytest.mark.parametrize(
    "text", ["budget: &a {}\ndefaults: *a\n", "a: \0\n", "a: !!int x\n", "[" * 600 + "]" * 600, "a: 2026-99-99\n"]
)
def test_what_is_no_policy_is_refused_and_never_a_fault(text):
    """Aliases, control characters, values that their tag is not, and depth without end are mistakes with a line."""
    with pytest.raises(PolicyError, match=r"^p.yaml:\d+: "):
        parse_policy(text, "p.yaml")
