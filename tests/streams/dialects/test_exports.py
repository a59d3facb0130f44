"""Exports of Langfuse, LangSmith and Bedrock, as their documentation shows them."""

import base64
import json

import pytest

from streams.dialects.registry import dialect_of
from streams.intake.explain import A_PSEUDONYM, Explained

GENERATION = {
    "id": "o-1", "traceId": "t-1", "type": "GENERATION", "name": "answer", "startTime": "2026-02-02T02:40:00.000Z",
    "endTime": "2026-02-02T02:40:01.500Z", "model": "gpt-4o", "level": "DEFAULT", "latency": 1.5,
    "timeToFirstToken": 0.25, "environment": "production", "parentObservationId": "o-0", "input": "a", "output": "b",
    "usageDetails": {"input": 100, "output": 50, "input_cached_tokens": 20, "output_reasoning_tokens": 30},
    "costDetails": {"total": 0.01},
}  # fmt: skip
RUN = {
    "id": "r-1", "run_type": "llm", "name": "ChatOpenAI", "session_id": "project-uuid", "session_name": "assistant",
    "trace_id": "t-1", "start_time": "2026-02-02T02:40:00", "end_time": "2026-02-02T02:40:02", "status": "success",
    "first_token_time": "2026-02-02T02:40:00.5", "prompt_tokens": 10, "completion_tokens": 5, "total_cost": "0.002",
    "extra": {"metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o", "thread_id": "thread-7"}},
    "outputs": {"generations": [[{"text": "secret", "message": {"kwargs": {"response_metadata": {
        "model_name": "gpt-4o-2024-08-06", "finish_reason": "stop"}}}}]]},
}  # fmt: skip
INVOCATION = {
    "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-02-02T02:40:00Z", "requestId": "q-1",
    "operation": "Converse", "modelId": "us.anthropic.claude-sonnet-4-20250514-v1:0", "accountId": "1",
    "input": {"inputBodyJson": {"messages": []}, "inputTokenCount": 35, "cacheReadInputTokenCount": 100},
    "output": {"outputTokenCount": 446, "outputBodyJson": {
        "stopReason": "end_turn", "metrics": {"latencyMs": 3640}, "usage": {"inputTokens": 35, "outputTokens": 446}}},
    "requestMetadata": {"traceId": "t-1", "session_id": "s-1", "service": "assistant"},
}  # fmt: skip


def made(record, name):
    """Return the only event of a record that is in the dialect of that name, and the translation."""
    dialect = dialect_of(record)
    assert dialect.name == name
    translation = dialect.translate(record)
    [event] = translation.events
    return event, translation


def test_langfuse_counts_cached_and_reasoning_tokens_apart_and_ours_hold_them():
    """Seconds become milliseconds, and tokens have one meaning: input with cached, output with reasoning ones."""
    event, translation = made(GENERATION, "langfuse")
    assert (event["usage_input_tokens"], event["usage_cache_read_input_tokens"]) == (120, 20)
    assert (event["usage_output_tokens"], event["usage_reasoning_output_tokens"]) == (80, 30)
    assert (event["duration_ms"], event["time_to_first_chunk_ms"]) == (1500.0, 250.0)
    assert event["time_unix_nano"] == 1_770_000_000_000_000_000
    assert translation.dropped == ("input", "output")


def test_langfuses_two_spellings_are_one():
    """The export to blob storage has other names and times without a zone, and gives the same event."""
    export = {
        "id": "o-1", "trace_id": "t-1", "type": "GENERATION", "start_time": "2026-02-02 02:40:00.000000",
        "end_time": "2026-02-02 02:40:01.500000", "provided_model_name": "gpt-4o", "level": "DEFAULT",
        "time_to_first_token": 0.25, "environment": "production", "parent_observation_id": "o-0", "total_cost": 0.01,
        "usage_details": GENERATION["usageDetails"], "session_id": "s-1", "user_id": "u-1",
    }  # fmt: skip
    event, translation = made(export, "langfuse")
    api, _ = made(GENERATION, "langfuse")
    assert {name: value for name, value in event.items() if name not in ("session_id", "user_pseudo_id")} == api
    assert (event["session_id"], event["user_pseudo_id"]) == ("s-1", "u-1")
    assert "no zone" in translation.warnings[0]


def test_a_trace_gives_its_session_to_everything_in_it():
    """A page of traces is opened: wrappers are no events, calls and tools have the session and user of their trace."""
    shared = {"traceId": "t-1", "name": "search", "level": "ERROR", "startTime": "2026-02-02T02:40:00Z"}
    tool = shared | {"id": "o-2", "type": "TOOL"}
    span = tool | {"id": "o-0", "type": "SPAN"}
    page = {"data": [{"id": "t-1", "sessionId": "s-1", "userId": "u-1", "observations": [span, GENERATION, tool]}]}
    translation = dialect_of(page).translate(page)
    assert [event["event_type"].split(".")[2] for event in translation.events] == ["inference", "agent_step"]
    assert {(event["session_id"], event["user_pseudo_id"]) for event in translation.events} == {("s-1", "u-1")}
    assert translation.events[1]["status"] == "error"
    assert any("SPAN" in warning for warning in translation.warnings)


def test_a_failed_generation_has_an_error_and_no_answering_model():
    """Its status text is people's and stays behind."""
    event, translation = made(GENERATION | {"level": "ERROR", "statusMessage": "for jane@example.com"}, "langfuse")
    assert (event["outcome"], event.get("response_model")) == ("error", None)
    assert "statusMessage" in translation.dropped


