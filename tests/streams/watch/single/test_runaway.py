"""Traces that run away: steps, hand-overs and repeated calls beyond what the policy allows, told once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streams.watch.single.test_strangers import found, step


def run(limits, events, **more):
    """Return the findings of a log under the limits of one service."""
    return found(events, policy=f"services: {{a: {{tools: {{lethal: false, {limits}}}}}}}", **more)


def steps(count, **more):
    """Return so many steps of one trace, a second apart."""
    return [step(f"e{at:02}", at, egress_host=None, **more) for at in range(count)]


@pytest.mark.parametrize(
    ("limits", "more", "words"),
    [
        ("most_steps: 5", {"agent_name": "planner"}, "6 steps in one trace, 5 at most (planner)"),
        ("most_handovers: 5", {"step_kind": "handoff", "tool_name": None}, "6 hand-overs in one trace, 5 at most (a)"),
        ("most_repeats: 5", {"args_hash": "x"}, "6 calls of post with the same arguments in one trace, 5 at most (a)"),
    ],
)
def test_the_first_step_beyond_a_limit_is_told_once(limits, more, words):
    """One page for a trace, of the step that went beyond, with both numbers; up to the limit there is none."""
    assert not run(limits, steps(5, **more))
    [finding] = run(limits, steps(9, **more))
    assert (finding.severity, finding.metric, finding.family, finding.event_ids) == (
        "page", "sec.rogue_agent", "tool", ["e05"],
    )  # fmt: skip
    assert words in finding.evidence


def test_what_is_within_the_limits_of_its_trace_is_no_finding():
    """Steps of other traces, calls with other arguments or none, denied ones, and what nobody limits, do not add up."""
    many = [step(f"e{at}", at, trace=f"t{at % 3}", egress_host=None, args_hash=f"{at}") for at in range(15)]
    assert not run("most_steps: 5, most_handovers: 1, most_repeats: 1", many)
    assert not run("most_repeats: 1", steps(4))
    assert not run("most_repeats: 1", steps(4, args_hash="x", authorization="denied"))
    assert not run("denied: [other]", steps(40))


@pytest.mark.parametrize(("level", "severities"), [("dry_run", ["info"]), ("ticket", ["ticket"]), ("off", [])])
def test_the_level_of_the_rules_holds(level, severities):
    """A dry run tells what would have been one."""
    assert [each.severity for each in run(f"most_steps: 3, level: {level}", steps(6))] == severities


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("tu"), st.integers(0, 80), st.sampled_from("xy")), max_size=16),
    st.lists(st.integers(0, 16), max_size=4),
    st.integers(0, 3),
)
def test_cuts_of_the_log_and_successors_change_nothing(drawn, cuts, restart):
    """A trace is told of where it has more than three steps, or one call more than twice, however it is read."""
    drawn = sorted(drawn, key=lambda each: each[1])
    log = [
        step(f"e{at:02}", second, trace, egress_host=None, args_hash=call)
        for at, (trace, second, call) in enumerate(drawn)
    ]
    whole = run("most_steps: 3, most_repeats: 2", log)
    assert run("most_steps: 3, most_repeats: 2", log, cuts=cuts, restart=restart) == whole
    said = " ".join(finding.evidence for finding in whole)
    own = [[call for each, _, call in drawn if each == trace] for trace in "tu"]
    assert said.count("4 steps in one trace") == sum(len(calls) > 3 for calls in own)
    assert said.count("with the same arguments") == sum(max(map(calls.count, "xy")) > 2 for calls in own)
