"""Bare answers of guards and providers: known by their shape, and read as what happened."""

import json

import pytest

from streams.dialects.registry import dialect_of
from tests.schemas.vendors.natives import CASES, TEXT

CALLS = {"bedrock converse", "azure openai", "azure 400", "openai refusal", "anthropic refusal", "gemini"}
OTHERS = {"litellm": "litellm", "openlit": "none"}
OBJECTS = {name: answer for name, (_, answer) in CASES.items() if isinstance(answer, dict)}


def made(record):
    dialect = dialect_of(record)
    return dialect.name, dialect.translate(record)


@pytest.mark.parametrize("name", [name for name in OBJECTS if name not in OTHERS])
def test_an_answer_is_known_and_read_as_its_function_reads_it(name):
    """Its dialect is found by its shape, and its guards are those that the vendor's function gives."""
    read, answer = CASES[name]
    dialect, translation = made(answer)
    assert dialect == ("provider" if name in CALLS else "guard")
    results = [(one.guard_name, one.verdict) for one in read(answer)]
    if name in CALLS:
        found = translation.events[0].get("guards", [])
    else:
        found = [event["guard"] for event in translation.events]
    assert [(one["guard_name"], one.get("verdict")) for one in found] == results
    assert TEXT not in json.dumps(translation.events)


@pytest.mark.parametrize(
    ("record", "outcome", "tokens"),
    [
        ({"choices": [{"finish_reason": "stop", "message": {"refusal": "no", "content": None}}]}, "refused", None),
        (
            {"choices": [{"finish_reason": "content_filter", "message": {}}], "usage": {"prompt_tokens": 7}},
            "filtered",
            7,
        ),
        (
            {"object": "response", "output": [{"content": [{"type": "refusal"}]}], "usage": {"input_tokens": 7}},
            "refused",
            7,
        ),
        ({"type": "message", "stop_reason": "refusal"}, "refused", None),
        ({"stop_reason": "end_turn", "usage": {"input_tokens": 5, "cache_read_input_tokens": 90}}, "completed", 95),
        ({"candidates": [{"finishReason": "SAFETY"}], "usageMetadata": {"promptTokenCount": 7}}, "filtered", 7),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "filtered", None),
        ({"stopReason": "guardrail_intervened", "usage": {"inputTokens": 5, "cacheReadInputTokens": 2}}, "blocked", 7),
        ({"error": {"code": "content_filter", "message": "m"}}, "filtered", None),
    ],
)
def test_a_providers_answer_is_a_call_that_ended_so(record, outcome, tokens):
    """Refusals, filters and blocks are told apart, and tokens have one meaning: input with what was cached."""
    dialect, translation = made(record)
    [event] = translation.events
    assert (dialect, event["outcome"], event.get("usage_input_tokens")) == ("provider", outcome, tokens)
    assert translation.warnings


def test_rails_without_the_rest_of_their_log_are_read():
    """What NeMo lists as activated is enough."""
    rails = [{"type": "input", "name": "self check input", "decisions": ["refuse to respond", "stop"], "stop": True}]
    _, translation = made({"activated_rails": rails})
    assert [event["guard"]["action"] for event in translation.events] == ["blocked"]