@pytest.mark.parametrize(
    ("name", "given", "verdict"),
    [
        ("jailbreak", {"value": 1, "dataType": "BOOLEAN"}, "flag"),
        ("jailbreak", {"value": 0, "dataType": "BOOLEAN"}, "allow"),
        ("toxicity", {"value": 0.93, "dataType": "NUMERIC"}, "unknown"),
        ("my own", {"value": 1, "dataType": "BOOLEAN"}, "unknown"),
    ],
)
def test_a_score_is_a_verdict_only_where_it_says_what_is_bad(name, given, verdict):
    """A boolean about a known hazard decides; a number without threshold or a name of one's own does not."""
    about = {"id": "s", "traceId": "t-1", "observationId": "o-1", "timestamp": "2026-02-02T02:40:03Z"}
    event, translation = made(about | {"name": name} | given, "langfuse")
    assert event["guard"]["verdict"] == verdict
    assert bool(translation.warnings) == (verdict == "unknown")
    assert event["target_event_id"] == made(GENERATION, "langfuse")[0]["event_id"]


def test_what_users_say_is_no_verdict_of_a_guard():
    """A score of feedback makes no event and says where it belongs."""
    score = {"id": "s", "traceId": "t", "name": "user-feedback", "value": 0, "timestamp": "2026-02-02T02:40:03Z"}
    translation = dialect_of(score).translate(score)
    assert translation.events == ()
    assert "review label" in translation.warnings[0]


def test_langsmiths_project_is_no_session():
    """The session is the thread of the metadata; without one the trace stands for it, with a warning."""
    event, translation = made(RUN, "langsmith")
    assert (event["session_id"], event["service_name"], event["trace_id"]) == ("thread-7", "assistant", "t-1")
    assert "session_id (the project)" in translation.dropped
    lone, translation = made(RUN | {"extra": {}}, "langsmith")
    assert "session_id" not in lone
    assert any("project" in warning for warning in translation.warnings)


def test_a_run_has_its_models_tokens_and_times():
    """What the libraries put at several places is found, and a cost that is text is a number."""
    event, _ = made(RUN, "langsmith")
    assert (event["request_model"], event["response_model"]) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert (event["usage_input_tokens"], event["cost_usd"]) == (10, 0.002)
    assert (event["duration_ms"], event["time_to_first_chunk_ms"]) == (2000.0, 500.0)
    assert "secret" not in json.dumps(event)


def test_an_address_of_a_user_is_never_printed():
    """What `explain` prints says that a pseudonym will stand for it, and not which address that was."""
    extra = {"metadata": {"user_id": "ann@example.org"}}
    _, translation = made(RUN | {"extra": extra}, "langsmith")
    printed = Explained(1, translation, ()).plain()
    assert printed["events"][0]["user_pseudo_id"] == A_PSEUDONYM
    assert "ann" not in json.dumps(printed)


def test_a_failed_run_names_its_error_without_its_text():
    """The class of the error is kept, what it says is not."""
    event, _ = made(RUN | {"status": "error", "error": "RateLimitError('key of jane')", "outputs": None}, "langsmith")
    assert (event["outcome"], event["error_type"]) == ("error", "RateLimitError")
    step, _ = made(RUN | {"run_type": "tool", "name": "search", "error": "it broke"}, "langsmith")
    assert (step["step_kind"], step["status"], step["error_type"]) == ("execute_tool", "error", "_OTHER")


def test_a_chain_counts_nothing_twice():
    """Runs that hold others repeat their tokens; no event is made of them."""
    translation = dialect_of(RUN).translate(RUN | {"run_type": "chain"})
    assert translation.events == ()


def test_bedrocks_invocation_counts_cached_tokens_as_input():
    """Its cached tokens stand beside the input; ours include them. The native id of the model stays."""
    event, translation = made(INVOCATION, "bedrock")
    assert (event["usage_input_tokens"], event["usage_cache_read_input_tokens"]) == (135, 100)
    assert event["request_model"] == "us.anthropic.claude-sonnet-4-20250514-v1:0"
    assert (event["session_id"], event["service_name"], event["duration_ms"]) == ("s-1", "assistant", 3640.0)
    assert "output.outputBodyJson" in translation.dropped


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"stopReason": "guardrail_intervened"}, "blocked"),
        ({"stop_reason": "refusal"}, "refused"),
        ({"results": [{"completionReason": "CONTENT_FILTERED"}]}, "filtered"),
        ({"amazon-bedrock-guardrailAction": "INTERVENED"}, "blocked"),
        ([{"contentBlockDelta": {}}, {"messageStop": {"stopReason": "content_filtered"}}], "filtered"),
        (base64.b64encode(b'{"stop_reason": "refusal"}').decode(), "refused"),
        ("not base64", "completed"),
    ],
)
def test_bedrocks_bodies_tell_how_it_ended(body, outcome):
    """Whole, in parts of a stream, in base64, in the words of each model."""
    event, _ = made(INVOCATION | {"output": {"outputBodyJson": body}}, "bedrock")
    assert event["outcome"] == outcome


def test_a_failed_invocation_is_an_error():
    """Its code is the error's type; embeddings are no chat."""
    failed = {"errorCode": "ThrottlingException", "modelId": "amazon.titan-embed-text-v2:0", "output": {}}
    event, _ = made(INVOCATION | failed, "bedrock")
    assert (event["outcome"], event["error_type"]) == ("error", "ThrottlingException")
    assert event["operation_name"] == "embeddings"
