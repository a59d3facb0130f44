"""Text of strangers along a trace: what it may have steered, exact however the log is cut and whoever goes on."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AgentStep, Retrieval, RetrievedDocument
from schemas.fields import NANO
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.events.flags import event_flags
from streams.policy.policy import Policy, parse_policy
from streams.replay.backtest import judge_events
from streams.replay.reading import Line, read_events
from streams.settings import load
from streams.watch.counting import countable
from streams.watch.single.along import AlongTraces
from streams.watch.single.remembered import MOST_TRACES, REMEMBERED_SECONDS
from streams.watch.ticks import PartitionTicks
from tests.streams.watch.test_verdicts import BASE, LATENESS, TICK, WRITTEN_MS, end, envelope


def search(name, second, trust="external", trace="t", **more):
    """Return a search that gave back one document."""
    documents = [RetrievedDocument(id=f"doc-{name}", trust=trust)]
    return Retrieval(**envelope(name, second, trace_id=trace, **more), documents=documents)


def step(name, second, trace="t", **more):
    """Return a step that sends something out."""
    said = {"step_kind": "execute_tool", "tool_name": "post", "tool_tier": "external", "egress_host": "evil.test"}
    return AgentStep(**envelope(name, second, trace_id=trace), **said | more)


def found(events, cuts=(), restart=None, policy=""):
    """Return the findings of a log, however it is cut; at `restart` a successor takes over the state."""
    rules = parse_policy(policy)
    ticks, watch, findings = PartitionTicks(TICK * NANO, LATENESS * NANO), AlongTraces(TICK, rules), []
    decode, log = events_decoder(), [*events, end()]
    edges = sorted({0, len(log), *(min(cut, len(log)) for cut in cuts)})
    for number, (first, last) in enumerate(itertools.pairwise(edges)):
        decoded = decode([Line(encode(event), 0, WRITTEN_MS) for event in log[first:last]])
        flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
        written = np.full(last - first, WRITTEN_MS, np.int64)
        ticks.add(countable(decoded, flags, written, ruled=rules.watches_tools))
        findings += watch.judge(ticks.close())
        if number == restart:
            state, watch = watch.state(), AlongTraces(TICK, rules)
            watch.restore(state)
    return findings


def test_text_of_strangers_and_then_a_host_is_a_page_with_the_whole_path():
    """Without a policy and without a guard: document, tool and host are named, the page is of the step, told once."""
    [finding] = found([search("a", 0), step("b", 40), step("c", 50)])
    assert (finding.kind, finding.severity, finding.metric, finding.family) == (
        "breach", "page", "sec.exfiltration.tool", "leak",
    )  # fmt: skip
    assert finding.event_ids == ["b"]
    assert finding.onset_time_unix_nano == (BASE + 40) * NANO
    assert "(document doc-a (trust: external) → post → evil.test)" in finding.evidence


@pytest.mark.parametrize(
    "log",
    [
        [search("a", 0, "internal"), step("b", 40)],
        [search("a", 0, trace="other"), step("b", 40)],
        [search("a", 0), step("b", 40, tool_tier="read")],
        [search("a", 0), step("b", 40, egress_host=None)],
        [search("a", 0), step("b", 40, authorization="denied")],
        [search("a", 0), step("b", 40, status="cancelled")],
        [step("b", 0), search("a", 40)],
        [search("a", 0), step("b", REMEMBERED_SECONDS + 2 * TICK)],
        [step("b", 40)],
    ],
)
def test_what_is_no_such_path_is_no_finding(log):
    """Vetted text, other traces, tools that stay inside, steps that did not happen, and what came first, are none."""
    assert not found(log)


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("lethal: false", []),
        ("level: off", []),
        ("level: dry_run", ["info"]),
        ("level: ticket", ["ticket"]),
        ("hosts: ['*.test']", []),
        ("hosts: ['*.test'], tainted: [external]", ["page"]),
        ("vetted: [external]", []),
        ("tiers: {post: read}", []),
    ],
)
def test_the_policy_says_what_is_a_breach(policy, wanted):
    """Its level, the hosts on its list, whose documents are vetted, and the tier of a tool decide."""
    policy = f"services: {{a: {{tools: {{{policy}}}}}}}"
    assert [each.severity for each in found([search("a", 0), step("b", 40)], policy=policy)] == wanted


def test_a_tool_may_bring_text_of_strangers_and_any_tier_may_be_kept_from_it():
    """The result of a tool that the policy names is text of strangers, and a destructive step after it a misuse."""
    policy = "services: {a: {tools: {strangers: ['web.*'], tainted: [destructive]}}}"
    read = step("r", 0, tool_name="web.get", tool_tier="read", egress_host=None)
    wipe = step("w", 20, tool_name="wipe", tool_tier="destructive", egress_host=None)
    [finding] = found([read, wipe], policy=policy)
    assert finding.metric == "sec.tool_misuse"
    assert "(result of web.get → wipe)" in finding.evidence
    assert found([wipe, read], policy=policy) == [finding]  # the text came later in the log, not in time
    before = step("w", 0, tool_name="wipe", tool_tier="destructive", egress_host=None)
    assert not found([before, step("r", 20, tool_name="web.get", tool_tier="read")], policy=policy)


def test_a_step_that_names_its_strangers_itself_is_told_by_one_finding():
    """Where no rule looks at the step by itself its trace tells it; where one does, only that one."""
    own = step("b", 0, taint_sources=["mail:7"])
    assert "(mail:7 → post → evil.test)" in found([own])[0].evidence
    policy = "services: {a: {tools: {tainted: [external]}}}"
    assert not found([own], policy=policy)


NAMES = st.sampled_from("tuv")
EVENTS = st.lists(
    st.tuples(st.booleans(), NAMES, st.integers(0, 90), st.sampled_from(["external", "internal", None])), max_size=14
)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.lists(st.integers(0, 14), max_size=5), st.integers(0, 4))
def test_cuts_of_the_log_and_successors_change_nothing(drawn, cuts, restart):
    """A path is found once, by the first step after the first text of its trace, however the log is read."""
    log = [
        search(f"e{at}", second, trust, trace) if text else step(f"e{at}", second, trace)
        for at, (text, trace, second, trust) in enumerate(sorted(drawn, key=lambda each: each[2]))
    ]
    whole = found(log)
    assert found(log, cuts, restart) == whole
    wanted = set()
    for trace in "tuv":
        own = [event for event in log if event.trace_id == trace]
        searches = [each for each in own if isinstance(each, Retrieval)]
        came = [each.time_unix_nano for each in searches if each.documents[0].trust == "external"]
        after = [each for each in own if isinstance(each, AgentStep) and came and each.time_unix_nano >= min(came)]
        wanted |= {min(after, key=lambda each: (each.time_unix_nano, each.event_id)).event_id} if after else set()
    assert {finding.event_ids[0] for finding in whole} == wanted


def test_memory_is_bounded():
    """Beyond so many traces those are forgotten that were met longest ago."""
    log = [search(f"a{at}", 0, trace=f"t{at}") for at in range(MOST_TRACES + 5)]
    late = [step("old", 40, trace="t0"), step("new", 40, trace=f"t{MOST_TRACES + 4}")]
    assert [finding.event_ids for finding in found([*log, *late])] == [["new"]]


def test_a_backtest_finds_it_in_recorded_events(tmp_path):
    """Each policy finds in a file what watch would have found live."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(encode(event) + b"\n" for event in [search("a", 0), step("b", 40)]))
    config = load()
    policies = {"usual": Policy(), "none": parse_policy("defaults: {tools: {lethal: false}}")}
    runs = judge_events(config, read_events(config, [path]), policies)
    assert {name: [each.event_ids for each in run if each.kind == "breach"] for name, run in runs.items()} == {
        "usual": [["b"]], "none": [],
    }  # fmt: skip
