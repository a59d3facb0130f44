"""What real services send, kind by kind: the smallest event of each, and what it counts for."""

import pytest

from schemas.metrics import OF_AGENTS
from streams.watch.counted import counted

BASE = {
    "event_id": "e", "source": "shop/assistant", "time_unix_nano": 1_770_000_000_000_000_000,
    "service_name": "assistant", "session_id": "s",
}  # fmt: skip
SERVED = {"unsafe_attempted", "unsafe_served"}
ALL = {
    "unsafe_attempted", "unsafe_served", "injection_flag", "leak", "refusal", "error", "denied_tool", "over_refusal",
    "guard_failure", "blocked", "filtered", "failing_tool", "prompt_pii", "quality", *OF_AGENTS,
}  # fmt: skip


def call(**fields):
    """Return what a call of a model counts for."""
    [found] = counted([{"event_type": "ai.safety.inference.v1", **BASE, **fields}])
    assert found.refused is None
    return found


def step(kind="execute_tool", **fields):
    """Return what a step of an agent counts for."""
    [found] = counted([{"event_type": "ai.safety.agent_step.v1", **BASE, "step_kind": kind, **fields}])
    assert found.refused is None
    return found


def guard(*findings, layer="output", **fields):
    """Return a guard result; findings are of a category, or fields of their own."""
    given = {"guard_name": "g", "layer": layer, "status": "ok", "verdict": "flag", "action": "none"} | fields
    named = [{"category": item} if isinstance(item, str) else item for item in findings]
    return {name: value for name, value in given.items() if value is not None} | ({"findings": named} if named else {})


@pytest.mark.parametrize(("fields", "flagged"), [
    ({"outcome": "error", "error_type": "429"}, {"error"}),
    ({"error_type": "TimeoutError"}, {"error"}),
    ({"outcome": "blocked", "error_type": "GuardrailRaisedException"}, {"blocked"}),
    ({"outcome": "error", "error_type": "GuardrailRaisedException"}, {"blocked"}),
    ({"outcome": "filtered", "error_type": "content_filter"}, {"filtered"}),
    ({"outcome": "error", "error_type": "content_filter"}, {"filtered"}),
    ({"error_type": "ContentPolicyViolationError"}, {"filtered"}),
    ({"outcome": "refused", "error_type": "400"}, {"refusal"}),
    ({"outcome": "completed", "finish_reason_norm": "content_filter"}, {"filtered"}),
    ({"outcome": "completed", "finish_reasons": ["stop", "content_filter", "stop"]}, {"filtered"}),
    ({"finish_reasons": ["SAFETY"]}, {"filtered"}),
    ({"outcome": "completed", "finish_reasons": ["refusal"]}, {"refusal"}),
    ({"outcome": "completed", "error_type": " "}, set()),
])  # fmt: skip
def test_how_a_call_ended_is_one_thing(fields, flagged):
    """A block or a filter is no error, however reported, and the worst of several choices stands for the call."""
    assert set(call(**fields).flagged) == flagged


@pytest.mark.parametrize(("result", "flagged"), [
    (guard(layer="input", verdict="block", action="blocked"), {"blocked", "injection_flag"}),
    (guard(verdict="block", action="blocked"), {"blocked", "unsafe_attempted"}),
    (guard(), SERVED),
    (guard("S10"), SERVED),
    (guard("S10", verdict="block", action="blocked"), {"blocked", "unsafe_attempted"}),
    (guard("S10", layer="input"), {"injection_flag"}),
    (guard(layer="tool_call"), {"denied_tool"}),
    (guard("", layer="retrieval"), {"injection_flag"}),
    (guard(layer="unknown"), SERVED),
    (guard(verdict="allow"), set()),
    (guard("sec.code_exec"), SERVED),
    (guard("content.hte", layer="tool_call"), {"denied_tool"}),
    (guard("sec.data_leakage.secret", layer="tool_call"), {"leak"}),
    (guard("sec.system_prompt_leak", layer="input"), {"injection_flag"}),
    (guard("sec.data_leakage.pii", layer="input", verdict="redact", action="redacted"), {"prompt_pii"}),
    (guard("sec.data_leakage.pii", layer="tool_result"), set()),
    (guard("qual.off_topic"), {"quality"}),
    (guard("sec.jailbreak", layer="input", status="partial", verdict="block", action="blocked"),
     {"blocked", "guard_failure", "injection_flag"}),
    (guard("content.hte", status="partial", verdict="allow"), {"guard_failure"}),
])  # fmt: skip
def test_an_objection_counts_whatever_it_names(result, flagged):
    """What names no code that is known is the usual hazard of its layer, and a block is a block."""
    assert set(call(outcome="completed", guards=[result]).flagged) == flagged


