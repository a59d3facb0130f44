"""The receiver as a process: what it answers with 200 is in Kafka, one record a trace, keyed as the Collector does."""

import base64
import gzip
import json
import os
import subprocess
import sys
import zlib

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from schemas.topics import OTLP_LOGS, OTLP_SPANS
from streams.audit.log import of
from streams.kafka.topics import create_topics
from streams.settings import load
from tests.faults.log import log
from tests.support.audit import entries
from tests.support.receiver import PROTOBUF, TOKEN, ReceiverProcess, trace_id, trace_request
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def receiver(broker, tmp_path_factory):
    """A running receiver that wants a token."""
    settings = load(kafka=broker, topic_prefix="receiver.", data_dir=tmp_path_factory.mktemp("receiver"))
    create_topics(settings)
    running = ReceiverProcess(settings, OTLP_TOKEN=TOKEN).start()
    yield running
    assert running.stop() == 0


def kept(receiver, trace, topic=OTLP_SPANS, request=ExportTraceServiceRequest):
    """Return the partitions of a trace's records, and the names of its items."""
    key = trace_id(trace).hex().encode()
    found = [
        (partition, request.FromString(record.value))
        for partition, records in log(receiver.settings, topic).items() for record in records if record.key == key
    ]  # fmt: skip
    return {partition for partition, _ in found}, [each for _, each in found]


def names(requests):
    """Return the names of all spans."""
    return [
        span.name for each in requests for inner in each.resource_spans for s in inner.scope_spans for span in s.spans
    ]


PACKED = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}


@pytest.mark.parametrize("encoding", PACKED)
def test_protobuf_is_kept_by_trace(receiver, encoding):
    """Two traces of one request are two records, each with all its spans; a second request lands beside the first."""
    first = 100 + 10 * list(PACKED).index(encoding)
    request = trace_request([(first, 1, "a"), (first + 1, 2, "b"), (first, 3, "c")])
    headers = {"Content-Encoding": encoding}
    for _ in range(2):
        answer = receiver.post(PACKED[encoding](request.SerializeToString()), **headers)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == PROTOBUF
        assert not ExportTraceServiceResponse.FromString(answer.content).HasField("partial_success")
    partitions, found = kept(receiver, first)
    assert (len(partitions), names(found)) == (1, ["a", "c"] * 2)
    assert names(kept(receiver, first + 1)[1]) == ["b", "b"]


def test_json_is_kept_as_protobuf(receiver):
    """Hexadecimal ids, integers as text and nested values come out as the same message in protobuf."""
    span = {
        "traceId": trace_id(200).hex(), "spanId": "00000000000000ff", "name": "json", "kind": 3,
        "startTimeUnixNano": "1770000000000000000", "someday": {"a": 1},
        "attributes": [{"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
                       {"key": "raw", "value": {"bytesValue": base64.b64encode(b"\xff\x00").decode()}},
                       {"key": "traceId", "value": {"stringValue": "no hex"}}],
        "links": [{"traceId": trace_id(201).hex(), "spanId": "00000000000000aa"}],
    }  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    answer = receiver.post(json.dumps(body), content_type="application/json; charset=utf-8")
    assert (answer.status_code, answer.json()) == (200, {})
    [found] = kept(receiver, 200)[1]
    got = found.resource_spans[0].scope_spans[0].spans[0]
    assert (got.span_id.hex(), got.kind, got.start_time_unix_nano) == ("00000000000000ff", 3, 1770000000000000000)
    assert [each.value.WhichOneof("value") for each in got.attributes] == ["int_value", "bytes_value", "string_value"]
    assert (got.attributes[0].value.int_value, got.attributes[1].value.bytes_value) == (12, b"\xff\x00")
    assert got.links[0].trace_id == trace_id(201)


def test_logs_go_to_the_partition_of_their_trace(receiver):
    """Spans and log records of one trace lie in partitions of the same number, where one worker reads both."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for trace in range(300, 320):
        scope.log_records.add(trace_id=trace_id(trace), event_name="gen_ai.choice")
        assert receiver.post(trace_request([(trace, 1, "s")]).SerializeToString()).ok
    answer = receiver.post(request.SerializeToString(), "logs")
    assert not ExportLogsServiceResponse.FromString(answer.content).HasField("partial_success")
    places = [
        (kept(receiver, trace)[0], kept(receiver, trace, OTLP_LOGS, ExportLogsServiceRequest)[0])
        for trace in range(300, 320)
    ]
    assert all(spans == logs and len(spans) == 1 for spans, logs in places)
    assert len({number for spans, _ in places for number in spans}) > 1


def test_metrics_are_taken_and_not_kept(receiver):
    """What SDKs send beside is answered as they expect it, whatever it is, and counted."""
    assert receiver.post(b"\x0a\x00", "metrics").status_code == 200
    assert receiver.post(b"{}", "metrics", "application/json").json() == {}
    assert 'watchkeeper_otlp_items_total{signal="metrics",what="discarded"} 2' in receiver.metrics()


def test_a_part_that_cannot_be_kept_is_told_of(receiver):
    """The good spans are kept, and the answer counts the others with the reason."""
    request = trace_request([(400, 1, "good"), (0, 2, "bad")])
    answer = ExportTraceServiceResponse.FromString(receiver.post(request.SerializeToString()).content)
    assert answer.partial_success.rejected_spans == 1
    assert "trace id" in answer.partial_success.error_message
    assert names(kept(receiver, 400)[1]) == ["good"]


def test_who_is_refused_is_in_the_audit_log(receiver):
    """With the address and the answer; what is taken is not, for it is too much."""
    audit = of(receiver.settings)
    assert receiver.post(b"", token="another").status_code == 401  # noqa: S106
    wait_until(lambda: audit.end()[0] >= 2)
    assert {(each["kind"], each["door"], each["address"], each["status"]) for each in entries(audit)[1:]} == {
        ("refused", "otlp", "127.0.0.1", 401)
    }


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"HOST": "0.0.0.0"}, "WATCHKEEPER_OTLP_TOKEN"),
        ({"TOPIC_PREFIX": "none."}, "watchkeeper topics create"),
        ({"KAFKA": "127.0.0.1:1"}, "no Kafka broker answers"),
    ],
)
def test_a_wrong_start_is_refused_with_what_mends_it(receiver, environment, message):
    """An open door without a token, missing topics and an absent broker each end the command with one line."""
    given = {f"WATCHKEEPER_{name}": value for name, value in environment.items()} | {"WATCHKEEPER_OTLP_PORT": "0"}
    lacking = {name: value for name, value in receiver.environment.items() if name != "WATCHKEEPER_OTLP_TOKEN"}
    done = subprocess.run(
        [sys.executable, "-m", "streams", "receiver"], env=os.environ | lacking | given,
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode in {os.EX_CONFIG, os.EX_UNAVAILABLE}
    assert message in done.stderr
    assert "Traceback" not in done.stderr
