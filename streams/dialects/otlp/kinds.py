"""What a span is, told by its operation, its span kind, or by what its attributes are about."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from streams.dialects.otlp.records import Record, Span
from streams.dialects.otlp.tables.aliases import TABLE
from streams.dialects.otlp.tables.readers import plain
from streams.dialects.otlp.tables.words import NO_ROLE, OPERATIONS, SPAN_KINDS, Role

STEPS: Final = {
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
    "plan": "plan",
    "memory": "memory",
    "handoff": "handoff",
    "mcp": "mcp",
}
"""The kind of step that a role becomes."""

RAW_REQUEST: Final = "raw_gen_ai_request"
"""LiteLLM's copy of what it sent and got; in some settings the only span of a call."""

_MCP: Final = Role("mcp", "mcp")
_TOOL: Final = Role("tool", "execute_tool")
_NO_GUARDS: Final = ("dialog", "generation")
"""Rails of NeMo that answer and do not judge."""
_CHAT: Final = Role("call", "chat")
_EVIDENCE: Final = ("usage_input_tokens", "usage_output_tokens", "finish_reasons", "response_id", "provider_name")


def role_of(span: Span, fields: Mapping[str, Any]) -> Role:
    """Return what a span is; without a role it only ties others together.

    Parameters
    ----------
    span
        For its name and scope.
    fields
        As `said_of` reads them.
    """
    if role := _by_method(fields.get("mcp_method")):
        return role
    if span.name == RAW_REQUEST:
        return Role("call", "chat" if "finish_reasons" in fields else "")
    role = _by_operation(str(fields.get("operation", ""))) or SPAN_KINDS.get(fields.get("span_kind", ""))
    if role is None:
        return _by_contents(span, fields)
    if role.name == "agent" and fields.get("agent_name") is None and "span_kind" not in fields:
        return Role("workflow", "invoke_workflow")  # the run as a whole: an agent has a name
    if role.name == "tool" and plain(span.name).startswith("handoff_to"):
        return Role("handoff", "handoff")
    return role


def _by_method(method: str | None) -> Role | None:
    if method is None:
        return None
    return _TOOL if method == "tools/call" else _MCP


@lru_cache(maxsize=1024)
def _by_operation(operation: str) -> Role | None:
    word = plain(operation)
    return OPERATIONS.get(word) or OPERATIONS.get(word.split("_")[0] if word.startswith("ai.") else "")


def _by_contents(span: Span, fields: Mapping[str, Any]) -> Role:
    if "guard_name" in fields:
        return NO_ROLE if fields.get("rail_type") in _NO_GUARDS else Role("guard", "apply_guardrail")
    if "evaluation_name" in fields:
        return Role("evaluation", "evaluation")
    if "operation" in fields or "span_kind" in fields:
        return NO_ROLE  # says that it is something of a kind that nobody here knows
    model = "request_model" in fields or "response_model" in fields
    if model and any(name in fields for name in _EVIDENCE):
        return _CHAT
    return _TOOL if "tool_name" in fields else NO_ROLE


def dialect_of(record: Record) -> str:
    """Return the dialect that a record speaks, as the table has it; `otlp` where nothing tells."""
    sdk = record.origin.resource.get("telemetry.sdk.name")
    return _dialect(record.origin.scope, tuple(record.attributes), sdk if isinstance(sdk, str) else "")


@lru_cache(maxsize=1024)
def _dialect(scope: str, keys: tuple[str, ...], sdk: str) -> str:
    for dialect in TABLE["dialects"]:
        starts = tuple(dialect["attributes"])
        if (
            scope.startswith(tuple(dialect["scopes"]))
            or any(key.startswith(starts) for key in keys)
            or (dialect.get("sdk") and sdk == dialect["sdk"])
        ):
            return str(dialect["name"])
    return "otlp"
