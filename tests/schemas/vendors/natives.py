"""Answers in the form of each vendor's own API, with a text wherever a vendor puts one."""

from schemas import vendors

TEXT = "what-somebody-wrote"
"""Stands wherever an answer repeats or quotes a text."""

FOUND = {"match": TEXT, "action": "ANONYMIZED", "detected": True}
POLICIES = {
    "topicPolicy": {"topics": [{"name": "Investment advice", "type": "DENY", "action": "BLOCKED", "detected": True}]},
    "contentPolicy": {
        "filters": [
            {"type": "HATE", "confidence": "LOW", "filterStrength": "LOW", "action": "NONE", "detected": True},
            {"type": "PROMPT_ATTACK", "confidence": "NONE", "action": "NONE", "detected": False},
        ]
    },
    "wordPolicy": {"customWords": [FOUND | {"action": "BLOCKED"}], "managedWordLists": [FOUND | {"type": "PROFANITY"}]},
    "sensitiveInformationPolicy": {
        "piiEntities": [FOUND | {"type": "EMAIL"}, FOUND | {"type": "NAME", "action": "NONE", "detected": False}],
        "regexes": [FOUND | {"name": "order number", "regex": TEXT}],
    },
    "contextualGroundingPolicy": {
        "filters": [{"type": "GROUNDING", "threshold": 0.7, "score": 0.2, "action": "BLOCKED", "detected": True}]
    },
    "automatedReasoningPolicy": {"findings": [{"invalid": {"translation": {"premises": [{"naturalLanguage": TEXT}]}}}]},
    "invocationMetrics": {"guardrailProcessingLatency": 212},
}
FILTERS = {
    "hate": {"filtered": False, "severity": "safe"},
    "violence": {"filtered": True, "severity": "medium"},
    "protected_material_code": {"filtered": False, "detected": True, "citation": {"URL": TEXT, "license": TEXT}},
    "custom_blocklists": {"filtered": True, "details": [{"id": "ours", "filtered": True}]},
}
CASES = {
    "bedrock applied": (vendors.guards_from_bedrock, {
        "action": "GUARDRAIL_INTERVENED", "actionReason": TEXT, "outputs": [{"text": TEXT}], "assessments": [POLICIES],
    }),
    "bedrock converse": (vendors.guards_from_bedrock, {
        "stopReason": "guardrail_intervened", "output": {"message": {"content": [{"text": TEXT}]}},
        "trace": {"guardrail": {"modelOutput": [TEXT], "actionReason": TEXT, "inputAssessment": {"gr-1": POLICIES},
                                "outputAssessments": {"gr-1": [POLICIES]}}},
    }),
    "azure openai": (vendors.guards_from_azure_openai, {
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FILTERS}],
        "choices": [{"message": {"content": TEXT}, "finish_reason": "stop", "content_filter_results": FILTERS}],
    }),
    "azure 400": (vendors.guards_from_azure_openai, {"error": {
        "message": TEXT, "code": "content_filter",
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": FILTERS},
    }}),
    "azure content safety": (vendors.guards_from_azure_content_safety, {
        "categoriesAnalysis": [{"category": "Hate", "severity": 4}, {"category": "Violence", "severity": 0}],
        "blocklistsMatch": [{"blocklistName": "ours", "blocklistItemId": "1", "blocklistItemText": TEXT}],
    }),
    "prompt shields": (vendors.guards_from_prompt_shields, {
        "userPromptAnalysis": {"attackDetected": True}, "documentsAnalysis": [{"attackDetected": False}],
    }),
    "openai moderation": (vendors.guards_from_openai_moderation, {"id": "modr-1", "model": "omni", "results": [
        {"flagged": True, "categories": {"violence": True, "new/one": True}, "category_scores": {"violence": 0.9}},
    ]}),
    "openai refusal": (vendors.guards_from_openai, {
        "choices": [{"finish_reason": "stop", "message": {"refusal": TEXT, "content": None}}],
    }),
    "anthropic refusal": (vendors.guards_from_anthropic, {
        "id": "msg_1", "stop_reason": "refusal", "stop_details": {"category": "cyber", "explanation": TEXT},
    }),
    "gemini": (vendors.guards_from_gemini, {
        "promptFeedback": {"blockReason": "JAILBREAK", "blockReasonMessage": TEXT},
        "candidates": [{"finishReason": "SAFETY", "finishMessage": TEXT, "safetyRatings": [
            {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True},
            {"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"},
        ]}],
    }),
    "model armor": (vendors.guards_from_model_armor, {"sanitizationResult": {
        "filterMatchState": "MATCH_FOUND", "invocationResult": "SUCCESS", "filterResults": {
            "rai": {"raiFilterResult": {"matchState": "MATCH_FOUND", "raiFilterTypeResults": {
                "dangerous": {"matchState": "MATCH_FOUND", "confidenceLevel": "HIGH"},
                "harassment": {"matchState": "NO_MATCH_FOUND"}}}},
            "sdp": {"sdpFilterResult": {"deidentifyResult": {
                "matchState": "MATCH_FOUND", "data": {"text": TEXT}, "infoTypes": ["EMAIL_ADDRESS"]}}},
            "malicious_uris": {"maliciousUriFilterResult": {
                "matchState": "MATCH_FOUND", "maliciousUriMatchedItems": [{"uri": TEXT}]}},
        }}}),
    "llama guard": (vendors.guards_from_llama_guard, f"unsafe\nS1,S99,{TEXT}"),
    "prompt guard": (vendors.guards_from_prompt_guard, [[{"label": "LABEL_1", "score": 0.9},
                                                        {"label": "LABEL_0", "score": 0.1}]]),
    "llamafirewall": (vendors.guards_from_llamafirewall, {
        "decision": "block", "reason": f'likely an attack. Full text: "{TEXT}"', "score": 0.97, "status": "success",
        "scanner": "prompt_guard", "role": "user",
    }),
    "granite guardian": (vendors.guards_from_granite_guardian, f"<think>{TEXT}</think><score> yes </score>"),
    "shield gemma": (vendors.guards_from_shield_gemma, f"Yes, because {TEXT}"),
    "lakera": (vendors.guards_from_lakera, {
        "flagged": True, "payload": [{"start": 0, "text": TEXT, "detector_type": "pii/email", "labels": [TEXT]}],
        "breakdown": [{"detector_type": "pii/email", "detected": True, "result": "l1_confident"},
                      {"detector_type": "unknown_links", "detected": False}],
    }),
    "llm guard": (vendors.guards_from_llm_guard, [TEXT, {"Secrets": False, "Toxicity": True},
                                                  {"Secrets": 1.0, "Toxicity": -1.0}]),
    "openai guardrails": (vendors.guards_from_openai_guardrails, {"tripwire_triggered": True, "info": {
        "guardrail_name": "Contains PII", "stage_name": "output", "checked_text": TEXT, "anonymized_text": TEXT,
        "pii_detected": True, "detected_entities": {"EMAIL_ADDRESS": [TEXT, TEXT]}}}),
    "openlit": (vendors.guards_from_openlit, {
        "guard_name": "sensitive_topic", "phase": "postflight", "action": "warn", "score": 0.6,
        "classification": "violence", "explanation": TEXT,
    }),
    "nemo check": (vendors.guards_from_nemo, {"status": "blocked", "content": TEXT, "rail": "self check input"}),
    "guardrails ai": (vendors.guards_from_guardrails_ai, {
        "validation_passed": True, "raw_llm_output": TEXT, "validated_output": TEXT + "!", "reask": None,
        "validation_summaries": [{"validator_name": "ToxicLanguage", "validator_status": "fail", "failure_reason": TEXT,
                                  "error_spans": [{"start": 0, "end": 1, "reason": TEXT}]}],
    }),
    "litellm": (vendors.guards_from_litellm, {
        "status": "failure", "error_information": {"error_class": "HTTPException", "error_message": TEXT},
        "guardrail_information": [{
            "guardrail_name": "cf", "guardrail_mode": "pre_call", "guardrail_status": "guardrail_intervened",
            "guardrail_response": [{"type": "blocked_word", "keyword": TEXT, "action": "BLOCK"}],
            "match_details": [{"snippet": TEXT}],
        }],
    }),
}  # fmt: skip
"""By a name: the function that reads it, and an answer."""
