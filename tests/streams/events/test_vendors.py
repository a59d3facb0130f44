"""What vendors' guards answer counts in the rates that it is about: native answer in, flags out."""

import pytest

from schemas import vendors
from schemas.events import Inference
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.events.flags import BIT, event_flags
from tests.streams.events.test_decode import NOW_MS, Record

ABOUT = ("unsafe_attempted", "unsafe_served", "leak", "injection_flag", "refusal")
HATE = {"type": "HATE", "confidence": "LOW", "action": "NONE", "detected": True}
EMAIL = {"type": "EMAIL", "action": "ANONYMIZED", "match": "m", "detected": True}
LISTED = {"type": "PROMPT_ATTACK", "confidence": "NONE", "action": "NONE", "detected": False}
INSULTS = {"type": "INSULTS", "confidence": "HIGH", "action": "BLOCKED", "detected": True}


def bedrock(*filters, pii=()):
    """Return what ApplyGuardrail's answer becomes."""
    policies = {"contentPolicy": {"filters": list(filters)}, "sensitiveInformationPolicy": {"piiEntities": list(pii)}}
    return vendors.guards_from_bedrock({"action": "GUARDRAIL_INTERVENED", "assessments": [policies]}, layer="output")


CASES = {
    "bedrock took out one thing and only reported another": (
        bedrock(HATE, pii=[EMAIL]), {"leak", "unsafe_attempted", "unsafe_served"},
    ),
    "bedrock lists what it did not find": (bedrock(INSULTS, LISTED), {"unsafe_attempted"}),
    "moderation has thirteen scores and one hit": (
        vendors.guards_from_openai_moderation(
            {"flagged": True, "categories": {"violence": True, "self-harm": False},
             "category_scores": {"violence": 0.91, "self-harm": 0.0003}}, layer="output", action="none"),
        {"unsafe_attempted", "unsafe_served"},
    ),
    "an attack in a document": (
        vendors.guards_from_prompt_shields({"documentsAnalysis": [{"attackDetected": True}]}), {"injection_flag"},
    ),
    "llama guard's codes": (
        vendors.guards_from_llama_guard("unsafe\nS1,S10", layer="output", action="blocked"), {"unsafe_attempted"},
    ),
    "prompt guard's label": (
        vendors.guards_from_prompt_guard({"label": "LABEL_1", "score": 0.998}, action="blocked"), {"injection_flag"},
    ),
    "a code that nobody knows yet": (
        vendors.guards_from_llama_guard("unsafe\nS77", layer="output", action="none"),
        {"unsafe_attempted", "unsafe_served"},
    ),
    "a refusal that looks like an ordinary end": (
        vendors.guards_from_openai({"choices": [{"finish_reason": "stop", "message": {"refusal": "no"}}]}), {"refusal"},
    ),
    "litellm's block of the answer": (
        vendors.guards_from_litellm({"status": "failure", "guardrail_information": [
            {"guardrail_name": "b", "guardrail_mode": "post_call", "guardrail_status": "guardrail_intervened",
             "violation_categories": ["VIOLENCE"]}]}),
        {"unsafe_attempted"},
    ),
    "openlit's denial": (
        vendors.guards_from_openlit({"guard.name": "prompt_injection", "guard.phase": "preflight",
                                     "guard.action": "deny", "guard.score": 0.9}),
        {"injection_flag"},
    ),
    "text that was fixed": (
        vendors.guards_from_guardrails_ai(
            {"validation_passed": True, "raw_llm_output": "a", "validated_output": "b",
             "validation_summaries": [{"validator_name": "DetectPII", "validator_status": "fail"}]}, layer="output"),
        {"leak"},
    ),
    "a severity of zero": (
        vendors.guards_from_azure_content_safety({"categoriesAnalysis": [{"category": "Hate", "severity": 0}]}), set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_answer_counts_where_it_belongs(name):
    """In no other of these rates."""
    guards, flagged = CASES[name]
    event = Inference(event_id="e", source="s", time_unix_nano=NOW_MS * 1_000_000, service_name="chat", guards=guards)
    [columns] = events_decoder()([Record(encode(event))]).kinds.values()
    bits = event_flags(columns).flagged[0]
    assert {rate for rate in ABOUT if bits & BIT[rate]} == flagged
