"""How fast `otlp_proto` becomes canonical events, as a share of what plain protobuf parsing of the same bytes takes.

Run: python -m tests.benchmarks.bench_otlp [--spans N]

Two kinds of message: calls alone, one a trace, 16 attributes each, in batches of 512 as exporters send them; and
requests of a service with an agent, of which four spans in nine are of GenAI.
"""

import argparse
import time

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from streams.dialects.otlp import Traces, read_proto

BATCH = 512
START = 1_790_000_000_000_000_000
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.request.max_tokens": 400,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.cache_read.input_tokens": 64,
    "server.address": "api.example.org",
    "server.port": 443,
    "openai.response.service_tier": "default",
    "gen_ai.output.type": "text",
}
HTTP = {
    "http.request.method": "POST",
    "url.path": "/chat",
    "http.route": "/chat",
    "http.response.status_code": 200,
    "network.protocol.version": "1.1",
    "server.address": "shop",
    "server.port": 80,
    "user_agent.original": "browser",
}


def value(of):
    """Return an attribute's value as protobuf has it."""
    if isinstance(of, list):
        return AnyValue(array_value={"values": [value(item) for item in of]})
    return AnyValue(**{{str: "string_value", int: "int_value", float: "double_value"}[type(of)]: of})


def add(spans, trace, number, parent, name, attributes):
    """Add a span to a message."""
    made = spans.add(trace_id=trace, span_id=number.to_bytes(8, "big"), parent_span_id=parent, name=name, kind=3)
    made.start_time_unix_nano, made.end_time_unix_nano = START + number * 1000, START + number * 1000 + 900_000_000
    made.attributes.extend(KeyValue(key=key, value=value(of)) for key, of in attributes.items())
    return made.span_id


def call(number):
    """Return the attributes of a call."""
    return CALL | {
        "gen_ai.response.id": f"chatcmpl-{number:09d}",
        "gen_ai.usage.input_tokens": 100 + number % 900,
        "gen_ai.usage.output_tokens": 10 + number % 300,
        "session.id": f"session-{number // 4:07d}",
    }


def calls(count):
    """Return messages of calls alone."""
    return _messages(
        count, 1, lambda spans, trace, number: add(spans, trace, number, b"", "chat gpt-4o-mini", call(number))
    )


def requests(count):
    """Return messages of requests: a server, its database, an agent with two calls and a tool."""

    def one(spans, trace, number):
        root = (number + 8).to_bytes(8, "big")
        agent = (number + 7).to_bytes(8, "big")
        for step in range(4):
            add(spans, trace, number + step, root, "SELECT", HTTP)
        for step in (4, 5):
            add(spans, trace, number + step, agent, "chat gpt-4o-mini", call(number + step))
        tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.id": "c"}
        add(spans, trace, number + 6, agent, "execute_tool search", tool)
        invoked = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "shop"}
        add(spans, trace, number + 7, root, "invoke_agent shop", invoked)
        add(spans, trace, number + 8, b"", "POST /chat", HTTP | {"session.id": f"session-{number:07d}"})

    return _messages(count, 9, one)


def _messages(count, size, put):
    made = []
    for start in range(1, count, BATCH):
        message = TracesData()
        group = message.resource_spans.add()
        group.resource.attributes.extend(
            KeyValue(key=key, value=value(of))
            for key, of in {"service.name": "shop", "service.version": "1.4.2"}.items()
        )
        scoped = group.scope_spans.add()
        scoped.scope.name = "opentelemetry.instrumentation.openai_v2"
        for number in range(start, min(start + BATCH, count), size):
            put(scoped.spans, number.to_bytes(16, "big"), number)
        made.append(message.SerializeToString())
    return made


def seconds(work, repeats=3):
    """Return the least processor time of several runs."""
    least = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        least = min(least, time.process_time() - start)
    return least


def canonical(messages):
    """Read, assemble, translate and encode."""
    traces, encode = Traces(), msgspec.json.Encoder().encode
    written = 0
    for moment, message in enumerate(messages):
        for event in traces.add(read_proto(message, "traces"), moment):
            written += len(encode(event))
    for event in traces.close():
        written += len(encode(event))
    return written


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=20_000)
    count = parser.parse_args().spans
    print(f"{'messages':10} {'parse':>9} {'read':>9} {'canonical':>10}  us a span   share of parsing's throughput")
    for name, messages in (("calls", calls(count)), ("requests", requests(count))):
        spans = sum(
            len(scoped.spans)
            for m in messages
            for g in TracesData.FromString(m).resource_spans
            for scoped in g.scope_spans
        )
        parse = seconds(lambda m=messages: [TracesData.FromString(one) for one in m])
        read = seconds(lambda m=messages: [read_proto(one, "traces") for one in m])
        whole = seconds(lambda m=messages: canonical(m))
        per = [1e6 * took / spans for took in (parse, read, whole)]
        print(f"{name:10} {per[0]:9.2f} {per[1]:9.2f} {per[2]:10.2f}  {spans} spans   {parse / whole:.3f}")


if __name__ == "__main__":
    main()
