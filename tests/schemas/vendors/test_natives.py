"""What each vendor's answer means, and what it does not mean."""

import pytest
from openai.types import ModerationCreateResponse

from schemas import vendors
from tests.schemas.vendors.natives import CASES, POLICIES


def said(results):
    """Return of each result what it judged, what it said and did, and which categories it found."""
    return [
        (one.layer, one.status, one.verdict, one.action, [found.category for found in one.findings or []])
        for one in results
    ]


RIGHT = {
    "bedrock applied": [
        ("unknown", "ok", "block", "blocked", ["qual.off_topic", "qual.custom_rule", "qual.ungrounded"]),
        ("unknown", "ok", "redact", "redacted", ["content.x_prf", "sec.data_leakage.pii", "sec.data_leakage.pii"]),
        ("unknown", "ok", "flag", "none", ["content.hte"]),
        ("unknown", "ok", "flag", "unknown", ["qual.ungrounded"]),
    ],
    "azure openai": [
        ("input", "ok", "block", "blocked", ["content.vcr", "qual.custom_rule"]),
        ("input", "ok", "flag", "annotated", ["content.ipv"]),
        ("output", "ok", "block", "blocked", ["content.vcr", "qual.custom_rule"]),
        ("output", "ok", "flag", "annotated", ["content.ipv"]),
    ],
    "azure 400": [
        ("input", "ok", "block", "blocked", ["content.vcr", "qual.custom_rule"]),
        ("input", "ok", "flag", "annotated", ["content.ipv"]),
    ],
    "azure content safety": [("unknown", "ok", "flag", "unknown", ["content.hte", "qual.custom_rule"])],
    "prompt shields": [
        ("input", "ok", "flag", "unknown", ["sec.jailbreak"]),
        ("retrieval", "ok", "allow", "none", []),
    ],
    "openai moderation": [("unknown", "ok", "flag", "unknown", ["content.vcr", "content.x_oth"])],
    "openai refusal": [("output", "ok", "flag", "none", ["qual.refusal"])],
    "anthropic refusal": [("output", "ok", "block", "blocked", ["content.ncr", "qual.refusal"])],
    "gemini": [
        ("input", "ok", "block", "blocked", ["sec.jailbreak"]),
        ("output", "ok", "block", "blocked", ["content.ncr"]),
    ],
    "model armor": [
        ("unknown", "ok", "redact", "redacted", ["sec.data_leakage.pii"]),
        ("unknown", "ok", "flag", "unknown", ["content.ncr", "sec.malicious_uri"]),
    ],
    "llama guard": [("unknown", "ok", "flag", "unknown", ["content.vcr", "content.x_oth", "content.x_oth"])],
    "prompt guard": [("input", "ok", "flag", "unknown", ["sec.jailbreak"])],
    "llamafirewall": [("input", "ok", "block", "unknown", ["sec.jailbreak"])],
    "granite guardian": [("unknown", "ok", "flag", "unknown", ["content.x_oth"])],
    "shield gemma": [("unknown", "ok", "flag", "unknown", ["content.x_oth"])],
    "lakera": [("unknown", "ok", "flag", "unknown", ["sec.data_leakage.pii"])],
    "llm guard": [("unknown", "ok", "block", "unknown", ["sec.data_leakage.secret"])],
    "openai guardrails": [("output", "ok", "block", "aborted", ["sec.data_leakage.pii"])],
    "openlit": [("output", "ok", "flag", "annotated", ["content.vcr"])],
    "nemo check": [("unknown", "ok", "block", "blocked", ["content.x_oth"])],
    "guardrails ai": [("unknown", "ok", "redact", "replaced", ["content.x_hrs"])],
    "litellm": [("input", "ok", "block", "blocked", ["qual.custom_rule"])],
}


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_an_answer_says_what_was_judged_said_done_and_found(name):
    """One result for each verdict and action; what was only looked for is no finding."""
    read, answer = CASES[name]
    assert said(read(answer)) == RIGHT[name]


