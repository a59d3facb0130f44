"""Guards of every vendor: their native answers become results of the contract, with the native words beside ours.

Each function is pure, takes an answer as it came (an SDK's object or its JSON) and returns a list of
`schemas.guards.GuardResult` for the `guards` of an event. No text that a guard was shown or that it matched is in what
is returned. A code that we do not know is kept by its name under `content.x_oth`. What has another shape raises
`ValueError`, which says where and what.
"""

from .libraries.agents import guards_from_openai_agents, guards_from_openai_guardrails
from .libraries.judges import guards_from_granite_guardian, guards_from_shield_gemma
from .libraries.lakera import guards_from_lakera
from .libraries.litellm import guards_from_litellm
from .libraries.meta import guards_from_llama_guard, guards_from_llamafirewall, guards_from_prompt_guard
from .libraries.openlit import guards_from_openlit
from .libraries.rails import guards_from_guardrails_ai, guards_from_nemo
from .libraries.scanners import guards_from_llm_guard, guards_from_presidio
from .providers.anthropic import guards_from_anthropic
from .providers.azure import guards_from_azure_content_safety, guards_from_azure_openai, guards_from_prompt_shields
from .providers.bedrock import guards_from_bedrock
from .providers.google import guards_from_gemini, guards_from_model_armor
from .providers.openai import guards_from_openai, guards_from_openai_moderation

__all__ = [
    "guards_from_anthropic",
    "guards_from_azure_content_safety",
    "guards_from_azure_openai",
    "guards_from_bedrock",
    "guards_from_gemini",
    "guards_from_granite_guardian",
    "guards_from_guardrails_ai",
    "guards_from_lakera",
    "guards_from_litellm",
    "guards_from_llama_guard",
    "guards_from_llamafirewall",
    "guards_from_llm_guard",
    "guards_from_model_armor",
    "guards_from_nemo",
    "guards_from_openai",
    "guards_from_openai_agents",
    "guards_from_openai_guardrails",
    "guards_from_openai_moderation",
    "guards_from_openlit",
    "guards_from_presidio",
    "guards_from_prompt_guard",
    "guards_from_prompt_shields",
    "guards_from_shield_gemma",
]
