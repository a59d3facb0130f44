"""How far the harm of an incident spreads through traces of agents, and one of them as a tree."""

import io
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from streams.console import asking
from streams.incidents.evidence.bundle import bundle, evidence
from streams.incidents.evidence.questions import BITS, questions
from streams.incidents.evidence.spread import Remembered, words
from streams.incidents.evidence.tree import MOST_LINES, drawn
from streams.incidents.pages.page import render, table
from streams.incidents.pages.portrait import portrait
from streams.policy.policy import Policy
from streams.store.ask import ask_running
from tests.support.console import held, signed_in, store
from tests.support.incidents.entries import NANO, at, folding, page
from tests.support.waiting import PATIENCE_SECONDS

DENIED = 1 << BITS["denied_tool"]
COLUMNS = ["event_id", "service_name", "time", "trace_id", "span_id", "parent_span_id", "user_pseudo_id", "tenant_id",
           "trials", "flagged", "kafka_offset"]  # fmt: skip


def event(number, name, flagged=0, *, service="ops", trace="t1", parent="", user="u1"):
    """Return a row of an event, ten seconds after the one before it."""
    when = datetime.fromtimestamp(at(number * 10) / NANO, UTC)
    return [name, service, when, trace, name, parent, user, "acme", DENIED, flagged, number]


@pytest.fixture
async def running(client, store_settings):
    """Settings of a store with two traces: what a document began went through two agents of two services."""
    client.insert(
        "retrievals",
        [[*event(0, "r"), "kb", ["d1", "d7"], ["trusted", "external"]]],
        column_names=[*COLUMNS, "data_source_id", "documents_id", "documents_trust"],
    )
    client.insert("inferences", [[*event(1, "i"), "m", 0.25]], column_names=[*COLUMNS, "request_model", "cost_usd"])
    steps = [
        [*event(2, "a"), "planner", "handoff", "", "", "", [], []],
        [*event(3, "b", DENIED, parent="a", service="mailroom"), "mailer", "execute_tool", "mail.send", "evil.test",
         "", [], []],
        [*event(4, "c", DENIED, parent="b", service="mailroom"), "mailer", "execute_tool", "mail.send", "", "", [], []],
        [*event(5, "d", DENIED, trace="t2", user="u2"), "planner", "execute_tool", "shell", "", "write",
         ["n1", "n2"], ["web"]],
        [*event(6, "e", trace="t3", user="u3"), "planner", "execute_tool", "search", "", "read", ["n1"], []],
    ]  # fmt: skip
    own = ["agent_name", "step_kind", "tool_name", "egress_host", "memory_action", "memory_ids", "taint_sources"]
    client.insert("agent_steps", steps, column_names=[*COLUMNS, *own])
    async with store(store_settings) as settings:
        yield settings


def incident(*services):
    """Return an incident of denied tools of some services."""
    [found] = folding(page(second=600, service=services[0], family="tool", metric="denied_tool")).incidents()
    return msgspec.structs.replace(found, keys=tuple((service, "tool") for service in services))


@pytest.mark.store
async def test_where_it_begins_whom_it_touches_and_how_it_looks(running, monkeypatch):
    """Traces, harm, services, agents, tools, users, money and origin are counted; the worst trace is a tree."""
    found = incident("ops", "mailroom")
    asked = questions(found, at(600))
    rows = {name: ask_running(running, question.query, question.parameters) for name, question in asked.items()}
    whole = bundle(found, found.steps[0], None, asked, rows, Policy())
    record = evidence(found, found.steps[0], whole, [])
    view = portrait(found, [record], lambda _: None, Policy(), at(700))
    found = whole.spread
    assert (found.traces, found.harms, found.most, found.users, found.tenants) == (2, 3, 2, 2, 1)
    assert (found.services, found.agents) == (["mailroom", "ops"], ["mailer", "planner"])
    assert (found.tools, found.cost_usd, found.trace_id) == (["mail.send", "shell"], 0.25, "t1")
    assert sorted(found.origins) == [("ops: kb", 1), ("planner: shell", 1)]
    assert found.tree == [
        "02:40:00 ops: retrieval kb ← text of strangers: d7 ◄ begins here",
        "02:40:10 ops: call m",
        "02:40:20 planner: handoff",
        "└─ 02:40:30 mailer: execute_tool mail.send → evil.test ✗ denied_tool",
        "   └─ 02:40:40 mailer: execute_tool mail.send ✗ denied_tool",
    ]
    assert found.depth == 3
    assert found.memory == [Remembered("ops/n1", "tainted", 1, 0)]
    console = Console(width=400, record=True, file=io.StringIO())
    console.print(table(view))
    for text in (console.export_text(), render(view)):
        assert words(found) in " ".join(text.split())
        assert "mail.send → evil.test ✗ denied_tool" in text
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    browser = await signed_in(held(running, page(second=600, service="ops", family="tool", metric="denied_tool")))
    assert "How far it spread" in (await browser.get("/console/incidents/inc-p")).text


@pytest.mark.store
async def test_where_no_agent_has_part_nothing_is_said(running, client):
    """An incident of model calls alone spread through no trace, and neither did one whose events have none."""
    client.insert(
        "inferences",
        [event(7, "x", DENIED, trace="", service="chat"), event(8, "y", DENIED, trace="t9", service="chat")],
        column_names=COLUMNS,
    )
    found = incident("chat")
    asked = questions(found, at(600))
    rows = {name: ask_running(running, asked[name].query, asked[name].parameters) for name in ("spread", "trace")}
    assert bundle(found, found.steps[0], None, {}, rows, Policy()).spread is None


STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "span_id": st.sampled_from(["", "a", "b", "c", "d"]),
            "parent_span_id": st.sampled_from(["", "a", "b", "c", "d", "z"]),
            "depth": st.sampled_from([None, 0, 1, "2"]),
            "name": st.sampled_from(["tool", "x\n\x1b[31m", "n" * 200]),
            "harm": st.booleans(),
        }
    ),
    max_size=60,
)


@given(STEPS)
def test_any_trace_is_drawn_with_each_step_once(steps):
    """Spans that name each other in a ring, twice or not at all lose no step and draw none twice, a line each."""
    whole = [
        {"at": n * NANO, "service_name": f"s{n}.", "agent_name": "", "what": "execute_tool", "host": "", "texts": [],
         "flagged": 0, "start": step["harm"], **step}
        for n, step in enumerate(steps)
    ]  # fmt: skip
    tree = drawn(whole)
    lines = [line for line in tree.lines if not line.startswith("…")]
    shown = [next(n for n in range(len(steps)) if f" s{n}.:" in line) for line in lines]
    assert len(shown) == len(set(shown)) == min(len(steps), MOST_LINES)
    assert all(line.isprintable() for line in tree.lines)
    harms = sum(step["harm"] for step in steps)
    assert sum("✗" in line for line in lines) >= min(harms, MOST_LINES // 2)
    assert 0 <= tree.depth <= len(steps)
    assert (tree.depth > 0) == (harms > 0)
