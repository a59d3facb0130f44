"""What agents do is counted as one would by hand: steps, their order along a trace, and how many a trace had."""

import itertools
from collections import Counter
from dataclasses import dataclass

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AgentStep
from schemas.windows import MAX_AGENTS, MAX_NAMES, MOST_BEHAVING
from schemas.wire import encode
from streams.events.bins import bin_of
from streams.events.decode import events_decoder
from streams.events.flags import event_flags
from streams.kafka.checkpoints import pack, unpack
from streams.watch.behaviour import IDLE_SECONDS
from streams.watch.counting import countable
from streams.watch.memory import Memory
from streams.watch.reduce import reduce_block
from streams.watch.ticks import PartitionTicks

SECOND, BASE, TICK, LATENESS = 1_000_000_000, 1_770_000_000, 10, 20


@dataclass
class Line:
    """An event as if it came from Kafka."""

    value: bytes
    timestamp: int = (BASE + 10**6) * 1_000
    headers: tuple[tuple[str, bytes], ...] = ()


def step(second, trace, tool="", *, kind="execute_tool", agent="a", **more):
    """Return a step of an agent, at a second of the story."""
    named = {"trace_id": trace, "agent_name": agent, "tool_name": tool or None, "step_kind": kind}
    return AgentStep(**{"event_id": f"{trace}-{agent}-{second}-{tool}", "source": "t", "service_name": "s",
                        "time_unix_nano": (BASE + second) * SECOND} | named | more)  # fmt: skip


END = step(10**5, "end", kind="invoke_agent", service_name="end")


def counts(events, cuts=(), restart=-1):
    """Return what agents did by second of the tick, agent and name, and all groups of the windows as bytes."""
    ticks, memory, found, raw = PartitionTicks(TICK * SECOND, LATENESS * SECOND), Memory(4, TICK), {}, []
    edges = [0, *sorted(cut for cut in set(cuts) if 0 < cut < len(events)), len(events)]
    for number, (first, last) in enumerate([*itertools.pairwise(edges), (None, None)]):
        part = [END] if first is None else events[first:last]
        lines = [Line(encode(event)) for event in part]
        decoded = events_decoder()(lines)
        flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
        ticks.add(countable(decoded, flags, np.array([line.timestamp for line in lines])))
        for tick, groups in reduce_block(ticks.close(), memory):
            raw.append((tick, msgspec.json.encode(groups)))
            for group in (each for each in groups if each.events == 0):
                for name, cells in (group.mixes | group.quantities).items():
                    found[tick * TICK - BASE, *name.split("\x1f")] = cells
        if number == restart:
            successor = Memory(4, TICK)
            successor.restore(unpack(pack(memory.state())))
            memory = successor
    return found, raw


def test_steps_and_their_order_are_told_of_each_agent():
    """A tool goes by its name, another step by its kind; the order goes on across ticks and never between agents."""
    found, _ = counts(
        [
            step(0, "t", kind="invoke_agent"), step(1, "t", kind="plan"), step(2, "t", "search"),
            step(3, "t", "send", agent="b"), step(14, "t", "send"), step(15, "u", kind="plan"),
            step(900, "v", "search"),
        ]
    )  # fmt: skip
    assert found[0, "agent_order", "a"] == {"start → plan": 1, "plan → search": 1}
    assert found[0, "agent_step", "b"] == {"send": 1}
    assert found[10, "agent_order", "a"] == {"search → send": 1, "start → plan": 1}
    ended = Counter(str(number) for number in bin_of(np.array([3.0, 1.0]), "log").tolist())
    assert found[900, "trace_steps", "a"] == dict(ended)
    assert found[900, "trace_steps", "b"] == {str(int(bin_of(np.array([1.0]), "log")[0])): 1}


def test_a_session_that_does_the_same_again_counts_once_a_tick():
    """Nine equal steps of a session in one tick are one; the trace has nine."""
    log = [*(step(0, f"t{at % 3}", "search", session_id="s", event_id=f"e{at}") for at in range(9)), step(900, "v")]
    found, _ = counts(log)
    assert found[0, "agent_step", "a"] == {"search": 1}
    assert found[0, "agent_order", "a"] == {"start → search": 1, "search → search": 1}
    assert sum(found[900, "trace_steps", "a"].values()) == 3


def test_what_is_told_of_a_tick_is_bounded():
    """Of many services, agents and tools the most active are told, and the others of a service are one."""
    log = [step(0, f"{at}-{many}", f"tool{at:03}", agent=f"a{at % (2 * MAX_AGENTS):03}", event_id=f"{at}-{many}")
           for at in range(200) for many in range(1 + (at == 7))]  # fmt: skip
    log += [step(1, f"w{at}", f"tool{at:03}", agent="wide", event_id=f"w{at}") for at in range(2 * MAX_NAMES)]
    log += [step(2, f"o{at}", "x", service_name=f"o{at}", event_id=f"o{at}") for at in range(2 * MOST_BEHAVING)]
    found, raw = counts(log)
    agents = {who for _, mix, who in found if mix == "agent_step"}
    assert {"a007", "wide", "~other"} <= agents
    assert len(found[0, "agent_step", "wide"]) == MAX_NAMES + 1
    assert found[0, "agent_step", "wide"]["~other"] == MAX_NAMES
    groups = msgspec.json.decode(raw[0][1])
    assert sum(group["events"] == 0 for group in groups) == MOST_BEHAVING


STEPS = st.tuples(
    st.integers(0, 40).map(lambda at: at * 7), st.sampled_from("tuv"), st.sampled_from(["", "search", "send", "\x1f"]),
    st.sampled_from(["a", "b\x1f", None]), st.sampled_from(["execute_tool", "plan", "invoke_agent"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=30), st.lists(st.integers(0, 30), max_size=4), st.integers(0, 3), st.booleans())
def test_cuts_of_the_log_and_successors_change_nothing(drawn, cuts, restart, ordered):
    """However a log is cut and whoever goes on with it, its windows are the same bytes; each trace ends once."""
    drawn = sorted(drawn, key=lambda each: each[0]) if ordered else drawn
    log = [step(second, trace, tool, agent=agent, kind=kind, event_id=f"e{at}")
           for at, (second, trace, tool, agent, kind) in enumerate(drawn)]  # fmt: skip
    log.append(step(300 + IDLE_SECONDS, "last", "x", agent="last"))
    log.append(step(900 + 2 * IDLE_SECONDS, "last", "x", agent="last", event_id="last"))
    whole, raw = counts(log)
    assert counts(log, cuts, restart)[1] == raw
    walked = {(each[1], each[3] or "") for each in drawn if each[4] != "invoke_agent"}
    ended = sum(sum(cells.values()) for (_, name, who, *_), cells in whole.items()
                if name == "trace_steps" and who != "last")  # fmt: skip
    assert ended == len(walked)