def test_bedrocks_traces_say_both_sides_and_whose_policy():
    """Converse and InvokeModel have the same assessments in other places; the key is the guardrail."""
    converse = vendors.guards_from_bedrock(CASES["bedrock converse"][1])
    invoked = vendors.guards_from_bedrock(
        {"amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": {
            "guardrail": {"input": {"gr-1": POLICIES}, "outputs": [{"gr-1": POLICIES}]}}}
    )  # fmt: skip
    assert said(converse) == said(invoked)
    assert {one.layer for one in converse} == {"input", "output"}
    assert {(one.policy_id, one.latency_ms, one.guard_name) for one in converse} == {("gr-1", 212.0, "bedrock")}


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ({"action": "NONE", "assessments": [{}]}, [("unknown", "ok", "allow", "none", [])]),
        ({"action": "GUARDRAIL_INTERVENED", "assessments": []}, [("unknown", "ok", "block", "blocked", [])]),
        ({"stopReason": "guardrail_intervened"}, [("unknown", "ok", "block", "blocked", [])]),
        ({"stopReason": "end_turn"}, []),
        (
            {"action": "NONE", "assessments": [{"contentPolicy": {"filters": [{"type": "NEW_ONE", "action": "NEW"}]}}]},
            [("unknown", "ok", "unknown", "unknown", ["content.x_oth"])],
        ),
        (
            {"results": {"promptAttack": {"results": [{"category": "PROMPT_LEAKAGE", "severityScore": 0.9},
                                                      {"category": "JAILBREAK", "severityScore": 0.1}]}}},
            [("unknown", "ok", "flag", "unknown", ["sec.system_prompt_leak"])],
        ),
    ],
)  # fmt: skip
def test_bedrock_at_its_edges(answer, right):
    """A block that no assessment explains is a block; an unknown filter or action is kept by its name."""
    assert said(vendors.guards_from_bedrock(answer)) == right


def test_an_answer_without_annotations_says_nothing_of_a_guard():
    """An ordinary answer of OpenAI, Azure, Anthropic or Gemini is no guard that allowed."""
    ordinary = {"choices": [{"finish_reason": "stop", "message": {"content": "Paris", "refusal": None}}]}
    assert vendors.guards_from_openai(ordinary) == vendors.guards_from_azure_openai(ordinary) == []
    assert vendors.guards_from_anthropic({"stop_reason": "end_turn"}) == []
    assert vendors.guards_from_gemini({"candidates": [{"finishReason": "STOP"}]}) == []
    assert vendors.guards_from_azure_openai({"error": {"code": "429", "message": "Too many requests"}}) == []


@pytest.mark.parametrize(
    ("annotations", "right"),
    [
        ({"hate": {"filtered": False, "severity": "safe"}}, [("output", "ok", "allow", "none", [])]),
        ({"error": {"code": "content_filter_error"}}, [("output", "error", None, None, [])]),
        (
            {"hate": {"filtered": True, "severity": "high"}, "jailbreak": {"error": {"code": "content_filter_error"}}},
            [("output", "partial", "block", "blocked", ["content.hte"])],
        ),
        ({"hate": {"severity": "extreme"}}, [("output", "ok", "flag", "annotated", ["content.hte"])]),
    ],
)
def test_a_filter_of_azure_that_failed_is_no_clean_one(annotations, right):
    """Failed alone, failed beside one that found something, and a severity that nobody knows yet."""
    assert said(vendors.guards_from_azure_openai({"choices": [{"content_filter_results": annotations}]})) == right


@pytest.mark.parametrize(
    ("severity", "ours"), [(0, None), (1, None), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3)]
)  # fmt: skip
def test_azures_severities_are_not_taken_as_ours(severity, ours):
    """Four is medium there and critical here; none of theirs is critical."""
    answer = {"categoriesAnalysis": [{"category": "Sexual", "severity": severity}]}
    [result] = vendors.guards_from_azure_content_safety(answer)
    assert [found.severity for found in result.findings or []] == ([] if ours is None else [ours])


