"""One span, or one log record, with all that it says by itself: what is left is to see it among its relatives."""

import re
from typing import Any, Final

from msgspec import Struct, field

from schemas.identity import identity
from streams.dialects.otlp.content.litellm_raw import unrolled
from streams.dialects.otlp.kinds import RAW_REQUEST, STEPS, Role, dialect_of, role_of
from streams.dialects.otlp.mapping.calls import call_fields
from streams.dialects.otlp.mapping.envelope import Emitter, context_of
from streams.dialects.otlp.mapping.extras import Extra, extra_of
from streams.dialects.otlp.mapping.moderations import moderation_fields
from streams.dialects.otlp.mapping.retrievals import retrieval_fields
from streams.dialects.otlp.mapping.steps import step_fields
from streams.dialects.otlp.mapping.verdicts import evaluation_of, guard_of
from streams.dialects.otlp.records import Span
from streams.dialects.otlp.rules import Rules
from streams.dialects.otlp.tables.aliases import Said, first, said_of
from streams.dialects.otlp.tables.readers import text
from streams.dialects.otlp.tables.words import outcome_of_error

_REMOTE: Final = 0x300
"""Flags that say that it is known, and true, that the parent is in another process."""
_ERROR: Final = 2
_REMEMBERED: Final = (
    *("operation_name", "tool_name", "labels", "response_id", "request_model", "response_model"),
    *("agent_name", "workflow_name"),
)
_TRIPPED: Final = re.compile(r"Guardrail tripwire triggered: \{'guardrail': '([^']{1,256})'\}")
_CLASS: Final = re.compile(r"[A-Z]\w{2,80}(?:Error|Exception|Timeout|Exceeded|Triggered)(?=[(:]|$)")


class Node(Struct, kw_only=True, gc=False):
    """A span as it takes its place in a trace.

    Parameters
    ----------
    role
        As `role_of` has it; without one the span only ties others together.
    fields
        Of the event that it becomes; `context` is what spans beneath it take over.
    guards
        Results of guards that the span itself reports.
    fault
        What its error says of the outcome of a call, its own or one beneath it.
    tripped
        A guard that its error names as the one that stopped it.
    reasons_given
        Whether the span's own attributes say how its choices ended.
    copy
        Whether it repeats what a gateway sent and got, under the id that its provider gave.
    done
        `given` once its event has been given out, `merged` once another span has stood for it.
    seen
        Other scopes that saw the same call.
    arrived
        On the clock that `Traces.add` is given.
    """

    trace_id: str
    span_id: str
    parent_id: str
    remote: bool
    role: str
    scope: str
    host: str
    dialect: str
    start: int
    end: int
    status: int
    envelope: dict[str, Any]
    context: dict[str, Any]
    fields: dict[str, Any] = field(default_factory=dict)
    guards: list[dict[str, Any]] = field(default_factory=list)
    refused: bool = False
    fault: str = ""
    tripped: str = ""
    reasons_given: bool = False
    copy: bool = False
    done: str = ""
    arrived: int = 0
    seen: list[str] = field(default_factory=list)

    def slim(self) -> None:
        """Forget what only the event needed; what is left is for spans that come late."""
        self.fields = {name: self.fields[name] for name in _REMEMBERED if name in self.fields}
        self.guards = []


