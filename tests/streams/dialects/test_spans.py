"""OTLP told by its shape: documents, bytes of protobuf, and the attributes of a single span."""

import json

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from streams.dialects.registry import UnknownDialectError, dialect_of

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.conversation.id": "c1"}


def made(record):
    dialect = dialect_of(record)
    assert dialect.name == "otlp"
    return dialect.translate(record)


def attributes(values):
    return [{"key": name, "value": {"stringValue": value}} for name, value in values.items()]


def document(**fields):
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "kind": 3, "name": "chat gpt-4o",
        "startTimeUnixNano": "1770000000000000000", "endTimeUnixNano": "1770000001834000000",
        "attributes": attributes(CHAT),
    } | fields  # fmt: skip
    resource = {"attributes": attributes({"service.name": "assistant"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def test_a_document_is_known_and_read():
    """What the Collector writes as otlp_json is a call with its service, ids and milliseconds."""
    [event] = made(document()).events
    assert (event["service_name"], event["conversation_id"], event["duration_ms"]) == ("assistant", "c1", 1834.0)


def test_bytes_are_spans_or_logs_by_what_they_hold():
    """Protobuf does not name itself: spans are known by their starts, all else is logs or an error."""
    message = ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = b"t" * 16, b"s" * 8, "chat"
    span.start_time_unix_nano, span.end_time_unix_nano = 1_770_000_000_000_000_000, 1_770_000_001_000_000_000
    for name, value in CHAT.items():
        span.attributes.add(key=name).value.string_value = value
    [event] = made(message.SerializeToString()).events
    assert (event["request_model"], event["duration_ms"]) == ("gpt-4o", 1000.0)
    logs = ExportLogsServiceRequest()
    log = logs.resource_logs.add().scope_logs.add().log_records.add()
    log.time_unix_nano, log.event_name = 1_770_000_000_000_000_000, "gen_ai.evaluation.result"
    log.attributes.add(key="gen_ai.evaluation.name").value.string_value = "toxicity"
    [verdict] = made(logs.SerializeToString()).events
    assert verdict["event_type"] == "ai.safety.guard_verdict.v1"
    with pytest.raises(ValueError, match="neither JSON nor OTLP"):
        made(b"\n\xff\xff\xff")


def test_attributes_alone_are_a_span():
    """Names of the conventions are enough; different attributes are different events, the same ones the same."""
    first, again, other = (
        made(each).events[0] for each in (CHAT, dict(reversed(CHAT.items())), CHAT | {"error.type": "429"})
    )
    assert (first["request_model"], first["conversation_id"]) == ("gpt-4o", "c1")
    assert first["event_id"] == again["event_id"] != other["event_id"]
    assert (other["outcome"], other["error_type"]) == ("error", "429")


def test_a_failed_span_without_an_operation_is_a_failed_call():
    """A model was asked, so it is a call; the status makes it an error."""
    [event] = made({"gen_ai.request.model": "gpt-4o", "error.type": "429", "status": {"code": 2}}).events
    assert event["outcome"] == "error"


def test_attributes_of_an_event_are_a_verdict():
    """A guardrail's result keeps its native value beside the verdict that is derived from it."""
    [event] = made(
        {
            "gen_ai.guardrail.component.name": "Amazon Bedrock Guardrails", "gen_ai.guardrail.source": "OUTPUT",
            "gen_ai.guardrail.result.type": "action", "gen_ai.guardrail.result.value": "GUARDRAIL_INTERVENED",
        }
    ).events  # fmt: skip
    assert (event["guard"]["layer"], event["guard"]["native_result_value"]) == ("output", "GUARDRAIL_INTERVENED")


def test_what_is_no_genai_makes_no_event_and_says_so():
    """Spans of a web server and metrics are known for what they are, and named."""
    plain = document(attributes=[], name="GET /")
    assert made(plain).events == ()
    assert "none of GenAI" in made(plain).warnings[0]
    assert "metrics" in made({"resourceMetrics": []}).warnings[0]


def test_a_shape_that_nobody_knows_is_told_with_what_is_known():
    """The answer names the keys and the dialects."""
    with pytest.raises(UnknownDialectError, match=r"keys foo; known are canonical, .*otlp"):
        dialect_of({"foo": json.dumps(CHAT)})
