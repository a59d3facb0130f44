"""Agents: what one does otherwise than before is named with both shares, is told once, and ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AgentStep
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.windows import OF_AGENT, OTHER
from schemas.wire import decoder, encode
from streams.detect.behaviour import MOST_AGENTS, AgentMixWatch, AgentQuantityWatch
from streams.detect.distributions import MixWatch, QuantityWatch
from streams.findings.evidence import agent_query
from streams.policy.policy import Policy, parse_policy
from tests.streams.commands.test_canary import store
from tests.support.watchers import SECONDS, assert_each_ends_what_it_opened, assert_successors_agree, group, run


def mixes(policy=None, most=1_000):
    """Return a watch of the mixes of all agents."""
    return AgentMixWatch(SECONDS, 0.5, most, policy or Policy())


def quantities(policy=None, most=1_000):
    """Return a watch of the quantities of all agents."""
    return AgentQuantityWatch(SECONDS, 0.5, most, policy or Policy())


def order(rng, shares, agent="planner", count=3, **more):
    """Return the sums of a tick in which an agent took some steps in an order."""
    amounts = rng.multinomial(count, list(shares.values())).tolist()
    cells = {name: amount for name, amount in zip(shares, amounts, strict=True) if amount}
    return [group(events=0, version="", mixes={f"agent_order{OF_AGENT}{agent}": cells}, **more)]


USUAL = {"start → search": 0.4, "search → answer": 0.4, "search → search": 0.2}
CHANGED = {"start → search": 0.4, "search → answer": 0.1, "search → search": 0.2, "search → send_email": 0.3}


def test_a_new_order_of_steps_is_a_ticket_that_names_what_grew_and_what_fell():
    """Where mails follow searches as never before, the ticket says from how much to how much, and it ends once."""
    rng = np.random.default_rng(3)
    found = run(mixes(), 3_000, lambda step: order(rng, CHANGED if 1_500 <= step < 1_560 else USUAL))
    assert [(each.kind, each.severity, each.metric) for each in found] == [
        ("mix", "ticket", "agent_order"), ("recovery", "info", "agent_order"),
    ]  # fmt: skip
    assert found[0].verdict == "search → send_email"
    assert "agent_order of planner of a has changed since about" in found[0].evidence
    assert "new: search → send_email 0.00% → " in found[0].evidence
    assert "less: search → answer " in found[0].evidence
    assert found[0].details["share"] == pytest.approx(0.3, abs=0.2)
    assert found[0].details["share_before"] == 0
    assert [decoder(Finding)(encode(each), 0) for each in found] == found
    assert_each_ends_what_it_opened(found)


@pytest.mark.store
def test_its_sql_counts_what_the_agent_did_before_and_since(client):
    """The query of the ticket runs, and counts each order of steps of that agent alone, before the change and after."""
    log = [AgentStep(event_id=f"e{at}", source="t", service_name="a", trace_id=f"t{at // 2}", step_kind="execute_tool",
                     tool_name=("search", "answer" if at < 6 else "send_email")[at % 2],
                     agent_name="planner" if at else "other", time_unix_nano=(1_770_000_000 + at) * NANO)
           for at in range(10)]  # fmt: skip
    store(client, log)
    since = (1_770_000_000 + 6) * NANO
    found = client.query(agent_query("a", "planner", "agent_order", since, since + 60 * NANO)).result_rows
    assert found == [
        ("search → send_email", 0, 2), ("start → search", 2, 2), ("search → answer", 2, 0), ("start → answer", 1, 0),
    ]  # fmt: skip
    steps = client.query(agent_query("a", "planner", "agent_step", since, since + 60 * NANO)).result_rows
    assert steps == [("search", 2, 2), ("send_email", 0, 2), ("answer", 3, 0)]


def test_more_of_a_known_step_is_told_with_what_it_was():
    """A tool that is called three times as often is named with both shares, and is not new."""
    rng = np.random.default_rng(4)
    usual, changed = {"search": 0.9, "refund": 0.1}, {"search": 0.7, "refund": 0.3}

    def steps(step):
        [sums] = order(rng, changed if step >= 1_500 else usual)
        return [group(events=0, mixes={f"agent_step{OF_AGENT}planner": next(iter(sums.mixes.values()))})]

    [found] = run(mixes(), 2_000, steps)
    assert (found.verdict, found.metric) == ("refund", "agent_step")
    assert found.details["share_before"] == pytest.approx(0.1, abs=0.03)
    assert "new" not in found.evidence


def test_longer_plans_are_told():
    """An agent whose traces have twice as many steps is a ticket in steps that says whose they are."""
    rng = np.random.default_rng(5)

    def lengths(step):
        bins = np.floor(8 * np.log2(rng.poisson(12 if step >= 1_500 else 6, 2) + 1)).astype(int).tolist()
        return [group(events=0, quantities={f"trace_steps{OF_AGENT}planner": {str(at): bins.count(at) for at in bins}})]

    [found] = run(quantities(), 1_700, lengths)
    assert (found.kind, found.severity, found.metric, found.direction) == ("quantity", "ticket", "trace_steps", "up")
    assert found.details["median_before"] == pytest.approx(7, rel=0.15)
    assert "trace_steps of planner of a went up: median about" in found.evidence


def test_agents_take_no_place_of_others_and_have_few():
    """Agents without end end up as one of their service, services without room as one; others do not see them."""
    names = [(f"s{of}", f"{OF_AGENT}a{at}") for of in range(3) for at in range(200)]
    sums = [group(of, mixes={f"agent_step{agent}": {"x": 1}}, quantities={f"trace_steps{agent}": {"9": 1}})
            for of, agent in names]  # fmt: skip
    for subject in (mixes(), quantities()):
        run(subject, 2, lambda _: sums)
        assert len(subject.book) == 3 * (MOST_AGENTS + 1)
        assert subject.book.find(("s1", subject.book.names[0][1], OTHER[1])) >= 0
    small = mixes(most=10)
    run(small, 2, lambda _: sums)
    assert len(small.book) == 11
    for other in (MixWatch(SECONDS, 1.0, 10, Policy()), QuantityWatch(SECONDS, 1.0, 10, Policy())):
        assert run(other, 2, lambda _: sums) == []
        assert len(other.book) == 0


def test_what_the_policy_has_off_is_not_followed():
    """Each mix and quantity of agents can be switched off."""
    policy = parse_policy("detectors: {mixes: {agent_order: 'off'}, quantities: {trace_steps: 'off'}}")
    rng = np.random.default_rng(6)
    for subject in (mixes(policy), quantities(policy)):
        run(subject, 3, lambda _: order(rng, USUAL))
        assert len(subject.book) == 0


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 899), max_size=4))
def test_a_successor_says_the_same(seed, cuts):
    """Restored in mid-stream at any ticks, it finds the same in the same words and the same state."""
    rng = np.random.default_rng(seed)
    stream = [order(rng, CHANGED if step >= 700 else USUAL, count=20) for step in range(900)]
    assert assert_successors_agree(mixes, stream, cuts)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 899), max_size=9))
def test_ticks_judged_together_say_the_same(seed, cuts):
    """However many ticks come at once, findings have the same words: none knows of what comes after it."""
    rng = np.random.default_rng(seed)
    stream = [(step, order(rng, CHANGED if 300 <= step < 400 else USUAL, count=20)) for step in range(900)]
    one, many, found = mixes(), mixes(), []
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), 900], strict=True):
        found += [each for of_tick in many.judge_ticks(stream[first:last]) for each in of_tick]
    assert found
    assert found == [each for tick in stream for each in one.judge_ticks([tick])[0]]