def node_of(span: Span, rules: Rules, emitter: Emitter) -> Node:
    """Return a span as a node.

    Parameters
    ----------
    span
        Of any instrumentation, with attributes of any kind.
    rules
        Whether texts stay, and who a tenant is.
    emitter
        Of the span's origin.
    """
    said = said_of(unrolled(span))
    attributes, fields = said.attributes, said.fields
    role = role_of(span, fields)
    if role.name == "call":
        fields |= moderation_fields(first(attributes, ("output.value", "response_data")))
    node = Node(
        trace_id=span.trace_id,
        span_id=span.span_id or identity(repr(span))[:16],
        parent_id="" if span.parent_span_id == span.span_id else span.parent_span_id,
        remote=span.flags & _REMOTE == _REMOTE,
        role=role.name,
        scope=span.origin.scope,
        host=emitter.host,
        dialect=dialect_of(span) if role.name else "",
        start=span.start_unix_nano,
        end=max(span.end_unix_nano, span.start_unix_nano),
        status=span.status,
        envelope=emitter.envelope,
        context=context_of(fields, rules),
        copy=span.name == RAW_REQUEST,
    )
    if rules.tenant_attribute and (tenant := text(attributes.get(rules.tenant_attribute))):
        node.envelope = {"tenant_id": tenant} | node.envelope
    _fill(node, role, span.name, said, rules)
    _note_error(node, span, fields)
    if not role.name:
        return node
    for event in span.events:
        if extra := extra_of(event.name, event.attributes, None, rules):
            absorb(node, extra)
    _note_guards(node, span, fields)
    return node


def _fill(node: Node, role: Role, name: str, said: Said, rules: Rules) -> None:
    """Read the fields of the event that a span of this role becomes."""
    if role.name == "call":
        node.fields, node.refused = call_fields(role, said, rules)
        node.reasons_given = "finish_reasons" in node.fields
    elif role.name in STEPS:
        node.fields = step_fields(role, said, name, rules)
    elif role.name == "chain":
        node.fields = {"workflow_name": name[:256]}
    elif role.name == "retrieval":
        node.fields = retrieval_fields(said, rules)


def absorb(node: Node, extra: Extra) -> None:
    """Add to a node what an event or a log record says of it; what the span itself says stands.

    Parameters
    ----------
    node
        Of the span that the addition names.
    extra
        As `extra_of` reads it.
    """
    node.guards += [guard for guard in extra.guards if guard not in node.guards]  # two exporters may send one log
    node.fault = node.fault or extra.fault
    if extra.error_type and (node.status == _ERROR or node.role == "call"):
        node.fields.setdefault("error_type", extra.error_type)
    if node.role == "call":
        node.refused = node.refused or extra.refused
        late = "input_hash" in extra.fields and not extra.whole  # messages come in their order: the last one stands
        node.fields |= {name: value for name, value in extra.fields.items() if late or name not in node.fields}
        if extra.reasons and not node.reasons_given:
            node.fields["finish_reasons"] = [*node.fields.get("finish_reasons", ()), *extra.reasons]


def _note_error(node: Node, span: Span, fields: dict[str, Any]) -> None:
    """Keep of an error its type and what it says of the outcome; messages may hold text, and go no further."""
    error = fields.get("error_type", "")
    if span.status != _ERROR and not error:
        return
    message = f"{span.status_message[:4000]} {fields.get('error_message', '')}"
    if not error and (named := _CLASS.match(span.status_message)):
        error = named.group()
    if error and (node.role == "call" or node.role in STEPS):
        node.fields["error_type"] = error.rsplit(".", 1)[-1]
    node.fault = outcome_of_error(error, fields.get("error_code", ""), message) or ""
    if found := _TRIPPED.search(span.status_message):
        node.tripped = found.group(1)
    if "step_kind" in node.fields and "status" not in fields.get("own", ()):
        node.fields["status"] = "error"


def _note_guards(node: Node, span: Span, fields: dict[str, Any]) -> None:
    """Keep the verdict of a guard's own span, or of a guard that reports on the span of a call or a step."""
    took = (node.end - node.start) / 1e6
    if node.role == "guard":
        failed = span.status == _ERROR
        node.guards.append(guard_of(fields, span.name, failed=failed, fault=node.fault, latency_ms=took))
    elif node.role == "evaluation":
        node.guards.append(evaluation_of(fields, span.name))
    elif "guard_name" in fields or "guard_flagged" in fields:
        named = fields.get("guard_name") or ("moderation" if "guard_flagged" in fields else "")
        node.guards.append(guard_of(fields, named, failed=False, fault="", latency_ms=None))
