"""From a node that knows its relatives to an event of the contract."""

from typing import Any, Final

from schemas.events import AgentStep, GuardVerdict, Inference, Retrieval
from schemas.identity import identity
from streams.dialects.otlp.kinds import STEPS
from streams.dialects.otlp.mapping.blocks import fault_by_guards, reconcile
from streams.dialects.otlp.mapping.outcomes import settle_outcome
from streams.dialects.otlp.mapping.usage import settle_usage
from streams.dialects.otlp.nodes import Node
from streams.dialects.translation import Event

_TAGS: Final[dict[type, Any]] = {
    kind: kind.__struct_config__.tag for kind in (Inference, AgentStep, Retrieval, GuardVerdict)
}
_ERROR: Final = 2


def event_id(trace_id: str, span_id: str) -> str:
    """Return the id of the event of a span: the same whenever, wherever and in whatever batch it is read."""
    return f"{trace_id}-{span_id}" if trace_id else span_id


def event_of(node: Node, parent_id: str, depth: int) -> Event | None:
    """Return the event of a span, None for one that becomes no event of its own.

    Parameters
    ----------
    node
        With all that its relatives add.
    parent_id
        Of the span that it lies beneath, among those that became events.
    depth
        Of a step.
    """
    if node.role == "call":
        event = _head(node, Inference, parent_id)
        event.update(_call(node))
        event.update(_tail(node))
        return event
    if node.role in STEPS:
        return _head(node, AgentStep, parent_id) | {"depth": depth} | node.fields | _tail(node)
    if node.role == "retrieval":
        return _head(node, Retrieval, parent_id) | node.fields | _tail(node)
    if node.role == "chain" and not node.parent_id:
        fields = {"step_kind": "invoke_workflow", "status": "error" if node.status == 2 else "ok"} | node.fields
        return _head(node, AgentStep, parent_id) | fields | {"depth": depth} | _tail(node)
    return None


def verdict_of(node: Node, guard: dict[str, Any], target: Node | None, response_id: str = "") -> Event:
    """Return a verdict that travels alone.

    Parameters
    ----------
    node
        The span that reports it, or that it was reported about.
    guard
        The result.
    target
        What was judged, where it is known.
    response_id
        Of the answer that was judged, where that is all that is known.
    """
    event = _head(node, GuardVerdict, node.parent_id)
    own = identity(node.end, node.envelope["service_name"], sorted(guard.items(), key=str))
    event["event_id"] = f"{event['event_id']}-{own[:16]}" if event["event_id"] else own
    event["guard"] = guard
    if target is not None:
        event["target_event_id"] = event_id(target.trace_id, target.span_id)
        response_id = response_id or target.fields.get("response_id", "")
    if response_id:
        event["target_id"] = response_id
    return event


def _head(node: Node, kind: type, parent_id: str) -> Event:
    head: Event = {
        "event_type": _TAGS[kind],
        "event_id": event_id(node.trace_id, node.span_id),
        "time_unix_nano": node.end,
        "ingest_dialect": node.dialect,
        "span_id": node.span_id,
        **node.envelope,
        **node.context,
    }
    head.pop("request_model", None)
    if node.trace_id:
        head["trace_id"] = node.trace_id
    if parent_id:
        head["parent_span_id"] = parent_id
    return head


def _tail(node: Node) -> Event:
    tail: Event = {"duration_ms": (node.end - node.start) / 1e6} if node.start else {}
    if node.guards:
        tail["guards"] = node.guards
    return tail


def _call(node: Node) -> Event:
    fields = dict(node.fields)
    failed = node.status == _ERROR or "error_type" in fields
    settle_usage(fields, node.scope, failed=failed)
    fault = fault_by_guards(node.fault, node.guards, failed=failed)
    settle_outcome(fields, status=node.status, refused=node.refused, fault=fault)
    node.guards = reconcile(fields.get("outcome"), node.guards)
    return fields
