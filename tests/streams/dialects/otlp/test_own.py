"""What no convention has is said by attributes of our own, in the contract's words."""

import re

import pytest

from schemas.events import AgentStep, Envelope, Inference, Retrieval
from schemas.guards import GuardResult
from streams.dialects.otlp.tables.aliases import OWN, RESOURCE, TABLE
from tests.docs.pages import PAGES
from tests.support.otlp import results, span, told
from tests.support.otlp_export import GUARD_NAMES, RENAMED

A = "a" * 16
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.response.finish_reasons": ["stop"]}
GUARD = {"gen_ai.operation.name": "apply_guardrail", "gen_ai.guardrail.component.name": "shield"}
OF_THE_SPAN = {
    *("event_id", "source", "time_unix_nano", "trace_id", "span_id", "parent_span_id", "duration_ms"),
    *("schema_version", "observed_time_unix_nano", "ingest_dialect", "semconv_schema_url"),
    *("tenant_id", "input_text", "output_text", "guards"),
}
"""Fields that are no attribute's: the span itself says them, or a rule of the policy does."""


def only(**attributes):
    (event,) = told(span(A, attributes=attributes))
    return event


@pytest.mark.parametrize("kind", [Inference, AgentStep, Retrieval])
def test_each_field_of_the_contract_can_be_said(kind):
    """By the span, by an attribute of a convention, or by one of our own."""
    own = {name for group, name in OWN.values() if group == "own"}
    assert {*kind.__struct_fields__} <= own | {*TABLE["fields"]} | {*RESOURCE} | {*RENAMED} | OF_THE_SPAN
    said = {name for group, name in OWN.values() if group == "own_guard"} - {"severity"}
    assert {*GuardResult.__struct_fields__} == said | GUARD_NAMES.keys() | {"native_source", "mapping_version"}
    fields = {name for event in (Inference, AgentStep, Retrieval) for name in event.__struct_fields__}
    assert own <= fields - ({*Envelope.__struct_fields__} & {"session_id", "service_name", "tenant_id"})


def test_ours_stands_before_what_conventions_say():
    """An outcome that the source knows is not guessed from its finish reason; a status not from its span."""
    call = only(**CHAT, **{"watchkeeper.outcome": "blocked", "watchkeeper.reached_user": False})
    assert (call["outcome"], call["reached_user"], call["finish_reason_norm"]) == ("blocked", False, "stop")
    (step,) = told(span(A, status=2, attributes={"gen_ai.tool.name": "t", "watchkeeper.status": "denied",
                                                 "watchkeeper.authorization": "denied"}))  # fmt: skip
    assert (step["status"], step["authorization"]) == ("denied", "denied")


def test_a_guard_says_what_conventions_lack():
    """Layer, verdict, action, mode and severity; of a category that a convention names, or in findings of its own."""
    said = {f"watchkeeper.guard.{name}": value for name, value in {"layer": "tool_result", "verdict": "flag",
            "action": "none", "mode": "monitor", "severity": 4}.items()}  # fmt: skip
    (guard,) = results(only(**GUARD, **said, **{"gen_ai.guardrail.risk.category": "sec.exfiltration.tool"}))
    expected = {"layer": "tool_result", "verdict": "flag", "action": "none", "mode": "monitor", "status": "ok"}
    assert guard | expected == guard
    assert [(finding["category"], finding["severity"]) for finding in guard["findings"]] == [
        ("sec.exfiltration.tool", 4)
    ]
    findings = '[{"category": "sec.jailbreak", "severity": 3, "score": 0.9, "score_kind": "probability"}]'
    (guard,) = results(only(**GUARD, **said, **{"watchkeeper.guard.findings": findings}))
    assert [(finding["severity"], finding["score_kind"]) for finding in guard["findings"]] == [(3, "probability")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("turn_index", -1), ("turn_index", "many"), ("reached_user", "perhaps"), ("outcome", ""), ("outcome", "x" * 300),
     ("outcome", None), ("taint_sources", ["web"]), ("input_chars", [1]), ("labels", {"a": 1})],
)  # fmt: skip
def test_what_does_not_fit_is_absent(name, value):
    """A value of another type, a blank one and one of another kind of event fill nothing, and cost nothing else."""
    event = only(**CHAT, **{f"watchkeeper.{name}": value})
    assert event == only(**CHAT)


def test_lists_and_truths_may_be_text():
    """As an environment variable or a simple SDK writes them."""
    step = only(**{"gen_ai.tool.name": "t", "watchkeeper.taint_sources": '["web", "file"]'})
    assert step["taint_sources"] == ["web", "file"]
    assert only(**CHAT, **{"watchkeeper.reached_user": "true"})["reached_user"] is True


def test_a_resource_may_say_which_variant_it_is():
    """One variable of a deployment's environment names its variant and its version for all that it sends."""
    made = span(A, attributes=CHAT)
    made.origin.resource.update({"watchkeeper.deployment_variant": "canary", "watchkeeper.model_version": "m@2"})
    (event,) = told(made)
    assert (event["deployment_variant"], event["model_version"]) == ("canary", "m@2")


def test_the_page_names_each():
    """What the table reads stands in the table of the page, and nothing else does."""
    page = PAGES["docs/otlp.md"].split("## What no convention has")[1].split("\n## ")[0]
    assert set(re.findall(r"`(watchkeeper\.[a-z_.]+)`", page)) == {*OWN}
