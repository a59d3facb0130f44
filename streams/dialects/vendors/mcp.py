"""MCP's messages of a tool call: JSON-RPC, where a tool that failed answers with a result that says `isError`."""

from typing import Any, Final

import msgspec

from schemas.identity import identity
from streams.dialects.building import event
from streams.dialects.translation import Translation
from streams.dialects.values import at, first, mapping, nano, number, text, told

NAME: Final = "mcp"
CALL: Final = "tools/call"

_ALONE: Final = (
    "a message alone names no service and no session; send a step with both, or spans of the MCP conventions"
)


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record is a call of a tool, or its answer."""
    answered = isinstance(at(record, "result.isError"), bool) or isinstance(at(record, "result.content"), list)
    failed = "jsonrpc" in record and isinstance(record.get("error"), dict)
    return record.get("method") == CALL or answered or failed


def translate(record: dict[str, Any]) -> Translation:
    """Return the step; a call without its answer has a status that nobody knows yet."""
    error, result = mapping(record.get("error")), mapping(record.get("result"))
    wrong = result.get("isError") is True
    status = "error" if wrong or error else "ok" if result else "unknown"
    step = event(
        "agent_step", NAME, (identity(msgspec.json.encode(record, order="sorted").decode()),),
        time_unix_nano=nano(first(record.get("time_unix_nano"), record.get("timestamp"))),
        step_kind="execute_tool", tool_protocol="mcp", tool_name=text(at(record, "params.name")),
        tool_call_id=text(record.get("id")), status=status,
        error_type="tool_error" if wrong else text(error.get("code")), duration_ms=number(record.get("duration_ms")),
    )  # fmt: skip
    dropped = told(record, ("params.arguments", "result.content", "result.structuredContent", "error.message"))
    return Translation(NAME, (step,), dropped, (_ALONE,))
