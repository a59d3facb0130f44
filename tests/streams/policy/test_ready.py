"""The ready policies, each played from the answers of `init` to findings and controls, on events made for its use case.

An hour of one call a second, a session each. What is wrong is wrong from the first minute on, at a rate that the usual
policy lets pass; and one step of an agent breaks the rules of its tools.
"""

from datetime import date

import numpy as np
import pytest

from schemas.events import AgentStep, Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.wire import encode
from streams.incidents.requests.rules import ControlRules
from streams.policy.explain import lacking
from streams.policy.first import first_policy
from streams.policy.inheritance import READY
from streams.policy.policy import Policy, parse_policy
from streams.replay.backtest import judge_events
from streams.replay.reading import read_events
from streams.settings import load

START, SECONDS, NAME = 1_772_409_600, 3_600, "assistant"
CASES = {
    "customer-support": (
        ("leak", 0.01, "sec.data_leakage.pii", "page"),
        {"tool_name": "orders.get", "tool_tier": "read", "labels": {"user_group": "anonymous"}},
        ["a tool out of its rules is looked at"],
    ),
    "compliance-documents": (
        ("quality", 0.12, "qual.ungrounded", "ticket"),
        {"tool_name": "documents.write", "tool_tier": "write", "taint_sources": ["https://strange.example"]},
        ["a steered tool pauses it"],
    ),
    "decision-support": (
        ("quality", 0.14, "qual.bias", "ticket"),
        {"tool_name": "files.save", "tool_tier": "write", "data_classification_in": "personal"},
        [],
    ),
}  # fmt: skip
"""By use case: what is wrong, how often, found how and what it becomes; a step that is not allowed; rules that fire."""


def envelope(name, second):
    """Return the fields of every event."""
    when = int((START + second) * 1e9)
    return {"event_id": name, "source": "t", "time_unix_nano": when, "service_name": NAME, "trace_id": name}


def events(rate, category, step):
    """Yield calls of which some are wrong, and among them one step of an agent; every guard looks at each."""
    wrong = np.random.default_rng(11).random(SECONDS) < rate
    for second in range(SECONDS):
        found = [GuardFinding(category=category, severity=2)] if wrong[second] else None
        guards = [GuardResult(guard_name="g", layer="output", status="ok", mode="monitor",
                              verdict="flag" if found else "allow", findings=found)]  # fmt: skip
        yield Inference(**envelope(f"e{second}", second), session_id=f"s{second}", response_model="m",
                        outcome="completed", guards=guards)  # fmt: skip
        if second == 1_000:
            yield AgentStep(**envelope("step", second), session_id="agent", step_kind="execute_tool",
                            authorization="allowed", status="ok", **step)  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def played(request, tmp_path_factory):
    """Return a use case, its policy and what that and the usual one found."""
    (metric, rate, category, level), step, rules = CASES[request.param]
    path = tmp_path_factory.mktemp("ready") / "events.jsonl"
    path.write_bytes(b"".join(encode(event) + b"\n" for event in events(rate, category, step)))
    policy = parse_policy(first_policy(request.param, NAME, "team-a", "https://example.org/runbook", ""))
    runs = judge_events(load(), read_events(load(), [path]), {"usual": Policy(), "ready": policy})
    return policy, runs, (metric, level), rules


def of_rate(found, metric):
    """Return severities of the findings about a rate."""
    return {each.severity for each in found if each.kind == "rate" and each.metric == metric}


def test_what_the_use_case_does_not_accept_is_found(played):
    """The usual policy lets the rate pass; the ready one has it above its ceiling, a page or a ticket as it says."""
    _, runs, (metric, level), _ = played
    assert not of_rate(runs["usual"], metric)
    assert level in of_rate(runs["ready"], metric)


def test_a_step_that_the_use_case_does_not_allow_is_a_breach(played):
    """A guest who asks for orders, a stranger's text that writes, personal data without approval: each is one page."""
    _, runs, _, _ = played
    assert not [each for each in runs["usual"] if each.kind == "breach"]
    assert [each.severity for each in runs["ready"] if each.kind == "breach"] == ["page"]


def test_the_rules_of_the_use_case_ask_for_their_controls(played):
    """What was found asks for what the policy says, and for nothing else."""
    policy, runs, _, rules = played
    subject = ControlRules(policy.controls)
    asked = [control for each in runs["ready"] for control in subject.take(each)]
    assert sorted({control.rule for control in asked}) == rules


@pytest.mark.parametrize("use_case", READY)
def test_a_ready_policy_lacks_only_whom_to_ask(use_case):
    """All that can be agreed without knowing the service is agreed; owner and runbook are left to ask for."""
    service = parse_policy(f"services: {{a: {{extends: {use_case}}}}}").services["a"]
    assert list(lacking(service, date(2026, 3, 2))) == ["name its owner", "give the address of its runbook"]
    assert service.posture.acceptable_failures
    assert service.posture.reviews.labels_per_week
