"""Verdicts that travel alone, and calls that do not say who answered them: counted under what they belong to."""

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AgentStep, GuardVerdict, Inference
from schemas.fields import NANO
from schemas.guards import GuardFinding, GuardResult
from schemas.windows import UNKNOWN_VERSION
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.events.flags import event_flags
from streams.replay.reading import Line
from streams.watch.counting import countable
from streams.watch.memory import Memory
from streams.watch.reduce import reduce_block
from streams.watch.ticks import PartitionTicks
from streams.watch.units import with_units

BASE = 1_770_000_000
TICK, LATENESS = 10, 10
WRITTEN_MS = (BASE + 200_000) * 1_000
VILE = GuardResult(guard_name="g", layer="output", status="ok", verdict="block", action="blocked",
                   findings=[GuardFinding(category="content.vcr", severity=3)])  # fmt: skip
CLEAN = GuardResult(guard_name="g", layer="output", status="ok", verdict="allow")
RATE = "unsafe_attempted"


def envelope(name, second, **more):
    """Return the fields of every event."""
    return {"event_id": name, "source": "t", "time_unix_nano": (BASE + second) * NANO, "service_name": "a", **more}


def call(name, second, **more):
    """Return a call that was answered."""
    said = {"session_id": f"s-{name}", "response_model": "m-1", "request_model": "m", "outcome": "completed"}
    return Inference(**envelope(name, second, **said | more))


def verdict(name, second, guard=VILE, **target):
    """Return a verdict that travels alone."""
    return GuardVerdict(**envelope(name, second), guard=guard, **target)


def end():
    """Return an event that closes everything before it."""
    return AgentStep(**envelope("end", 100_000, service_name="end"), step_kind="plan")


def windows(events, cuts=(), restart=None):
    """Return the windows of a log, however it is cut, by tick; at `restart` a successor takes over the memory."""
    ticks, memory, found = PartitionTicks(TICK * NANO, LATENESS * NANO), Memory(30, TICK), {}
    decode, log = events_decoder(), [*events, end()]
    edges = sorted({0, len(log), *(min(cut, len(log)) for cut in cuts)})
    for number, (first, last) in enumerate(itertools.pairwise(edges)):
        records = [Line(encode(event), 0, WRITTEN_MS) for event in log[first:last]]
        decoded = decode(records)
        flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
        ticks.add(countable(decoded, flags, np.full(len(records), WRITTEN_MS, np.int64)))
        found |= dict(reduce_block(memory.versions.resolved(with_units(ticks.close())), memory))
        if number == restart:
            state, memory = memory.state(), Memory(30, TICK)
            memory.restore(state)
    return found


def totals(found, rate=RATE):
    """Return trials and flags of a rate by version, and the orphans, over all windows."""
    sums, orphans = {}, 0
    for group in (group for groups in found.values() for group in groups if group.service_name == "a"):
        orphans += group.orphans
        if rate in group.rates:
            before = sums.get(group.model_version, (0, 0))
            sums[group.model_version] = before[0] + group.rates[rate].trials, before[1] + group.rates[rate].flagged
    return {version: sum_ for version, sum_ in sums.items() if any(sum_)}, orphans


WAYS = [
    ({}, {"target_event_id": "a0"}),
    ({"response_id": "r"}, {"target_id": "r"}),
    ({"trace_id": "t", "span_id": "p"}, {"trace_id": "t", "span_id": "p"}),
]


@pytest.mark.parametrize(("own", "target"), WAYS)
@pytest.mark.parametrize(("called", "judged"), [(0, 3), (0, 300), (300, 3)])
def test_a_verdict_counts_under_the_event_that_it_judged(own, target, called, judged):
    """By id, response or span, whichever comes first, and also ticks apart: one trial, one flag, one version."""
    more = {name: target[name] for name in ("trace_id", "span_id") if name in target}
    named = {name: value for name, value in target.items() if name not in more}
    judge = GuardVerdict(**envelope("v", judged, **more), guard=VILE, **named)
    log = [*(call(f"x{second}", second) for second in range(0, 320, 40)), call("a0", called, **own), judge]
    warm = verdict("w", 0, CLEAN, target_event_id="x0")  # the service is known to have verdicts of their own
    found = windows(sorted([*log, warm], key=lambda event: event.time_unix_nano))
    assert totals(found) == ({"m-1": (9, 1)}, 0)


def test_in_its_own_tick_a_verdict_is_as_if_the_event_carried_it():
    """The windows of a call with a verdict beside it have the trials and flags of the call with its guard's result."""
    apart = totals(windows([call("a0", 0), verdict("v", 3, target_event_id="a0")]))
    assert apart == totals(windows([call("a0", 0, guards=[VILE])])) == ({"m-1": (1, 1)}, 0)


