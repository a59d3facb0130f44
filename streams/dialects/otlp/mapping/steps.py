"""Spans of agents, tools, plans, hand-overs and MCP, read into the fields of an `AgentStep`."""

from typing import Any, Final

import msgspec

from schemas.events import AgentStep
from streams.dialects.otlp.kinds import STEPS
from streams.dialects.otlp.rules import Rules
from streams.dialects.otlp.tables.aliases import Said, text_of
from streams.dialects.otlp.tables.own import own_fields
from streams.dialects.otlp.tables.readers import plain
from streams.dialects.otlp.tables.words import Role

FIELDS: Final = frozenset({
    "agent_name", "agent_id", "agent_version", "workflow_name", "tool_name", "tool_type", "tool_call_id", "tool_server",
    "tool_protocol",
})  # fmt: skip
_MEMORY: Final = {"search_memory": "read", "create_memory": "write", "update_memory": "write", "upsert_memory": "write",
                  "delete_memory": "delete"}  # fmt: skip
"""What an operation does with the items of a memory."""
_FAILED: Final = ("error", "failure", "failed")
_ENTITY: Final = {"agent": "agent_name", "workflow": "workflow_name", "tool": "tool_name"}
"""The field that a span's own name fills where no attribute does."""


def step_fields(role: Role, said: Said, name: str, rules: Rules) -> dict[str, Any]:
    """Return the fields of a step; arguments and results are measured and go no further.

    Parameters
    ----------
    role
        What the span is.
    said
        By the span.
    name
        Of the span.
    rules
        How texts are hashed.
    """
    fields = said.fields
    found = {field: value for field, value in fields.items() if field in FIELDS} | {"step_kind": STEPS[role.name]}
    if (field := _ENTITY.get(role.name)) and field not in found:
        found[field] = fields.get("entity_name") or _named(name)
    if role.name == "tool":
        found |= _measured(said, rules)
    elif role.name == "mcp":
        found["labels"] = {"mcp.method.name": fields["mcp_method"]}
    elif role.name == "memory":
        found |= _remembered(fields)
    elif role.name == "handoff" and (target := fields.get("handoff_to")):
        found["agent_name"] = target
    found["status"] = "error" if fields.get("tool_status") in _FAILED else "ok"
    return {field: value for field, value in found.items() if value} | own_fields(fields, AgentStep)


def _remembered(fields: dict[str, Any]) -> dict[str, Any]:
    """Return which items of a memory a span is about, and what it did; of records it holds their ids alone.

    >>> _remembered({"operation": "search_memory", "memory_records": [{"id": "m1", "content": "x"}, {"content": "y"}]})
    {'memory_action': 'read', 'memory_store': None, 'memory_ids': ['m1']}
    """
    records = [str(one["id"])[:256] for one in fields.get("memory_records") or () if one.get("id")]
    return {
        "memory_action": _MEMORY.get(plain(str(fields.get("operation", "")))),
        "memory_store": fields.get("memory_store"),
        "memory_ids": [one[:256] for one in fields.get("memory_ids") or records],
    }


def _named(name: str) -> str:
    """Return what a span's name says beside its operation.

    >>> _named("execute_tool get_weather"), _named("MCP send tools/call get_weather"), _named("search.tool")
    ('get_weather', 'get_weather', 'search')
    """
    for start in ("MCP send ", "tools/call ", "execute_tool ", "invoke_agent ", "running tool: ", "Tool: "):
        name = name.removeprefix(start)
    return name.removesuffix(".tool").removesuffix(".agent").removesuffix(".workflow")[:256]


def _measured(said: Said, rules: Rules) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for side, field in (("arguments", "args"), ("result", "result")):
        if (value := text_of(said, side)) is not None:
            text = value if isinstance(value, str) else as_text(value)
            found |= {f"{field}_hash": rules.hashed(text), f"{field}_bytes": len(text.encode("utf-8", "replace"))}
    return found


def as_text(value: Any) -> str:
    """Return one text for a structured value, the same for the same value."""
    return msgspec.json.encode(value, order="deterministic").decode("utf-8", "replace")
