"""The receiver as a process of its own, requests to it, and what of them is in Kafka."""

import os
import subprocess
import sys
import time

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from streams.local.broker import die_with_parent, free_port
from tests.support.waiting import PATIENCE_SECONDS, wait_until

TOKEN = "t0ken-of-0tlp"  # noqa: S105
PROTOBUF = "application/x-protobuf"


class ReceiverProcess:
    """A receiver on a port of its own."""

    def __init__(self, settings, **environment):
        self.settings, self.port = settings, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = settings.data_dir / "receiver.log"
        given = {"KAFKA": settings.kafka, "TOPIC_PREFIX": settings.topic_prefix, "OTLP_PORT": self.port,
                 "DATA_DIR": settings.data_dir} | environment  # fmt: skip
        self.environment = os.environ | {f"WATCHKEEPER_{name}": str(value) for name, value in given.items()}
        self.process = None

    def start(self):
        """Start, and wait until it is ready."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams", "receiver"], env=self.environment, stdout=log, stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )  # fmt: skip
        wait_until(self.ready)
        return self

    def ready(self):
        """Tell whether it is ready; it must not have ended."""
        assert self.process.poll() is None, self.words()
        try:
            return requests.get(f"{self.url}/ready", timeout=10).ok
        except requests.RequestException:
            return False

    def post(self, body, signal="traces", content_type=PROTOBUF, token=TOKEN, **headers):
        """Return the answer to a body."""
        given = {"Content-Type": content_type} | ({"Authorization": f"Bearer {token}"} if token else {}) | headers
        return requests.post(f"{self.url}/v1/{signal}", body, headers=given, timeout=60)

    def metrics(self):
        """Return its metrics as text."""
        return requests.get(f"{self.url}/metrics", timeout=60).text

    def words(self):
        """Return what it has logged."""
        return self._log.read_text(errors="replace")

    def stop(self):
        """Tell it to stop, and return its status."""
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)


def trace_request(spans, resource=(("service.name", "shop"),)):
    """Return a request with spans, each a trace's number, a span's number and a name, in one scope."""
    request = ExportTraceServiceRequest()
    inner = request.resource_spans.add()
    for key, value in resource:
        attribute = inner.resource.attributes.add(key=key)
        attribute.value.string_value = value
    scope = inner.scope_spans.add()
    scope.scope.name = "tests"
    for trace, number, name in spans:
        scope.spans.add(trace_id=trace_id(trace), span_id=number.to_bytes(8, "big"), name=name)
    return request


def trace_id(number):
    """Return the id of a numbered trace."""
    return number.to_bytes(16, "big")


def attributes(into, **values):
    """Add attributes, whose names have `__` for each dot."""
    for name, value in values.items():
        kind = {str: "string_value", int: "int_value", bool: "bool_value", float: "double_value"}[type(value)]
        setattr(into.attributes.add(key=name.replace("__", ".")).value, kind, value)


def call_span(into, trace, number, parent=0, time_unix_nano=0, **values):
    """Add the span of one call of a model to a scope of a request."""
    end = time_unix_nano or time.time_ns()
    span = into.spans.add(
        trace_id=trace_id(trace), span_id=number.to_bytes(8, "big"), name="chat gpt-4o", kind=3,
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        start_time_unix_nano=end - 10**9, end_time_unix_nano=end,
    )  # fmt: skip
    given = {"gen_ai__operation__name": "chat", "gen_ai__provider__name": "openai", "gen_ai__request__model": "gpt-4o",
             "gen_ai__usage__input_tokens": number, "gen_ai__usage__output_tokens": 1}  # fmt: skip
    attributes(span, **(given | values))
    return span


def calls_request(calls, service="shop"):
    """Return a request of the calls of a service: each the arguments of `call_span` after the first."""
    request = trace_request([], (("service.name", service),))
    for call in calls:
        call_span(request.resource_spans[0].scope_spans[0], **call)
    return request
