"""Steps of agents against the policy, as findings."""

import pytest

from schemas.events import AgentStep, Inference
from streams.incidents.fold.severity import severity_of
from streams.incidents.fold.state import summary_of
from streams.policy.policy import parse_policy
from streams.watch.single.tools import tool_findings
from tests.streams.events.test_flags import BASE, columns
from tests.support.incidents.entries import folding

POLICY = """
services:
  chat:
    tools: {LEVEL denied: [shell], hosts: ["*.example.org"], tainted: [external]}
"""


def found(*steps, level=""):
    """Return the findings of steps in one batch."""
    policy = parse_policy(POLICY.replace("LEVEL", f"level: {level}," if level else ""))
    return tool_findings(columns(*steps), policy)


def step(**more):
    """Return a call of a tool."""
    return AgentStep(**BASE | {"service_name": "chat", "step_kind": "execute_tool", "tool_name": "shell"} | more)


def test_a_breach_pages_without_any_guard_and_says_the_path():
    """Text of strangers, an external tool and a host on no list are one page that names all three."""
    steps = [
        step(tool_name="post", tool_tier="external", taint_sources=["doc:7"], egress_host="evil.test", trace_id="t")
    ]
    [finding] = found(*steps)
    assert (finding.kind, finding.severity, finding.metric, finding.family) == (
        "breach", "page", "sec.exfiltration.tool", "leak",
    )  # fmt: skip
    assert "doc:7 → post → evil.test" in finding.evidence
    assert "evil.test is on no list" in finding.evidence
    assert finding.evidence_sql.startswith("SELECT * FROM agent_steps WHERE trace_id = 't'")
    assert found(*steps) == [finding]
    [incident] = folding(finding).incidents()
    assert incident.clocks.onset == BASE["time_unix_nano"]


@pytest.mark.parametrize(("level", "severities"), [("ticket", ["ticket"]), ("dry_run", ["info"]), ("off", [])])
def test_the_policy_says_what_a_breach_is(level, severities):
    """A ticket, what would have been one, or nothing; a dry run opens no incident and says that it is one."""
    findings = found(step(), level=level)
    assert [each.severity for each in findings] == severities
    assert not folding(*findings).incidents()
    assert all(("had the rules been in force" in each.evidence) == (level == "dry_run") for each in findings)


@pytest.mark.parametrize(
    "more",
    [
        {"service_name": "other"},
        {"step_kind": "plan"},
        {"tool_name": None},
        {"authorization": "denied"},
        {"tool_name": "search"},
    ],
)
def test_what_breaks_no_rule_is_no_finding(more):
    """A service without rules, a step without a tool, a denied one and an allowed tool are none."""
    assert not found(step(**more))


def test_calls_of_models_are_no_steps():
    """Rules for tools are not asked about what no agent does."""
    assert not found(Inference(**BASE | {"service_name": "chat"}))


def test_a_breach_weighs_as_its_service_does():
    """In a critical service it is worse than in an experimental one."""
    for tier, wanted in (("critical", "sev1"), ("standard", "sev2"), ("experimental", "sev3")):
        policy = parse_policy(f"services: {{chat: {{tier: {tier}, tools: {{denied: [shell]}}}}}}")
        [finding] = tool_findings(columns(step()), policy)
        assert severity_of(policy)(summary_of(finding)) == wanted
