"""One model under many names: the rules by which the ids of providers, gateways and clouds come to one.

An event keeps the id as it came; what it *counts* under is this one. A date that is part of a name stays, because it
says which model it was; `latest` and `default` say nothing and go. A name that its owner gave (`model_version`) is
never touched.
"""

import re
from functools import lru_cache
from typing import Final

VERSION: Final = "2"
"""Of the rules; raised when a name would come to another one than before."""

ROUTES: Final = frozenset((
    "openai", "azure", "azure_ai", "azure_openai", "anthropic", "bedrock", "bedrock_converse", "converse", "invoke",
    "vertex_ai", "vertex", "gemini", "google", "google_ai_studio", "models", "openrouter", "together_ai", "together",
    "groq", "fireworks_ai", "deepinfra", "mistral", "mistralai", "cohere", "ollama", "ollama_chat", "huggingface",
    "litellm_proxy", "sagemaker", "perplexity", "xai", "deepseek", "meta-llama", "replicate", "nvidia_nim",
    "hosted_vllm", "databricks", "watsonx", "text-completion-openai",
))  # fmt: skip
"""First parts of a path that say who is asked, or by which way."""

REGIONS: Final = ("us", "eu", "apac", "global", "us-gov", "jp", "au", "ca", "sa", "me", "uk")
"""Before a dot: where a cross-region profile of Bedrock answers from."""

MAKERS: Final = (
    "anthropic", "amazon", "meta", "mistral", "cohere", "ai21", "deepseek", "openai", "qwen", "stability", "writer",
    "twelvelabs", "google", "nvidia", "moonshot", "minimax",
)  # fmt: skip
"""Before a dot: who made a model of Bedrock."""

_ARN: Final = re.compile(r"^arn:[^/]*(?::|/)(?:[a-z-]+/)*([^/]+)$")
_PATH: Final = re.compile(r"^(?:projects/.*|publishers/[^/]+)/models/")
_REGION: Final = re.compile(rf"^(?:{'|'.join(REGIONS)}|global-standard|[a-z]{{2}}(?:-gov)?-[a-z]+-\d)/(?=.)")
_PLACE: Final = re.compile(rf"^(?:(?:{'|'.join(REGIONS)})\.)?(?:{'|'.join(MAKERS)})\.(?=.)")
_REVISION: Final = re.compile(r"(?<=-\d{8})-v\d+(?::\d+k?)*$|(?<=-v\d)(?::\d+k?)+$")
_DATE: Final = re.compile(r"@(?=\d)")
_VAGUE: Final = re.compile(r"[-@:](?:latest|default)$")


@lru_cache(maxsize=4_096)
def canonical_model(name: str) -> str:
    """Return the name that a model counts under.

    >>> canonical_model("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0")
    'claude-sonnet-4-20250514'
    >>> canonical_model("bedrock/eu-west-1/anthropic.claude-3-haiku-20240307-v1:0:48k")
    'claude-3-haiku-20240307'
    >>> canonical_model("vertex_ai/claude-sonnet-4@20250514"), canonical_model("openai/gpt-4o-latest")
    ('claude-sonnet-4-20250514', 'gpt-4o')
    >>> canonical_model("gpt-4o-2024-08-06"), canonical_model("latest")
    ('gpt-4o-2024-08-06', 'latest')
    """
    short = name.strip()
    if found := _ARN.match(short):
        short = found[1]
    short = _PATH.sub("", short)
    while "/" in short and short.partition("/")[0].lower() in ROUTES and short.partition("/")[2]:
        short = _REGION.sub("", short.partition("/")[2])
    short = _VAGUE.sub("", _DATE.sub("-", _REVISION.sub("", _PLACE.sub("", short))))
    return short or name
