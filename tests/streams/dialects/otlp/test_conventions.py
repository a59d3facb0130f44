"""Spans in the words of conventions of which there is no recording: each as its emitter's source writes them."""

import json

import pytest

from streams.dialects.otlp import LogRecord
from streams.dialects.otlp.records import SpanEvent
from tests.support.otlp import START, counted, span, told

A, B, C, D = (digit * 16 for digit in "abcd")


def only(*spans):
    (event,) = told(*spans)
    return event


CALLS = {
    "semantic conventions up to 1.36": {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1",
        "gen_ai.usage.prompt_tokens": 12,
        "gen_ai.usage.completion_tokens": 3,
        "gen_ai.response.finish_reasons": ["stop"],
    },
    "current, cache written": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.cache_write.input_tokens": 4,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.response.finish_reasons": ["stop"],
    },
    "openinference": {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.model_name": "m-1",
        "llm.invocation_parameters": '{"model": "m"}',
        "llm.token_count.prompt": 12,
        "llm.token_count.completion": 3,
        "llm.finish_reason": "end_turn",
    },
    "openllmetry before semantic conventions": {
        "llm.request.type": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1",
        "gen_ai.usage.prompt_tokens": 12,
        "gen_ai.usage.completion_tokens": 3,
        "llm.usage.total_tokens": 15,
        "gen_ai.completion.0.finish_reason": "stop",
    },
    "vercel ai sdk": {
        "operation.name": "ai.generateText.doGenerate shop",
        "ai.model.provider": "openai",
        "ai.model.id": "m",
        "ai.response.model": "m-1",
        "ai.usage.inputTokens": 12,
        "ai.usage.outputTokens": 3,
        "ai.response.finishReason": "stop",
    },
    "langfuse": {
        "langfuse.observation.type": "generation",
        "langfuse.observation.provider": "openai",
        "langfuse.observation.model.name": "m",
        "gen_ai.response.model": "m-1",
        "langfuse.observation.usage_details": '{"input": 12, "output": 3}',
        "gen_ai.response.finish_reasons": '["stop"]',
    },
    "mlflow": {
        "mlflow.spanType": '"CHAT_MODEL"',
        "gen_ai.system": "openai",
        "gen_ai.request.model": '"m"',
        "gen_ai.response.model": "m-1",
        "mlflow.chat.tokenUsage": '{"input_tokens": 12, "output_tokens": 3, "total_tokens": 15}',
        "mlflow.spanOutputs": '{"choices": [{"finish_reason": "stop"}]}',
    },
    "logfire": {
        "gen_ai.system": "openai",
        "request_data": '{"model": "m", "messages": []}',
        "response_data": '{"model": "m-1", "usage": {"prompt_tokens": 12, "completion_tokens": 3},'
        ' "choices": [{"finish_reason": "stop"}]}',
    },
    "vllm": {
        "gen_ai.system": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1",
        "gen_ai.usage.prompt_tokens": 12,
        "gen_ai.usage.completion_tokens": 3,
        "gen_ai.response.finish_reasons": "stop",
    },
    "bedrock, cache apart": {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1",
        "gen_ai.usage.input_tokens": 2,
        "gen_ai.usage.cache_read_input_tokens": 10,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.total_tokens": 15,
        "gen_ai.response.finish_reasons": ["end_turn"],
    },
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_the_same_call_in_every_dialect(name):
    """Provider, models, tokens, finish reason and outcome come out alike."""
    event = only(span(A, attributes=CALLS[name]))
    assert event["operation_name"] == "chat"
    assert (event["provider_name"], event["request_model"], event["response_model"]) == ("openai", "m", "m-1")
    assert (event["usage_input_tokens"], event["usage_output_tokens"]) == (12, 3)
    assert (event["finish_reason_norm"], event["outcome"]) == ("stop", "completed")


