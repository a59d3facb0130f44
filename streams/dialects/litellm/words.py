"""LiteLLM's own words in ours: calls, providers, errors. Checked against litellm 1.108.7."""

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

CONTENT_ERRORS: Final = frozenset({"content_filter", "content_policy_violation", "ContentPolicyViolationError"})
"""`error_code` or `error_class` of a prompt that the provider's own filter refused with an HTTP 400."""

LIMIT_ERRORS: Final = {"ProxyRateLimitError": "rate_limit", "BudgetExceededError": "budget"}
"""`error_class` of calls that a limit of LiteLLM itself turned away, with our word for the limit."""

LIMIT_TYPES: Final = {
    "requests": "rate_limit", "tokens": "rate_limit", "budget": "budget", "max_parallel_requests": "concurrency",
}  # fmt: skip
"""`error_rate_limit_type`, which newer versions say beside it."""

REFUSING_PROVIDERS: Final = frozenset({"anthropic"})
"""Providers whose refusal LiteLLM writes as finish reason `content_filter`."""
