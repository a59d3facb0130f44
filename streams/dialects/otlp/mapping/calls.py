"""A span of a model call, read into the fields of an `Inference`."""

from typing import Any, Final

from schemas.events import Inference
from streams.dialects.otlp.content.messages import Message, last_of, messages_of
from streams.dialects.otlp.content.raw_answers import ending_of
from streams.dialects.otlp.rules import MAX_TEXT, Rules
from streams.dialects.otlp.tables.aliases import Said, first, text_of
from streams.dialects.otlp.tables.own import own_fields
from streams.dialects.otlp.tables.words import Role

FIELDS: Final = frozenset({
    "provider_name", "request_model", "response_model", "response_id", "prompt_name", "prompt_version",
    "request_temperature", "request_top_p", "request_max_tokens", "request_stream", "output_type", "finish_reasons",
    "usage_input_tokens", "usage_output_tokens", "usage_cache_read_input_tokens", "usage_cache_write_input_tokens",
    "usage_reasoning_output_tokens", "usage_total_tokens", "cost_usd", "time_to_first_chunk_ms", "agent_name",
    "agent_version", "workflow_name",
})  # fmt: skip
"""Of the alias table those that an `Inference` has under the same name; a total helps to read its parts."""

_ANSWERS: Final = (
    "output.value",
    "response_data",
    "langfuse.observation.output",
    "mlflow.spanOutputs",
    "ai.response.object",
)
"""Attributes that may hold a provider's whole answer, and with it how it ended."""


def call_fields(role: Role, said: Said, rules: Rules) -> tuple[dict[str, Any], bool]:
    """Return the fields of a call, and whether its messages hold a refusal.

    Parameters
    ----------
    role
        Names the operation.
    said
        By the span: its messages are measured here, and go no further.
    rules
        Whether texts stay.
    """
    attributes, fields = said.attributes, said.fields
    found: dict[str, Any] = {name: value for name, value in fields.items() if name in FIELDS}
    if role.operation:
        judges = "guard_flagged" in fields or "moderation" in found.get("request_model", "")
        found["operation_name"] = "moderation" if judges else role.operation
    answer = messages_of(said, "output")
    found |= measured(messages_of(said, "input"), answer, _system(said), rules)
    refused = any(message.refusal for message in answer)
    if raw := first(attributes, _ANSWERS):
        ending = ending_of(raw)
        refused = refused or ending.refusal
        if ending.reasons and _says_more(ending.reasons, found):
            found["finish_reasons"] = list(dict.fromkeys(ending.reasons))
    if reasons := [message.finish_reason for message in answer if message.finish_reason]:
        found.setdefault("finish_reasons", reasons)
    found |= own_fields(fields, Inference)
    return found, refused


def _says_more(reasons: list[str], found: dict[str, Any]) -> bool:
    return "finish_reasons" not in found


def measured(asked: list[Message], answer: list[Message], system: str, rules: Rules) -> dict[str, Any]:
    """Return length and hash of what the user said last, of the answer and of the instructions."""
    found: dict[str, Any] = {}
    if not asked and not answer and not system:
        return found
    texts = {
        "input": last_of(asked, "user") or (asked[-1].text if asked else ""),
        "output": "".join(message.text for message in answer if message.role != "user"),
        "system": last_of(asked, "system") or system,
    }
    for name, text in texts.items():
        if text:
            found[f"{name}_hash"] = rules.hashed(text)
            if name != "system":
                found[f"{name}_chars"] = len(text)
                found |= {f"{name}_text": text[:MAX_TEXT]} if rules.keep_text else {}
    if found:
        found["capture_mode"] = "full" if rules.keep_text else "hashed"
    return found


def _system(said: Said) -> str:
    value = text_of(said, "system")
    return value if isinstance(value, str) else ""