@pytest.mark.parametrize("nothing", [
    {"severity": 0}, {"count": 0}, {"score": 0.0003, "threshold": 0.5, "score_kind": "probability"},
    {"score_bucket": "NEGLIGIBLE"}, {"score_bucket": "None", "score_kind": "confidence_bucket"},
])  # fmt: skip
def test_what_was_looked_for_and_not_found_is_no_finding(nothing):
    """Of all that a guard lists, only what is positive counts."""
    listed = guard({"category": "content.hte", "severity": 3}, {"category": "sec.data_leakage.pii", **nothing})
    found = call(outcome="completed", guards=[listed])
    assert set(found.flagged) == SERVED
    assert found.categories == ("content.hte",)


def test_a_distance_above_its_threshold_is_no_smaller_finding():
    """A distance counts the other way round, so the threshold says nothing of it here."""
    far = {"category": "content.hte", "score": 0.1, "threshold": 0.5, "score_kind": "distance"}
    assert set(call(outcome="completed", guards=[guard(far)]).flagged) == SERVED


@pytest.mark.parametrize(("native", "flagged"), [
    ({"native_result_type": "action", "native_result_value": "GUARDRAIL_INTERVENED"}, {"unsafe_attempted", "blocked"}),
    ({"native_result_type": "rail.stop", "native_result_value": "True"}, {"unsafe_attempted", "blocked"}),
    ({"native_result_value": "flagged"}, SERVED),
    ({"native_result_value": "pass"}, set()),
])  # fmt: skip
def test_a_verdict_is_derived_from_what_the_guard_itself_said(native, flagged):
    """A native value that can mean one thing gives the verdict that the producer left out, and covers."""
    found = call(guards=[guard("content.vcr", verdict=None, action=None, **native)])
    assert (set(found.flagged), found.guards) == (flagged, ("ok",))


def test_a_guard_that_ran_and_says_nothing_is_neither_clean_nor_covering():
    """Without a verdict and a native value that is known, an output is not covered, and no trial of what was judged."""
    found = call(outcome="completed", guards=[guard("content.vcr", verdict=None, native_result_value="0.7")])
    assert found.flagged == ()
    assert "unsafe_attempted" not in found.trials
    other = call(outcome="completed", guards=[guard(verdict=None, layer="input")])
    assert other.guards == ("uncovered",)


@pytest.mark.parametrize("fields", [
    {"outcome": "blocked", "reached_user": False}, {"outcome": "blocked"}, {"outcome": "filtered"},
    {"outcome": "completed", "reached_user": False},
])  # fmt: skip
def test_what_reached_nobody_was_not_served(fields):
    """A call that was blocked, filtered or shown to nobody served nothing, and no page is due for what it held."""
    vile = guard({"category": "content.vcr", "severity": 4}, action=None, verdict="block")
    found = call(guards=[vile], **fields)
    assert "unsafe_attempted" in found.flagged
    assert ("unsafe_served" in found.flagged, found.pages) == (False, 0)
    shown = call(guards=[vile], outcome="blocked", reached_user=True)
    assert ("unsafe_served" in shown.flagged, shown.pages) == (True, 1)


@pytest.mark.parametrize("operation", ["embeddings", "rerank", "moderation", "count_tokens"])
def test_a_call_that_makes_nothing_for_people_is_no_output(operation):
    """It can fail, and is no trial of anything that rests on outputs, nor of coverage."""
    found = call(operation_name=operation, guards=[guard("content.vcr", verdict="allow")])
    assert set(found.trials) == {"error", "injection_flag", "blocked", "filtered", "prompt_pii", "guard_failure"}
    assert call(operation_name=operation).guards == ()
    assert "unsafe_attempted" in call(operation_name="image_generation").trials


