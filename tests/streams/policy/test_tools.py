"""Rules for tools: what a step breaks, and what it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.policy.policy import PolicyError, parse_policy
from streams.policy.tools import NOT_DONE, ToolRules, ToolStep, breaches

RULES = ToolRules(
    allowed=["search*", "mail.*", "orders.refund"],
    denied=["mail.bulk"],
    tiers={"mail.send": "external", "orders.refund": "destructive"},
    approval=["destructive"],
    hosts=["*.example.org"],
    data=["public"],
    most_argument_bytes=1_000,
    tainted=["external", "destructive"],
)

STEPS = st.builds(
    ToolStep,
    tool=st.sampled_from(["search_web", "mail.send", "mail.bulk", "orders.refund", "shell"]),
    tier=st.sampled_from([None, "read", "external", "destructive"]),
    authorization=st.sampled_from([None, "allowed", "approved", "not_checked", *sorted(NOT_DONE)]),
    approver=st.sampled_from([None, "human", "policy", "llm"]),
    host=st.sampled_from([None, "api.example.org", "evil.test"]),
    data=st.sampled_from([None, "public", "secret"]),
    argument_bytes=st.one_of(st.none(), st.integers(0, 2_000)),
    tainted=st.booleans(),
    status=st.sampled_from([None, "ok", "error", "cancelled"]),
)


@pytest.mark.parametrize(
    ("step", "categories"),
    [
        (ToolStep("search_web", "read"), []),
        (ToolStep("shell", "privileged"), ["sec.tool_misuse"]),
        (ToolStep("mail.bulk"), ["sec.tool_misuse"]),
        (ToolStep("mail.send", host="API.example.org", data="public"), []),
        (ToolStep("mail.send", host="evil.test"), ["sec.exfiltration.tool"]),
        (ToolStep("mail.send", data="secret"), ["sec.exfiltration.tool"]),
        (ToolStep("search_web", data="secret"), []),
        (ToolStep("orders.refund", authorization="not_checked"), ["sec.privilege_abuse"]),
        (ToolStep("orders.refund", authorization="allowed"), ["sec.privilege_abuse"]),
        (ToolStep("orders.refund", authorization="approved", approver="llm"), ["sec.privilege_abuse"]),
        (ToolStep("orders.refund", authorization="approved", approver="human"), []),
        (ToolStep("orders.refund", tier="read", authorization="not_checked"), ["sec.privilege_abuse"]),
        (ToolStep("search_web", argument_bytes=1_001), ["sec.tool_misuse"]),
        (ToolStep("mail.send", tainted=True), ["sec.exfiltration.tool"]),
        (ToolStep("search_web", tainted=True), []),
        (ToolStep("mail.bulk", "external", tainted=True, host="evil.test"),
         ["sec.exfiltration.tool", "sec.exfiltration.tool", "sec.tool_misuse"]),
    ],
)  # fmt: skip
def test_a_step_breaks_what_it_breaks(step, categories):
    """Lists, tiers, approvals, hosts, classes of data, sizes and taint each say no by themselves, the worst first."""
    assert [each.category for each in breaches(RULES, step)] == categories


@given(STEPS)
def test_what_was_not_done_breaks_nothing_and_no_rules_allow_all(step):
    """A step that was denied, simulated, cancelled or still waits did no harm, and without rules there is none."""
    assert not list(breaches(ToolRules(), step))
    if step.authorization in NOT_DONE or step.status == "cancelled":
        assert not list(breaches(RULES, step))


@given(STEPS)
def test_a_stricter_rule_never_forgives(step):
    """A tool more that is denied, an approval more that is needed: what was a breach stays one."""
    stricter = RULES.model_copy(update={"denied": [*RULES.denied, "search*"], "approval": ["destructive", "external"]})
    assert {each.category for each in breaches(RULES, step)} <= {each.category for each in breaches(stricter, step)}


def test_an_agent_has_its_own_rules_its_services_or_the_usual_ones():
    """Rules of an agent go before those of its service, and these before the defaults."""
    policy = parse_policy("""
defaults: {tools: {denied: ["*"], level: ticket}}
services:
  shop:
    tools: {allowed: [search]}
    agents: {billing: {allowed: [orders.refund], level: dry_run}}
  plain: {owner: kim}
""")
    assert policy.tools("shop", "billing").allowed == ["orders.refund"]
    assert policy.tools("shop", "other").allowed == policy.tools("shop").allowed == ["search"]
    assert policy.tools("plain").denied == policy.tools("unknown", "x").denied == ["*"]
    assert policy.watches_tools()
    assert not parse_policy("services: {plain: {owner: kim}}").watches_tools()


def test_a_tier_that_there_is_not_is_refused_with_its_line():
    """A misspelt tier would never match, so it is an error of the file."""
    with pytest.raises(PolicyError, match=r"p:4: services\.shop\.tools\.approval\.0"):
        parse_policy("services:\n  shop:\n    tools:\n      approval: [destructiv]\n", "p")
