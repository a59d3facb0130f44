"""Agents that plan, call tools, remember and hand over; for a while a poisoned memory goes from one to the next.

The note that is poisoned then is read for a while by agents whose own traces are well. Hours later the planner takes to
another tool, which is no harm that any guard knows.
"""

from collections.abc import Iterator
from typing import Any, Final

from schemas.events import AgentStep, Event, Inference
from streams.demo.scenario.story import (
    AGENTS,
    CASCADE_HOURS,
    EXPORT_HOURS,
    HOURS,
    NOTE_HOURS,
    STABLE,
    Story,
    verdict,
    within,
)

EVERY_SECONDS: Final = 48
STEP_HOURS: Final = 0.0002
PLAN: Final = (
    ("plan", "planner", "", ""), ("execute_tool", "planner", "tickets.search", "read"), ("memory", "planner", "", ""),
    ("handoff", "clerk", "", ""), ("execute_tool", "clerk", "orders.get", "read"),
    ("execute_tool", "clerk", "orders.refund", "destructive"), ("handoff", "writer", "", ""),
    ("execute_tool", "writer", "mail.send", "external"),
)  # fmt: skip
"""Kind of each step of a trace, whose it is, and its tool with the tier of that."""

EXPORT: Final = "tickets.export"
NOTE: Final = "refund-rule"
DEPTHS: Final = ("planner", "clerk", "writer")
LAYERS: Final = {"plan": "plan", "memory": "memory", "execute_tool": "tool_call", "handoff": "plan"}
INFECTED: Final = (
    "sec.goal_hijack", "", "sec.memory_poisoning", "sec.inter_agent", "sec.privilege_abuse", "sec.privilege_abuse",
    "sec.inter_agent", "sec.goal_hijack",
)  # fmt: skip
"""What guards find on each step where the memory is poisoned."""

CALM: Final = ("sec.goal_hijack", *[""] * (len(PLAN) - 1))
NOTHING: Final = ("",) * len(PLAN)
"""A false alarm on the plan that nothing follows, and none at all."""


def traces(story: Story) -> Iterator[Event]:
    """Yield the steps of all traces, and the model's answer at the end of each."""
    total = HOURS * 3_600 // EVERY_SECONDS
    for number in range(total):
        hour = (number + float(story.chance.random())) * HOURS / total
        infected = within(hour, CASCADE_HOURS) and story.draw(0.6)
        found = INFECTED if infected else CALM if story.draw(0.01) else NOTHING
        length = len(PLAN) if infected else len(PLAN) - int(story.chance.integers(0, 3))
        for at in range(length):
            yield _step(story, number, at, hour + at * STEP_HOURS, found[at])
        yield _answer(story, number, hour + length * STEP_HOURS)


def _named(number: int) -> dict[str, Any]:
    return {"trace_id": f"agents-t{number:05}", "session_id": f"agents-s{number:05}",
            "user_pseudo_id": f"u{number % 40:03}"}  # fmt: skip


def _step(story: Story, number: int, at: int, hour: float, found: str) -> AgentStep:
    kind, agent, tool, tier = PLAN[at]
    tool = EXPORT if at == 1 and number % 3 == 0 and within(hour, EXPORT_HOURS) else tool
    more = _call(story, number, at, tier) | {"tool_name": tool, "tool_tier": tier} if tool else {}
    more |= _remembered(number, hour, poisoned=bool(found)) if kind == "memory" else {}
    return AgentStep(
        **story.envelope(AGENTS, f"step-{number:05}-{at}", hour), **_named(number), step_kind=kind, agent_name=agent,
        step_index=at, depth=DEPTHS.index(agent), span_id=f"s{number}-{at}", workflow_name="refunds",
        parent_span_id=f"s{number}-{at - 1}" if at else None, duration_ms=story.milliseconds(120),
        status="error" if more.get("error_type") else "ok",
        guards=[verdict("step-shield", LAYERS[kind], found, severity=3, mode="monitor")], **more,
    )  # fmt: skip


def _remembered(number: int, hour: float, *, poisoned: bool) -> dict[str, Any]:
    """Return what a look at the memory says: a case is noted and looked up, and what is poisoned is read on."""
    if poisoned:
        return {"memory_action": "write", "memory_ids": [NOTE], "taint_sources": ["ticket"]}
    if number % 5 == 0 and within(hour, NOTE_HOURS):
        return {"memory_action": "read", "memory_ids": [NOTE]}
    return {"memory_action": "read" if number % 4 else "write", "memory_ids": [f"case-{number // 4 % 50}"]}


def _call(story: Story, number: int, at: int, tier: str) -> dict[str, Any]:
    """Return what a call of a tool says; what destroys was approved, and a few reads are denied."""
    called: dict[str, Any] = {
        "tool_call_id": f"call-{number}-{at}", "args_bytes": 80, "args_hash": f"sha256:{number:060x}{at:04x}",
        "error_type": "timeout" if story.draw(0.02) else None, "authorization": "allowed",
    }  # fmt: skip
    if tier == "destructive":
        wait = story.milliseconds(45_000)
        called |= {"authorization": "approved", "approval_wait_ms": wait, "approver_kind": "human"}
    elif at == 1 and story.draw(0.03):
        called["authorization"] = "denied"
    return called


def _answer(story: Story, number: int, hour: float) -> Inference:
    harm = verdict("harm-classifier", "output", "content.ncr" if story.draw(0.002) else "", action="blocked")
    return Inference(
        **story.envelope(AGENTS, f"answer-{number:05}", hour), **_named(number), operation_name="chat",
        request_model="atlas", model_version=STABLE, outcome="completed", output_type="text", agent_name="writer",
        reached_user=True, usage_input_tokens=900, usage_output_tokens=120, cost_usd=0.004,
        duration_ms=story.milliseconds(1_200), guards=[harm],
    )  # fmt: skip
