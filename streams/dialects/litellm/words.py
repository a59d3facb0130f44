"""LiteLLM's own words in ours: calls, guard hooks, finish reasons, errors. Checked against litellm 1.108.7."""

from typing import Final

OPERATIONS: Final = {
    "completion": "chat",
    "anthropic_messages": "chat",
    "responses": "chat",
    "generate_content": "generate_content",
    "generate_content_stream": "generate_content",
    "text_completion": "text_completion",
    "embedding": "embeddings",
    "rerank": "rerank",
    "moderation": "moderation",
    "image_generation": "image_generation",
    "image_edit": "image_generation",
    "speech": "speech",
    "transcription": "transcription",
    "search": "retrieval",
}
"""By `call_type`; the asynchronous ones have an ``a`` before. Others keep their name."""

PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""By `custom_llm_provider`, in the words of the GenAI conventions; others are the same there."""

LAYERS: Final = {
    "pre_call": "input",
    "during_call": "input",
    "post_call": "output",
    "logging_only": "output",
    "pre_mcp_call": "tool_call",
    "during_mcp_call": "tool_call",
    "post_mcp_call": "tool_result",
    "realtime_input_transcription": "input",
}
"""By `guardrail_mode`: the hook that the guard ran in."""

FINISH_REASONS: Final = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
}

CONTENT_ERRORS: Final = frozenset({"content_filter", "content_policy_violation", "ContentPolicyViolationError"})
"""`error_code` or `error_class` of a prompt that the provider's own filter refused with an HTTP 400."""

GUARD_ERRORS: Final = frozenset(
    {"GuardrailRaisedException", "BlockedPiiEntityError", "GuardrailInterventionNormalStringError"}
)
"""`error_class` of a guard that raised."""

REFUSING_PROVIDERS: Final = frozenset({"anthropic"})
"""Providers whose refusal LiteLLM writes as finish reason `content_filter`."""

BARE: Final = ("allow", "mask")
"""Responses that say only that the hook came to its end; a guard that failed open says the same."""
