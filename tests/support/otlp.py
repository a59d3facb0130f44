"""Recorded OTLP, spans made by hand, and what events come to."""

import base64
import gzip
import json
from collections import Counter
from pathlib import Path

import yaml

from streams.dialects.otlp import Span, gunzip, read_proto
from streams.dialects.otlp.records import Origin

RECORDED = Path(__file__).parents[1] / "streams/dialects/otlp/recorded"
NAMES = sorted(path.parent.name for path in RECORDED.glob("*/truth.json"))
START = 1_790_000_000_000_000_000
MS = 1_000_000
_TOKENS = {
    "input_tokens": "usage_input_tokens",
    "output_tokens": "usage_output_tokens",
    "cached_tokens": "usage_cache_read_input_tokens",
    "reasoning_tokens": "usage_reasoning_output_tokens",
}


def requests(name):
    """Yield signal and body of each request of a recording."""
    for line in gzip.decompress((RECORDED / name / "otlp.jsonl.gz").read_bytes()).splitlines():
        request = json.loads(line)
        body = base64.b64decode(request["body"])
        if request["content-encoding"] == "gzip":
            body = gunzip(body, 10_000_000)
        yield request["path"].rsplit("/", 1)[-1], body


def records(name):
    """Return all records of a recording, in the order in which they were sent."""
    return [record for signal, body in requests(name) for record in read_proto(body, signal)]


def truth(name):
    """Return the scenarios of a recording, each with what was counted."""
    return json.loads((RECORDED / name / "truth.json").read_text())


def unsaid(name):
    """Return what the spans of a recording do not say."""
    return yaml.safe_load((RECORDED / "unsaid.yaml").read_text())[name]


def counted(events):
    """Return what events say was done, in the words of `truth.json`."""
    sums = Counter()
    for event in events:
        kind = event["event_type"].split(".")[2]
        if kind == "inference":
            sums += _call(event)
        sums["tools_run"] += event.get("step_kind") == "execute_tool"
        sums["tools_failed"] += event.get("step_kind") == "execute_tool" and event["status"] == "error"
        sums["handoffs"] += event.get("step_kind") == "handoff"
        sums["retrievals"] += kind == "retrieval"
        sums["guardrail_trips"] += sum(guard.get("verdict") == "block" for guard in results(event))
    return +sums


def _call(event):
    sums = Counter({name: event.get(field, 0) for name, field in _TOKENS.items()})
    outcome, answered = event.get("outcome"), event.get("finish_reason_norm") == "content_filter"
    sums["calls"] = 1
    sums["refusals"] = outcome == "refused"
    sums["blocked"] = outcome == "blocked"
    sums["filtered_finish"] = outcome == "filtered" and answered
    sums["failed"] = outcome == "error" or (outcome == "filtered" and not answered)
    judged = event.get("operation_name") == "moderation"
    sums["moderation_flagged"] = judged and any(guard.get("verdict") == "flag" for guard in results(event))
    return sums


def results(event):
    """Return the results of guards in an event."""
    return event.get("guards", []) + ([event["guard"]] if "guard" in event else [])


def span(span_id, parent_id="", *, trace="a" * 32, start=0, end=10, name="", scope="test", host="one", **given):
    """Return a span; attributes by name with `__` for a dot, times in milliseconds."""
    status = given.pop("status", 0)
    message = given.pop("status_message", "")
    attributes = given.pop("attributes", {}) | {key.replace("__", "."): value for key, value in given.items()}
    origin = Origin({"service.name": "shop", "service.instance.id": host}, scope)
    times = (START + start * MS, START + end * MS)
    return Span(trace, span_id, parent_id, name, 1, *times, status, message, 0, attributes, [], [], origin)