ENDINGS = [
    ({"gen_ai.response.finish_reasons": ["SAFETY"]}, "filtered"),
    ({"gen_ai.response.finish_reasons": ["content_filtered"]}, "filtered"),
    ({"ai.response.finishReason": "content-filter"}, "filtered"),
    ({"gen_ai.response.finish_reasons": ["guardrail_intervened"]}, "blocked"),
    ({"llm.finish_reason": "refusal"}, "refused"),
    (
        {"gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "refusal", "content": "No."}]}]'},
        "refused",
    ),
    ({"output.value": '{"output": [{"content": [{"type": "refusal", "refusal": "No."}]}]}'}, "refused"),
    ({"output.value": '{"incomplete_details": {"reason": "content_filter"}}'}, "filtered"),
    ({"gen_ai.response.finish_reasons": ["incomplete"]}, "unknown"),
    ({"gen_ai.response.finish_reasons": ["stop", "refusal"]}, "refused"),
]


@pytest.mark.parametrize(("attributes", "outcome"), ENDINGS)
def test_filters_refusals_and_blocks_are_told_apart(attributes, outcome):
    """Whatever word says it, the outcome is one of ours."""
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    assert only(span(A, attributes=call | attributes))["outcome"] == outcome


ERRORS = [
    ("BadRequestError", "Error code: 400 - {'error': {'code': 'content_filter'}}", "filtered"),
    ("ModelRequestRejectedError", "triggering our content management policy", "filtered"),
    ("InputGuardrailTripwireTriggered", "", "blocked"),
    ("CancelledError", "", "cancelled"),
    ("RateLimitError", "Error code: 429", "error"),
]


@pytest.mark.parametrize(("kind", "message", "outcome"), ERRORS)
def test_an_error_that_is_a_filter_a_block_or_a_stop_is_told_as_that(kind, message, outcome):
    """The type of an error is kept, and its message, which may hold text, is not."""
    failed = span(A, status=2, status_message=message, gen_ai__operation__name="chat", error__type=kind)
    event = only(failed)
    assert (event["outcome"], event["error_type"]) == (outcome, kind)
    assert not message or message not in json.dumps(event)


def test_an_agent_never_repeats_the_usage_of_its_calls():
    """Strands and pydantic-ai write the sum of the calls on the agent: it is counted once."""
    usage = {"gen_ai.usage.input_tokens": 12, "gen_ai.usage.prompt_tokens": 12, "gen_ai.usage.output_tokens": 3}
    agent = span(A, end=20, attributes=usage | {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "shop"})
    chat = span(B, A, attributes=usage | {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
    events = told(agent, chat)
    assert counted(events) | {"failed": 0} == {"calls": 1, "input_tokens": 12, "output_tokens": 3, "failed": 0}
    assert next(event for event in events if "usage_input_tokens" in event)["agent_name"] == "shop"


def test_a_finish_reason_in_an_event_of_the_span_is_read():
    """Strands says it in `gen_ai.choice`, and under its newest switch in the details of the operation."""
    for event in (
        SpanEvent("gen_ai.choice", START, {"finish_reason": "content_filtered", "message": "[]"}),
        SpanEvent(
            "gen_ai.client.inference.operation.details",
            START,
            {"gen_ai.output.messages": '[{"role": "assistant", "parts": [], "finish_reason": "content_filtered"}]'},
        ),
    ):
        chat = span(A, gen_ai__operation__name="chat", gen_ai__system="strands-agents", gen_ai__request__model="m")
        chat.events.append(event)
        assert only(chat)["outcome"] == "filtered"


def test_a_wrapper_around_several_calls_is_none_of_them():
    """What wraps an attempt and its repetition is no third call."""
    chat = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    outer = span(A, end=50, attributes=chat | {"gen_ai.usage.input_tokens": 5})
    failed = span(B, A, end=20, status=2, attributes=chat)
    answered = span(C, A, start=21, end=50, attributes=chat | {"gen_ai.usage.input_tokens": 5})
    assert counted(told(outer, failed, answered)) == {"calls": 2, "failed": 1, "input_tokens": 5}


def test_two_instrumentations_of_one_call_are_one_call_also_where_they_are_no_relatives():
    """The inner one stands for it; what only the outer one says is added."""
    chat = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    inner = span(A, trace="1" * 32, start=1, end=9, scope="sdk", attributes=chat | {"gen_ai.usage.output_tokens": 3})
    outer = span(B, trace="2" * 32, start=0, end=10, scope="wrap", attributes=chat | {"gen_ai.response.id": "r"})
    for order in ((inner, outer), (outer, inner)):
        event = only(*order)
        assert (event["span_id"], event["usage_output_tokens"], event["response_id"]) == (A, 3, "r")
    beside = span(B, trace="2" * 32, start=8, end=40, scope="wrap", attributes=chat)
    assert len(told(inner, beside)) == 2


def test_a_span_that_prepares_a_call_is_none():
    """LlamaIndex has a span of kind LLM for putting the call together, beside the one of the call."""
    kind = {"openinference.span.kind": "LLM", "llm.model_name": "m"}
    outer = span(A, end=50, attributes=kind)
    prepared = span(B, A, end=2, attributes=kind | {"output.value": '{"tools": []}'})
    made = span(C, A, start=2, end=50, attributes=kind | {"llm.token_count.prompt": 5})
    assert counted(told(outer, prepared, made)) == {"calls": 1, "input_tokens": 5}


def test_an_agent_seen_twice_is_one_run_and_making_one_is_none():
    """LangGraph's run of an agent is a span of the agent and one of its graph; to create an agent is no step of it."""
    run = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "shop"}
    graph, tool = span(B, A, end=19, attributes=run), span(C, B, attributes=TOOLS[0][0])
    created = span(D, trace="d" * 32, attributes={"gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "shop"})
    steps = {event["step_kind"]: event for event in told(span(A, end=20, attributes=run), graph, tool, created)}
    assert sorted(steps) == ["execute_tool", "invoke_agent"]
    assert (steps["execute_tool"]["depth"], steps["execute_tool"]["agent_name"]) == (1, "shop")


def test_a_search_inside_of_a_search_is_one_search():
    """LlamaIndex has a span for the retriever and one for its implementation."""
    documents = {"retrieval.documents.0.document.id": "d", "retrieval.documents.0.document.score": 0.5}
    outer = span(A, end=20, attributes=documents | {"openinference.span.kind": "RETRIEVER"})
    inner = span(B, A, attributes=documents | {"openinference.span.kind": "RETRIEVER", "input.value": "refunds?"})
    event = only(outer, inner)
    assert event["documents"] == [{"id": "d", "score": 0.5}]
    assert (event["returned_count"], event["query_chars"]) == (1, 8)


TOOLS = [
    ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.status": "error"}, "error"),
    ({"traceloop.span.kind": "tool", "traceloop.entity.name": "search", "gen_ai.task.status": "failure"}, "error"),
    ({"openinference.span.kind": "TOOL", "tool.name": "search", "output.value": "done"}, "ok"),
    ({"operation.name": "ai.toolCall", "ai.toolCall.name": "search", "ai.toolCall.args": "{}"}, "ok"),
    ({"mcp.method.name": "tools/call", "gen_ai.tool.name": "search"}, "ok"),
]


@pytest.mark.parametrize(("attributes", "status"), TOOLS)
def test_a_tool_is_a_step_in_every_dialect(attributes, status):
    """Name and success of a tool come out alike."""
    event = only(span(A, attributes=attributes))
    assert (event["step_kind"], event["tool_name"], event["status"]) == ("execute_tool", "search", status)


def test_details_of_an_operation_stand_alone_where_its_span_is_not_sent():
    """Content can be sent apart from traces: the call is told from the log record, under the id of its span."""
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 7}
    origin = span(A).origin
    log = LogRecord("a" * 32, A, START, "gen_ai.client.inference.operation.details", None, said, origin)
    (event,) = told(logs=[log])
    (both,) = told(span(A, attributes=said), logs=[log])
    assert event["event_id"] == both["event_id"]
    assert (event["usage_input_tokens"], "duration_ms" in event, "duration_ms" in both) == (7, False, True)


def test_details_without_any_id_are_a_call_with_an_id_of_its_own():
    """OpenLIT ends a streamed call's span before it tells the details: they stand outside of any trace."""
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.response.id": "r"}
    chat = span(A, attributes=said)
    log = LogRecord("", "", START + 5_000_000, "gen_ai.client.inference.operation.details", None, said, chat.origin)
    (event,) = told(logs=[log])
    assert event["event_id"]
    (both,) = told(chat, logs=[log])
    assert both["span_id"] == A


@pytest.mark.parametrize(
    ("said", "action", "items"),
    [
        ({"gen_ai.operation.name": "update_memory", "gen_ai.memory.record.id": "m1"}, "write", ["m1"]),
        ({"gen_ai.operation.name": "delete_memory", "gen_ai.memory.record.id": ["m1", "m2"]}, "delete", ["m1", "m2"]),
        ({"gen_ai.operation.name": "search_memory", "gen_ai.memory.records": '[{"id": "m1", "content": "secret"}, {}]'},
         "read", ["m1"]),
        ({"gen_ai.operation.name": "create_memory_store"}, None, None),
        ({"gen_ai.operation.name": "search_memory", "watchkeeper.memory_ids": ["own"]}, "read", ["own"]),
    ],
)  # fmt: skip
def test_items_of_a_memory_are_told_by_their_ids(said, action, items):
    """What was read, written or deleted of which store is known; what it holds goes no further."""
    event = only(span(A, attributes=said | {"gen_ai.memory.store.id": "notes"}))
    assert (event["step_kind"], event["memory_store"]) == ("memory", "notes")
    assert (event.get("memory_action"), event.get("memory_ids")) == (action, items)
    assert "secret" not in json.dumps(event)
