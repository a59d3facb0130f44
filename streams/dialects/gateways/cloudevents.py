"""CloudEvents in structured mode: events of ours, and the audit log of AgentMesh (Microsoft's agent governance)."""

from collections.abc import Callable
from typing import Any, Final

from streams.dialects.building import event, times
from streams.dialects.translation import Event, Translation
from streams.dialects.values import at, first, mapping, number, present, text, told

NAME: Final = "cloudevents"
OURS: Final = "ai.safety."
MESH: Final = "ai.agentmesh."
SEVERITIES: Final = {"low": 1, "medium": 2, "high": 3, "critical": 4}
VERDICTS: Final = {
    **dict.fromkeys(("allow", "allowed", "permit", "permitted"), ("allow", "none")),
    **dict.fromkeys(("deny", "denied", "block", "blocked"), ("block", "blocked")),
    **dict.fromkeys(("warn", "warned", "audit", "log", "logged", "alerted"), ("flag", "none")),
    **dict.fromkeys(("escalate", "escalated", "require_approval"), ("escalate", "escalated")),
    **dict.fromkeys(("redact", "redacted", "sanitized"), ("redact", "redacted")),
}
"""Of a policy's decision and of what was done: verdict and action."""

_UNKNOWN: Final = "no event is made of CloudEvents of type {kind!r}; it says nothing about a call, a step or a verdict"


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record has the attributes that every CloudEvent has."""
    return all(isinstance(record.get(name), str) for name in ("specversion", "type", "source", "id"))


def translate(record: dict[str, Any]) -> Translation:
    """Return the event it carries, if it is one of ours, or what happened to an agent's tool or policy."""
    kind, data = record["type"], mapping(record.get("data"))
    if kind.startswith(OURS):
        carried = {"event_type": kind, "event_id": record["id"], "source": record["source"]}
        return Translation(NAME, (carried | data,))
    make = _MAKERS.get(kind.removeprefix(MESH)) if kind.startswith(MESH) else None
    if make is None:
        return Translation(NAME, (), ("data",) if data else (), (_UNKNOWN.format(kind=kind),))
    [when], warnings = times(record.get("time"))
    made = make(data, text(record.get("subject")))
    made |= {
        "service_name": first(data.get("agent_name"), data.get("agent_id"), record["source"]),
        "time_unix_nano": when, "trace_id": text(data.get("trace_id")),
    }  # fmt: skip
    name = made.pop("kind")
    dropped = told(data, ("tool_args.command", "violation_reason", "merkle_proof", "signature"))
    return Translation(NAME, (event(name, NAME, (record["source"], record["id"]), **made),), dropped, warnings)


def _tool(data: dict[str, Any], subject: str | None) -> Event:
    return {
        "kind": "agent_step",
        "step_kind": "execute_tool",
        "agent_name": text(data.get("agent_name")),
        "agent_id": text(data.get("agent_id")),
        "tool_name": text(data.get("tool_name")) or (subject or "").removeprefix("tool:") or None,
        "args_hash": first(data.get("tool_args_hash"), at(data, "tool_args.args_hash")),
        "result_hash": text(data.get("result_hash")),
        "duration_ms": number(data.get("execution_time_ms")),
    }


def _invoked(data: dict[str, Any], subject: str | None) -> Event:
    verdict = VERDICTS.get(str(data.get("policy_verdict")).lower(), ("unknown", "unknown"))[0]
    allowed = {"allow": "allowed", "block": "denied"}.get(verdict)
    return _tool(data, subject) | {
        "status": "ok",
        "authorization": allowed,
        "approver_kind": "policy" if allowed else None,
    }


def _blocked(data: dict[str, Any], subject: str | None) -> Event:
    step = _tool(data, subject) | {"status": "cancelled", "authorization": "denied", "approver_kind": "policy"}
    return step | {"guards": [_verdict(data, ("block", "blocked"))]}


def _violation(data: dict[str, Any], subject: str | None) -> Event:
    said = VERDICTS.get(str(data.get("action_taken")).lower(), ("flag", "unknown"))
    if not (text(data.get("tool_name")) or (subject or "").startswith("tool:")):
        return {"kind": "guard_verdict", "guard": _verdict(data, said)}
    stopped = said[1] == "blocked"
    step = _tool(data, subject) | {"approver_kind": "policy", "authorization": "denied" if stopped else "allowed"}
    return step | {"status": "cancelled" if stopped else "unknown", "guards": [_verdict(data, said)]}


def _evaluation(data: dict[str, Any], subject: str | None) -> Event:
    word = first(data.get("decision"), data.get("policy_verdict"), data.get("verdict"), data.get("action_taken"))
    said = VERDICTS.get(str(word).lower(), ("unknown", "unknown"))
    return {"kind": "guard_verdict", "guard": _verdict(data, said)}


def _verdict(data: dict[str, Any], said: tuple[str, str]) -> dict[str, Any]:
    severity = SEVERITIES.get(str(data.get("severity")).lower())
    policy = first(data.get("policy_id"), data.get("policy_name"))
    bad = said[0] in ("block", "flag", "escalate")
    finding = present({"category": "sec.tool_misuse", "native_category": policy, "severity": severity})
    return present(
        {
            "guard_name": policy or "agentmesh", "guard_provider": "agentmesh", "layer": "tool_call", "status": "ok",
            "verdict": said[0], "action": said[1], "policy_id": text(data.get("policy_id")),
            "native_result_type": "action_taken", "native_result_value": text(data.get("action_taken")),
            "findings": [finding] if bad else [],
        }
    )  # fmt: skip


_MAKERS: Final[dict[str, Callable[[dict[str, Any], str | None], Event]]] = {
    "tool.invoked": _invoked,
    "tool.blocked": _blocked,
    "policy.violation": _violation,
    "policy.evaluation": _evaluation,
}