def test_a_verdict_that_never_meets_its_event_is_an_orphan():
    """It waits, then counts in the service as a whole alone, is a trial of nothing, and is counted as an orphan."""
    log = [call("a0", 0), verdict("v", 3, target_event_id="lost"), *(call(f"b{at}", 700 + at) for at in range(3))]
    assert totals(windows(log)) == ({"m-1": (4, 0), UNKNOWN_VERSION: (0, 1)}, 1)
    assert totals(windows([call("a0", 0), verdict("v", 3)])) == ({"m-1": (1, 0), UNKNOWN_VERSION: (0, 1)}, 1)


def test_a_verdict_that_comes_hours_later_changes_no_window_of_its_event():
    """What is out stays: only the window in which it is given up holds it."""
    early = [call("a0", 0), verdict("w", 3, CLEAN, target_event_id="a0")]
    late = [call("b", 20_000), verdict("v", 20_001, target_event_id="a0"), call("c", 20_700)]
    with_it, without = windows([*early, *late]), windows([*early, late[0], late[2]])
    first = BASE // TICK
    assert with_it[first] == without[first]
    assert totals(with_it)[1] == 1


def failed(name, second, **asked):
    """Return a call that failed before a model answered."""
    return Inference(**envelope(name, second, session_id=f"s-{name}"), outcome="error", error_type="429", **asked)


def test_a_failed_call_counts_under_what_the_service_runs():
    """By the model that was asked for, else the one that answered last; never in a series that can only be bad."""
    log = [failed("early", 0, request_model="m"), call("a", 20), failed("b", 40, request_model="m"), failed("c", 60),
           failed("d", 80, request_model="never-answered")]  # fmt: skip
    assert totals(windows(log), "error")[0] == {UNKNOWN_VERSION: (2, 2), "m-1": (3, 2)}


def test_in_one_tick_it_makes_no_difference_which_came_first():
    """A failure before the first answer of its tick counts with it."""
    assert totals(windows([failed("a", 0, request_model="m"), call("b", 3)]), "error")[0] == {"m-1": (2, 1)}


def test_a_service_that_never_says_who_answered_has_one_series():
    """Where answers name only what was asked for, or nothing, failures count with them."""
    asked = [Inference(**envelope("a", 0), request_model="m"), failed("b", 1, request_model="m")]
    assert totals(windows(asked), "error")[0] == {"m": (2, 1)}
    silent = [Inference(**envelope("a", 0)), failed("b", 1)]
    assert totals(windows(silent), "error")[0] == {"": (2, 1)}


def test_an_embedding_model_is_not_what_answers_people():
    """A failure that names no model counts under the model of the last answer for people."""
    vectors = call("v", 1, operation_name="embeddings", request_model="e", response_model="e-3")
    assert totals(windows([call("a", 0), vectors, failed("b", 2)]), "error")[0] == {"m-1": (2, 1), "e-3": (1, 0)}


def test_a_child_without_a_session_takes_that_of_its_trace():
    """A session that only the root names is one unit with its children; traffic under one session is many units."""
    root = AgentStep(**envelope("r", 0, trace_id="t", session_id="s1"), step_kind="invoke_agent")
    child = Inference(**envelope("c", 1, trace_id="t"), guards=[VILE])
    again = Inference(**envelope("d", 2, session_id="s1"), guards=[VILE])
    assert totals(windows([root, child, again])) == ({"": (1, 1)}, 0)
    project = [call(f"a{at}", 0, session_id="project", trace_id=f"t{at}") for at in range(10)]
    assert totals(windows(project), "error")[0] == {"m-1": (10, 0)}


def test_the_same_event_twice_is_one_trial():
    """Two exporters of one span are one session in a tick."""
    assert totals(windows([call("a", 0), call("a", 0)]), "error")[0] == {"m-1": (1, 0)}


STEPS = st.lists(
    st.tuples(st.sampled_from(["call", "failed", "verdict", "orphan"]), st.integers(0, 6), st.integers(0, 90)),
    min_size=1, max_size=14,
)  # fmt: skip


def event_of(number, kind, which, second):
    """Return an event of a log."""
    if kind == "call":
        return call(f"e{which}", second, response_model=f"m-{which % 2}", request_model="m")
    if kind == "failed":
        return failed(f"f{number}", second, **({"request_model": "m"} if which % 2 else {}))
    return verdict(f"v{number}", second, target_event_id=f"e{which}" if kind == "verdict" else None)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, cuts=st.lists(st.integers(0, 15), max_size=4), restart=st.none() | st.integers(0, 3))
def test_windows_do_not_depend_on_how_a_log_was_cut(steps, cuts, restart):
    """Batches cut anywhere and a successor with the checkpoint give the same windows, byte for byte."""
    log = [event_of(number, *step) for number, step in enumerate(sorted(steps, key=lambda step: step[2] // 15))]
    whole, cut = windows(log), windows(log, cuts, restart)
    assert {tick: msgspec.json.encode(groups) for tick, groups in whole.items()} == {
        tick: msgspec.json.encode(groups) for tick, groups in cut.items()
    }
