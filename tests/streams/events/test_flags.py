"""What counts as unsafe."""

import pytest

from schemas.events import AgentStep, GuardVerdict, Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.metrics import OF_AGENTS
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.events.flags import BIT, event_flags
from tests.streams.events.test_decode import NOW_MS, Record

BASE = {"event_id": "1", "source": "s", "time_unix_nano": NOW_MS * 1_000_000, "service_name": "x"}


def guard(category, layer="output", verdict="flag", severity=3, **fields):
    """Return a guard result with one finding."""
    finding = GuardFinding(category=category, severity=severity)
    given = {"status": "ok", "action": "annotated", "mode": "enforce"} | fields
    return GuardResult(guard_name="g", layer=layer, verdict=verdict, findings=[finding], **given)


def columns(event):
    """Return an event as columns."""
    return next(iter(events_decoder()([Record(encode(event))]).kinds.values()))


def flagged(event) -> set[str]:
    """Return the names of the rates an event is flagged for."""
    bits = int(event_flags(columns(event)).flagged[0])
    return {name for name, bit in BIT.items() if bits & bit}


CASES = [
    (guard("content.ncr"), {"unsafe_attempted", "unsafe_served"}),
    (guard("content.ncr", verdict="block", action="blocked"), {"unsafe_attempted", "blocked"}),
    (guard("content.ncr", verdict="redact", action="redacted"), {"unsafe_attempted"}),
    (guard("content.ncr", verdict="block", action="blocked", mode="monitor"), {"unsafe_attempted", "unsafe_served"}),
    (guard("content.ncr", mode="shadow"), set()),
    (guard("content.ncr", verdict="allow"), set()),
    (guard("content.ncr", status="timeout"), {"guard_failure"}),
    (guard("content.ncr", layer="input"), set()),
    (guard("sec.jailbreak", layer="input"), {"injection_flag"}),
    (guard("sec.data_leakage.pii"), {"leak"}),
    (guard("qual.refusal"), {"refusal"}),
    (guard("vendor.unknown"), {"unsafe_attempted", "unsafe_served"}),
    (guard("vendor.unknown", layer="input"), {"injection_flag"}),
    (guard("sec.code_exec"), {"unsafe_attempted", "unsafe_served"}),
    (guard("sec.data_leakage.pii", layer="input"), {"prompt_pii"}),
    (guard("qual.ungrounded"), {"quality"}),
    (guard("sec.jailbreak", layer="input", status="partial"), {"guard_failure", "injection_flag"}),
    (guard("content.ncr", status="partial", verdict="allow"), {"guard_failure"}),
]


@pytest.mark.parametrize(("result", "expected"), CASES)
def test_guard_results_flag_an_inference(result, expected):
    """Verdict, action, status and mode of a guard decide together, per category family and layer."""
    assert flagged(Inference(**BASE, guards=[result])) == expected
    assert flagged(Inference(**BASE, guards=[guard("content.ncr", verdict="allow"), result])) == expected


def test_outcomes_flag_without_guards():
    """Errors and refusals of the call itself count; a failed call is no output."""
    assert flagged(Inference(**BASE, outcome="error")) == {"error"}
    assert flagged(Inference(**BASE, error_type="429", guards=[guard("content.ncr")])) == {"error"}
    assert flagged(Inference(**BASE, outcome="refused")) == {"refusal"}
    assert flagged(AgentStep(**BASE, step_kind="execute_tool", authorization="denied")) == {"denied_tool"}


@pytest.mark.parametrize(
    ("step", "layer", "category", "expected"),
    [
        ("plan", "plan", "sec.goal_hijack", "goal_hijack"),
        ("execute_tool", "tool_call", "sec.goal_hijack", "goal_hijack"),
        ("execute_tool", "output", "sec.goal_hijack", "goal_hijack"),
        ("execute_tool", "tool_result", "sec.goal_hijack", "injection_flag"),
        ("plan", "input", "sec.goal_hijack", "injection_flag"),
        ("memory", "memory", "sec.memory_poisoning", "memory_poisoning"),
        ("memory", "input", "sec.memory_poisoning", "injection_flag"),
        ("handoff", "output", "sec.inter_agent", "inter_agent"),
        ("handoff", "input", "sec.inter_agent", "inter_agent"),
        ("handoff", "unknown", "sec.inter_agent", "inter_agent"),
        ("execute_tool", "tool_call", "sec.privilege_abuse", "privilege_abuse"),
        ("execute_tool", "tool_call", "sec.tool_misuse", "denied_tool"),
    ],
)
def test_what_happens_to_agents_has_rates_of_its_own(step, layer, category, expected):
    """A hazard that only agents have counts under its own name and no other, an attempt in an input as an injection."""
    event = AgentStep(**BASE, step_kind=step, guards=[guard(category, layer)])
    assert flagged(event) == {expected}
    assert flagged(AgentStep(**BASE, step_kind=step, guards=[guard(category, layer, verdict="allow")])) == set()