def test_a_low_rating_that_stopped_nothing_can_be_left_out():
    """`flag_from` leaves out what was only annotated, never what was blocked."""
    low = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}
    high = {"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "LOW", "blocked": True}
    answer = {"candidates": [{"finishReason": "SAFETY", "safetyRatings": [low, high]}]}
    assert [one.verdict for one in vendors.guards_from_gemini(answer)] == ["block", "flag"]
    assert [one.verdict for one in vendors.guards_from_gemini(answer, flag_from=2)] == ["block"]


@pytest.mark.parametrize(
    ("invocation", "state", "right"),
    [
        ("SUCCESS", "NO_MATCH_FOUND", ("ok", "allow")),
        ("PARTIAL", "NO_MATCH_FOUND", ("partial", "allow")),
        ("PARTIAL", "MATCH_FOUND", ("partial", "flag")),
        ("FAILURE", "NO_MATCH_FOUND", ("error", None)),
        ("FAILURE", "MATCH_FOUND", ("partial", "flag")),
    ],
)
def test_model_armor_that_ran_in_part_still_says_what_it_found(invocation, state, right):
    """Whether it ran and what it found are two fields."""
    answer = {"sanitizationResult": {"invocationResult": invocation, "filterMatchState": state}}
    [result] = vendors.guards_from_model_armor(answer)
    assert (result.status, result.verdict) == right


@pytest.mark.parametrize(
    ("text", "status", "verdict", "codes"),
    [
        ("safe", "ok", "allow", []),
        ("\n\nunsafe\nS1,S10", "ok", "flag", ["content.vcr", "content.hte"]),
        ("unsafe\nS13, S14", "ok", "flag", ["content.spc_ele", "sec.code_exec"]),
        ("unsafe", "ok", "flag", []),
        ("I think that this is fine.", "error", None, []),
        ("", "error", None, []),
    ],
)
def test_llama_guard_writes_text(text, status, verdict, codes):
    """Codes become ours and stay beside them under the taxonomy of their generation; prose is a guard that failed."""
    [result] = vendors.guards_from_llama_guard({"output": text}, generation=3)
    assert (result.status, result.verdict) == (status, verdict)
    assert [found.category for found in result.findings or []] == codes
    assert {found.native_taxonomy for found in result.findings or []} <= {"llama_guard_3"}


@pytest.mark.parametrize(
    ("text", "status", "verdict"),
    [
        ("No", "ok", "allow"),
        ("Yes", "ok", "flag"),
        ("No\n<confidence> Low </confidence>", "ok", "allow"),
        ("<think>It says yes</think>\n<score> no </score>", "ok", "allow"),
        ("Perhaps", "error", None),
    ],
)
def test_granite_guardian_answers_yes_or_no(text, status, verdict):
    """A yes inside its thoughts is none; anything else is a guard that failed."""
    [result] = vendors.guards_from_granite_guardian(text, risk="violence")
    assert (result.status, result.verdict) == (status, verdict)


@pytest.mark.parametrize(
    ("scan", "right"),
    [
        ({"decision": "allow", "score": 0.0, "status": "success", "reason": "default"}, ("ok", "allow", "none")),
        (
            {"decision": "allow", "score": 0.0, "status": "success",
             "reason": "broken: scanner error: backend unreachable - score: 0.0; regex: No regex patterns matched"},
            ("error", None, None),
        ),
        ({"decision": "allow", "score": 0.0, "status": "skipped", "reason": ""}, ("skipped", None, None)),
        (
            {"decision": "human_in_the_loop_required", "score": 0.81, "status": "success", "reason": "needs review"},
            ("ok", "escalate", "unknown"),
        ),
    ],
)  # fmt: skip
def test_llamafirewalls_success_is_not_taken_at_its_word(scan, right):
    """A scanner that failed lets through and says success."""
    [result] = vendors.guards_from_llamafirewall(scan, role="assistant", scanner="agent_alignment")
    assert (result.status, result.verdict, result.action) == right


def test_checks_of_openai_guardrails_that_failed_or_masked_say_that_nothing_tripped():
    """A failed check is a guard that failed, open; a masked text was redacted; raw matches are counted."""
    checks = [
        {"tripwire_triggered": False, "execution_failed": True, "info": {"guardrail_name": "Moderation"}},
        {"tripwire_triggered": False, "info": {"guardrail_name": "Jailbreak", "error_message": "500"}},
        {"tripwire_triggered": False, "info": {"guardrail_name": "Contains PII", "pii_detected": True,
                                               "detected_entities": {"US_SSN": ["1", "2"]}}},
        {"tripwire_triggered": True, "info": {"guardrail_name": "Moderation", "flagged_categories": ["violence"]}},
        {"tripwire_triggered": False, "info": {"guardrail_name": "URL Filter", "blocked": []}},
    ]  # fmt: skip
    results = vendors.guards_from_openai_guardrails(checks)
    assert [(one.status, one.fail_mode, one.verdict, one.action) for one in results] == [
        ("error", "open", None, None), ("error", "open", None, None), ("ok", None, "redact", "redacted"),
        ("ok", None, "block", "aborted"), ("ok", None, "allow", "none"),
    ]  # fmt: skip
    assert [(found.entity_type, found.count) for found in results[2].findings] == [("US_SSN", 2)]
    assert [found.category for found in results[3].findings] == ["content.vcr"]


def test_people_map_the_words_of_their_own_guards():
    """Names of guardrails and validators have no category but the one that their owner gives them."""
    agents = {"input_guardrail_results": [{"guardrail": "homework", "output": {"tripwire_triggered": True}}]}
    [result] = vendors.guards_from_openai_agents(agents, categories={"homework": "qual.off_topic"})
    assert [(found.category, found.native_category) for found in result.findings] == [("qual.off_topic", "homework")]
    [unmapped] = vendors.guards_from_openai_agents(agents)
    assert (unmapped.verdict, unmapped.findings) == ("block", None)
    failing = {"validation_passed": False, "validated_output": None,
               "validation_summaries": [{"validator_name": "OurRule", "validator_status": "fail"}]}  # fmt: skip
    [result] = vendors.guards_from_guardrails_ai(failing, categories={"OurRule": "content.prv"})
    assert [found.category for found in result.findings] == ["content.prv"]


def test_what_the_caller_did_and_knows_goes_before_the_vendor():
    """A guard that only advises has the caller's action; name, layer, mode and policy are the caller's to say."""
    [result] = vendors.guards_from_openai_moderation(
        {"flagged": True, "categories": {"hate": True}},
        guard_name="first-line", layer="input", mode="monitor", action="none", policy_id="p1", latency_ms=3.5,
    )  # fmt: skip
    assert (result.guard_name, result.layer, result.mode, result.action) == ("first-line", "input", "monitor", "none")
    assert (result.policy_id, result.latency_ms, result.mapping_version) == ("p1", 3.5, "openai/1")


def test_an_objects_own_types_are_read_like_its_json():
    """The SDK's objects and exceptions are handed over as they are."""
    plain = {"id": "m", "model": "omni", "results": [
        {"flagged": True, "categories": {"self-harm": True}, "category_scores": {"self-harm": 0.8},
         "category_applied_input_types": {}}]}  # fmt: skip
    read = vendors.guards_from_openai_moderation
    assert read(ModerationCreateResponse.construct(**plain)) == read(plain)


@pytest.mark.parametrize("name", vendors.__all__)
def test_what_is_no_answer_of_a_vendor_is_refused_with_what_to_do(name):
    """A number is an answer of nobody but a probability of ShieldGemma."""
    if name == "guards_from_shield_gemma":
        assert vendors.guards_from_shield_gemma(0.9)[0].verdict == "flag"
        return
    with pytest.raises(ValueError, match=r"must be .* hand over the response as it came"):
        getattr(vendors, name)(7)
