"""Single events that page at once: what is severe enough, what is not, and each under an identity of its own."""

import msgspec
import pytest

from schemas.events import Inference
from schemas.guards import GuardFinding
from schemas.wire import decoder
from streams.events.flags import event_flags
from streams.events.guards import flatten_guards
from streams.policy.policy import Policy, parse_policy
from streams.watch.single.severe import severe_findings
from tests.streams.events.test_flags import BASE, columns, guard
from tests.support.otlp import span, told


def severe(*events, policy=None):
    """Return the findings of events, each in a batch of its own."""
    batches = map(columns, events)
    return [each for part in batches for each in severe_findings(part, event_flags(part).guards, policy or Policy())]


@pytest.mark.parametrize(
    ("result", "pages"),
    [
        (guard("sec.exfiltration.tool", layer="tool_call", severity=4), 1),
        (guard("sec.exfiltration.tool", layer="tool_call", severity=3), 0),
        (guard("content.cse", severity=4, verdict="block", action="blocked"), 0),
        (guard("content.cse", severity=4, mode="shadow"), 0),
        (guard("no.such.category", severity=4), 1),
    ],
)
def test_one_severe_event_pages_unless_it_was_stopped(result, pages):
    """Critical severity that nothing stopped is a page by itself, the same one each time, whatever its category."""
    found = severe(Inference(**BASE, guards=[result]))
    assert [each.severity for each in found] == ["page"] * pages
    assert found == severe(Inference(**BASE, guards=[result]))
    assert all(each.detected_time_unix_nano == each.onset_time_unix_nano == BASE["time_unix_nano"] for each in found)


def test_an_event_without_guards_says_nothing():
    """Without a guard's result there is nothing to page about."""
    events = columns(Inference(**BASE))
    assert severe_findings(events, flatten_guards(events)) == []


def test_the_policy_says_from_what_risk_an_event_pages():
    """High severity pages where the policy lets that risk page, and not where it asks for more."""
    event = Inference(**BASE, guards=[guard("content.cse", severity=3)])
    assert len(severe(event, policy=parse_policy("risk: {page_at: 0.05}"))) == 1
    assert not severe(event, policy=parse_policy("risk: {page_at: 1.0}"))


def told_by(category, **more):
    """Return the event of a span whose guard objects, as OpenTelemetry's conventions have it."""
    said = {"component__name": "shield", "target__type": "tool_result", "result__value": "flag",
            "risk__category": category, "risk__score": 0.99}  # fmt: skip
    said = {f"gen_ai.guardrail.{name.replace('__', '.')}": value for name, value in said.items()}
    (event,) = told(
        span("a" * 16, attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"} | said | more)
    )
    return decoder(Inference)(msgspec.json.encode(event | {"time_unix_nano": BASE["time_unix_nano"]}), 2**62)


def test_a_finding_without_a_severity_has_that_of_its_category():
    """OpenTelemetry has none: where the category is critical by itself it pages, and the page says whence it knows."""
    (found,) = severe(told_by("sec.exfiltration.tool"))
    assert found.details["severity_of_category"] == 4.0
    assert found.evidence.startswith("critical by its category, for its source says neither how bad nor how sure,")
    assert told_by("sec.exfiltration.tool").guards[0].findings[0].severity is None
    assert not severe(told_by("sec.jailbreak"))
    policy = parse_policy("risk: {severities: {sec.jailbreak: 4, sec.exfiltration.tool: 3}}")
    assert [
        each.metric for each in severe(told_by("sec.jailbreak"), told_by("sec.exfiltration.tool"), policy=policy)
    ] == ["sec.jailbreak"]


def test_a_severity_that_was_said_is_no_guess():
    """By an attribute of ours, or as a probability: the category's has no say, and nothing is marked."""
    (found,) = severe(told_by("sec.jailbreak", **{"watchkeeper.guard.severity": 4}))
    assert "severity_of_category" not in found.details
    assert found.evidence.startswith("critical and stopped by nothing")
    unsure = GuardFinding(category="content.cse", score=0.6, score_kind="probability")
    sure = guard("content.cse")
    assert not severe(told_by("sec.exfiltration.tool", **{"watchkeeper.guard.severity": 1}),
                      Inference(**BASE, guards=[msgspec.structs.replace(sure, findings=[unsure])]))  # fmt: skip


def test_sources_and_events_with_slashes_keep_apart():
    """Event ``b/c`` of source ``a`` and event ``c`` of source ``a/b`` are two findings."""
    events = [
        Inference(**BASE | {"source": source, "event_id": event}, guards=[guard("content.cse", severity=4)])
        for source, event in (("a", "b/c"), ("a/b", "c"))
    ]
    assert len({each.finding_id for each in severe(*events)}) == 2