def test_steps_are_trials_of_what_happens_to_agents_where_a_guard_judged_them():
    """A judged step is one of all, a call that asks for a tool of two; what nobody judged, and results, of none."""
    asked, every = {"goal_hijack", "privilege_abuse"}, set(OF_AGENTS)
    for wanted, step in (
        (every, AgentStep(**BASE, step_kind="plan", guards=[guard("sec.jailbreak", "plan", verdict="allow")])),
        (asked, Inference(**BASE, finish_reason_norm="tool_call", guards=[guard("sec.goal_hijack", "tool_call")])),
        (set(), AgentStep(**BASE, step_kind="plan")),
        (set(), AgentStep(**BASE, step_kind="execute_tool", guards=[guard("sec.jailbreak", "tool_result")])),
        (set(), Inference(**BASE, guards=[guard("content.ncr")])),
    ):
        bits = int(event_flags(columns(step)).trials[0])
        assert {name for name in OF_AGENTS if bits & BIT[name]} == wanted


def test_a_call_that_asks_for_a_tool_shows_what_was_done_to_its_agent():
    """A hijack is flagged where the call is made; what only a step can show is a denied tool there."""
    for category, expected in (("sec.goal_hijack", "goal_hijack"), ("sec.memory_poisoning", "denied_tool")):
        result = guard(category, layer="tool_call")
        assert flagged(Inference(**BASE, finish_reason_norm="tool_call", guards=[result])) == {expected}


def test_a_verdict_alone_is_not_lost():
    """A standalone verdict is flagged for what it found, and a trial only of a guard that was asked."""
    found = event_flags(columns(GuardVerdict(**BASE, guard=guard("content.ncr"))))
    assert int(found.flagged[0]) == BIT["unsafe_attempted"] | BIT["unsafe_served"]
    assert int(found.trials[0]) == BIT["guard_failure"]


@pytest.mark.parametrize(("verdict", "over"), [("flag", {"refusal", "over_refusal"}), ("allow", {"refusal"})])
def test_over_refusal_is_counted_where_it_was_judged(verdict, over):
    """A judge of over-refusal makes a trial whatever it says, and a refusal without one is none."""
    judged = Inference(**BASE, outcome="refused", guards=[guard("qual.over_refusal", verdict=verdict)])
    found = event_flags(columns(judged))
    assert flagged(judged) == over
    assert int(found.trials[0]) & BIT["over_refusal"]
    assert not int(event_flags(columns(Inference(**BASE, outcome="refused"))).trials[0]) & BIT["over_refusal"]


def trials(event) -> set[str]:
    """Return the names of the rates an event is a trial of."""
    bits = int(event_flags(columns(event)).trials[0])
    return {name for name, bit in BIT.items() if bits & bit}


OUTPUT = {"unsafe_attempted", "unsafe_served", "leak"}


@pytest.mark.parametrize("word", ["success", "unknown"])
def test_an_outcome_that_nobody_knows_is_neither_good_nor_bad(word):
    """It is no trial of what rests on the outcome, with or without an error; a guard's word on the output stands."""
    assert trials(Inference(**BASE, outcome=word)) == {"injection_flag", "prompt_pii"}
    assert trials(Inference(**BASE, outcome=word, error_type="429")) == {"injection_flag", "prompt_pii"}
    judged = Inference(**BASE, outcome=word, guards=[guard("content.ncr")])
    assert trials(judged) >= OUTPUT
    assert flagged(judged) == {"unsafe_attempted", "unsafe_served"}


@pytest.mark.parametrize(
    "strange",
    [{"verdict": "deny"}, {"verdict": "unknown"}, {"mode": "watching"}, {"layer": "prompt"}, {"status": "passed"}],
)
def test_a_guard_whose_words_nobody_knows_is_neither_safe_nor_unsafe(strange):
    """Its event is no trial of what the guard judged; where another guard speaks clearly, that one counts alone."""
    unclear = guard("content.ncr", **strange)
    alone = event_flags(columns(Inference(**BASE, outcome="completed", guards=[unclear])))
    assert trials(Inference(**BASE, outcome="completed", guards=[unclear])).isdisjoint(OUTPUT | {"injection_flag"})
    assert not alone.flagged.any()
    clear = Inference(**BASE, outcome="completed", guards=[unclear, guard("content.ncr", verdict="allow")])
    assert trials(clear) >= OUTPUT
    assert flagged(clear) == set()


def test_an_unknown_authorization_is_no_trial():
    """A step that was neither allowed nor denied in words that are known says nothing about denials."""
    step = {**BASE, "step_kind": "execute_tool"}
    assert "denied_tool" not in trials(AgentStep(**step, authorization="perhaps"))
    assert "denied_tool" in trials(AgentStep(**step, authorization="denied"))
    assert "denied_tool" in trials(AgentStep(**step))