def test_a_run_of_an_agent_is_counted_by_its_calls():
    """A wrapper is no call; what a guard found on its final answer counts, and so does a block of the run."""
    assert call(operation_name="invoke_agent", error_type="429", usage_input_tokens=9).trials == ()
    assert set(call(operation_name="invoke_agent", guards=[guard("content.vcr")]).flagged) == SERVED
    answer = step("invoke_agent", guards=[guard("content.vcr")])
    assert set(answer.flagged) == SERVED
    assert set(answer.trials) >= SERVED | {"leak", "quality", "blocked"}
    stopped = step("invoke_agent", guards=[guard(layer="input", verdict="block", action="blocked")])
    assert set(stopped.flagged) == {"blocked", "injection_flag"}


@pytest.mark.parametrize(("fields", "flagged"), [
    ({"status": "error"}, {"failing_tool"}),
    ({"error_type": "tool_error"}, {"failing_tool"}),
    ({"status": "ok"}, set()),
    ({"status": "error", "authorization": "denied"}, {"denied_tool"}),
    ({"status": "error", "guards": [guard(layer="tool_call", verdict="block", action="blocked")]}, {"denied_tool"}),
])  # fmt: skip
def test_a_tool_that_fails_is_told_from_one_that_was_denied(fields, flagged):
    """A tool that ran and failed is failing; what was kept from running is denied."""
    assert set(step(**fields).flagged) == flagged
    assert "failing_tool" not in step("plan", **fields).trials
    assert "failing_tool" not in step(status="cancelled").trials


def test_what_a_guard_finds_in_a_document_counts():
    """A retrieval is a trial of injection where a guard looked at its documents."""
    event = {"event_type": "ai.safety.retrieval.v1", **BASE, "guards": [guard("sec.jailbreak", layer="retrieval")]}
    [found, clean, unseen] = counted(
        [event, {**event, "guards": [guard(layer="retrieval", verdict="allow")]}, {**event, "guards": None}]
    )
    assert found.flagged == ("injection_flag",)
    assert ("injection_flag" in clean.trials, clean.flagged) == (True, ())
    assert unseen.trials == ()


def test_nothing_is_flagged_that_is_no_trial():
    """Over layers, families and outcomes, a flag has its trial in the same event, so that no share is above one."""
    layers = ("input", "output", "retrieval", "tool_call", "tool_result", "memory", "plan", "unknown")
    codes = ("content.vcr", "sec.jailbreak", "sec.data_leakage.pii", "sec.code_exec", "qual.bias", "qual.refusal", "S1",
             *(f"sec.{name}" for name in OF_AGENTS))  # fmt: skip
    for found in (make(outcome, layer, code) for outcome in (None, "completed", "blocked", "error", "cancelled")
                  for layer in layers for code in codes for make in (_call, _step)):  # fmt: skip
        assert set(found.flagged) <= set(found.trials) <= ALL


def _call(outcome, layer, code):
    return call(outcome=outcome, guards=[guard(code, layer=layer)])


def _step(outcome, layer, code):
    return step(status="error" if outcome == "error" else None, guards=[guard(code, layer=layer)])


def test_an_attempt_that_another_followed_counts_in_no_rate():
    """Of a call that was tried twice, the last attempt says how it ended."""
    first, last = call(error_type="503", attempt=0, superseded=True), call(outcome="completed", attempt=1)
    assert (first.trials, first.flagged, first.guards) == ((), (), ())
    assert "error" in last.trials


def test_what_a_model_makes_besides_text_is_an_output():
    """Images, sound and moving pictures come with their usage, and with the choices that were asked for."""
    found = call(operation_name="image_generation", output_type="image", usage_output_images=4, choice_count=4,
                 usage_input_audio_seconds=1.5, batch_id="job-1")  # fmt: skip
    assert {"unsafe_attempted", "quality"} <= set(found.trials)
