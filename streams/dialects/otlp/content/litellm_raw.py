"""LiteLLM's `raw_gen_ai_request`: a provider's answer as attributes `llm.<provider>.*`, in Python's notation."""

from typing import Any, Final

from streams.dialects.otlp.content.raw_answers import ending_of
from streams.dialects.otlp.kinds import RAW_REQUEST
from streams.dialects.otlp.records import Attributes, Span
from streams.dialects.otlp.tables.readers import structure

_RENAMED: Final = {
    "id": "gen_ai.response.id",
    "model": "gen_ai.response.model",
    "user": "gen_ai.user",
    "stop_reason": "gen_ai.response.stop_reason",
}
_COUNTS: Final = {
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "input_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "total_tokens": "gen_ai.usage.total_tokens",
    "cache_read_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_creation_input_tokens": "gen_ai.usage.cache_creation.input_tokens",
}
_DETAILS: Final = {
    ("prompt_tokens_details", "cached_tokens"): "gen_ai.usage.cache_read.input_tokens",
    ("input_tokens_details", "cached_tokens"): "gen_ai.usage.cache_read.input_tokens",
    ("completion_tokens_details", "reasoning_tokens"): "gen_ai.usage.reasoning_tokens",
    ("output_tokens_details", "reasoning_tokens"): "gen_ai.usage.reasoning_tokens",
}
_ANSWERS: Final = ("choices", "content", "output")


def unrolled(span: Span) -> Attributes:
    """Return the attributes of a span, those of a raw request under the names that others use.

    Parameters
    ----------
    span
        Any; one of another name keeps its attributes as they are.
    """
    if span.name != RAW_REQUEST:
        return span.attributes
    found: Attributes = {}
    for key, value in span.attributes.items():
        start, _, rest = key.partition(".")
        provider, _, name = rest.partition(".")
        if start == "llm" and name:
            if provider != "None":
                found["gen_ai.provider.name"] = provider
            _take(name, value, found)
    return found


def _take(name: str, value: Any, found: Attributes) -> None:
    if name in _RENAMED:
        found[_RENAMED[name]] = value
    elif name in _ANSWERS:
        answer = structure(value)
        found["gen_ai.output.messages"] = answer
        if reasons := ending_of(answer).reasons:
            found["gen_ai.response.finish_reasons"] = reasons
    elif name == "messages":
        found["gen_ai.input.messages"] = structure(value)
    elif name == "usage":
        _count(structure(value), found)


def _count(usage: Any, found: Attributes) -> None:
    if not isinstance(usage, dict):
        return
    found |= {ours: usage[theirs] for theirs, ours in _COUNTS.items() if usage.get(theirs) is not None}
    for (part, name), ours in _DETAILS.items():
        details = usage.get(part)
        if isinstance(details, dict) and details.get(name) is not None:
            found[ours] = details[name]
