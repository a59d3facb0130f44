"""Langfuse's words in ours, and its two ways to spell a field."""

import re
from typing import Any, Final

NAME: Final = "langfuse"
KINDS: Final[dict[str, tuple[str | None, str | None]]] = {
    "GENERATION": ("inference", "chat"),
    "EMBEDDING": ("inference", "embeddings"),
    "TOOL": ("agent_step", "execute_tool"),
    "AGENT": ("agent_step", "invoke_agent"),
    "RETRIEVER": ("retrieval", None),
    "GUARDRAIL": ("guard_verdict", None),
    "SPAN": (None, None),
    "EVENT": (None, None),
    "CHAIN": (None, None),
    "EVALUATOR": (None, None),
}
"""By type of an observation: the kind of event, and what it does."""

CATEGORIES: Final = {
    "toxicity": "content.x_hrs",
    "harassment": "content.x_hrs",
    "hate": "content.hte",
    "violence": "content.vcr",
    "jailbreak": "sec.jailbreak",
    "prompt injection": "sec.prompt_injection.direct",
    "pii": "sec.data_leakage.pii",
    "hallucination": "qual.ungrounded",
    "groundedness": "qual.ungrounded",
    "faithfulness": "qual.ungrounded",
    "relevance": "qual.irrelevant",
    "bias": "qual.bias",
    "refusal": "qual.refusal",
}
"""By name of a score, without case, hyphens and underscores."""

FEEDBACK: Final = ("feedback", "thumbs", "rating", "satisfaction")
"""In the names of scores that users give: labels of reviews, not verdicts of guards."""

_UPPER: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


def either(item: dict[str, Any], name: str) -> Any:
    """Return a field, as the API spells it or as the export does.

    >>> either({"trace_id": "t"}, "traceId"), either({"traceId": "t"}, "traceId")
    ('t', 't')
    """
    found = item.get(name)
    return item.get(_UPPER.sub(r"_\1", name).lower()) if found is None else found
