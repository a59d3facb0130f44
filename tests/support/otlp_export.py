"""Canonical events as OTLP: under the names of the conventions where there are any, else under our own.

The names are those of the table that reads them, turned round, so that a field without a name is an error here.
"""

import json

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from schemas.fields import NANO
from streams.dialects.otlp.tables.aliases import OWN, RESOURCE, TABLE

TENANT = "tenant.id"
_OWN = {said: key for key, said in OWN.items()}
RENAMED = {"user_pseudo_id": "user_id", "step_kind": "operation", "operation_name": "operation"}
_OF_THE_SPAN = {"event_id", "event_type", "source", "time_unix_nano", "duration_ms", "trace_id", "guards"}
GUARD_NAMES = {"guard_name": "guard_name", "guard_provider": "guard_provider", "policy_id": "guard_policy",
          "policy_version": "guard_policy_version", "policy_rule_id": "guard_rule", "reason": "guard_reason",
          "native_result_type": "guard_result_type", "native_result_value": "guard_result_value"}  # fmt: skip
ERROR = 2


def request_of(events):
    """Return one request with the span of each event, in their order: a resource is named again where it changes."""
    request, last, scope = ExportTraceServiceRequest(), None, None
    for event in events:
        resource = tuple((name, event[name]) for name in RESOURCE if name in event and ("own", name) not in _OWN)
        key = (*resource, event["source"])
        if key != last:
            last, scope = key, _scope(request, resource, event["source"])
        _span(scope.spans, event)
    return request


def _scope(request, resource, source):
    group = request.resource_spans.add()
    for name, value in resource:
        _put(group.resource.attributes, RESOURCE[name][0], value)
    scope = group.scope_spans.add()
    scope.scope.name = source
    return scope


def ids_of(event):
    """Return trace and span id of an event, as many bytes as OTLP wants."""
    return bytes.fromhex(event["trace_id"].zfill(32)), bytes.fromhex(event["event_id"][:16])


def _span(spans, event):
    trace_id, span_id = ids_of(event)
    end = event["time_unix_nano"]
    start = end - round(event.get("duration_ms", 0) * NANO / 1000)
    span = spans.add(trace_id=trace_id, span_id=span_id, name="event", kind=3, start_time_unix_nano=start,
                     end_time_unix_nano=end)  # fmt: skip
    if "error" in (event.get("outcome"), event.get("status")):
        span.status.code = ERROR
    for name, value in event.items():
        if name not in _OF_THE_SPAN and (name not in RESOURCE or ("own", name) in _OWN):
            _put(span.attributes, *_named(name, value))
    for guard in event.get("guards", ()):
        told = span.events.add(name="gen_ai.guardrail.result", time_unix_nano=end)
        for name, value in guard.items():
            known = GUARD_NAMES.get(name)
            _put(told.attributes, _first(known)[0] if known else _OWN["own_guard", name], value)


def _named(name, value):
    """Return attribute and value of a field."""
    if name == "tenant_id":
        return TENANT, value
    if ("own", name) in _OWN:
        return _OWN["own", name], value
    key, reader = _first(RENAMED.get(name, name))
    return key, value / 1000 if reader == "seconds" else value


def _first(field):
    """Return the name that comes first for a field, and how it is read."""
    entry = TABLE["fields"][field]
    source = entry["from"][0]
    return (source["key"], source.get("as", entry["as"])) if isinstance(source, dict) else (source, entry["as"])


def _put(attributes, key, value):
    _fill(attributes.add(key=key).value, value)


def _fill(into, value):
    if isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, str):
        into.string_value = value
    elif isinstance(value, int):
        into.int_value = value
    elif isinstance(value, float):
        into.double_value = value
    elif all(isinstance(item, str) for item in value):
        for item in value:
            _fill(into.array_value.values.add(), item)
    else:
        into.string_value = json.dumps(value)
