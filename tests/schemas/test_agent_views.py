"""What the store says of agents: each by the hour with its rates, and which leads to which."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.metrics import RATES
from streams.store.client import rows

pytestmark = pytest.mark.store

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
BIT = {rate.name: 1 << number for number, rate in enumerate(RATES)}
EVERY = sum(BIT.values())


def put(client, *steps):
    """Store steps: service, agent, trace, span, parent, kind, and the rate that flags it."""
    client.insert(
        "agent_steps",
        [
            [f"e{number}", START + timedelta(seconds=number), START + timedelta(seconds=number), service, agent, trace,
             span, parent, kind, EVERY, BIT.get(flag, 0), number]
            for number, (service, agent, trace, span, parent, kind, flag) in enumerate(steps)
        ],
        column_names=["event_id", "time", "counted_time", "service_name", "agent_name", "trace_id", "span_id",
                      "parent_span_id", "step_kind", "trials", "flagged", "kafka_offset"],
    )  # fmt: skip


def test_agents_have_their_rates_and_edges(client):
    """Beyond the sixteenth bit too; an edge is by the parent span, else the step before, and knows what it carries."""
    put(
        client,
        ("ops", "planner", "t1", "a", "", "plan", "goal_hijack"),
        ("ops", "planner", "t1", "b", "a", "execute_tool", ""),
        ("mail", "mailer", "t1", "c", "a", "handoff", "privilege_abuse"),
        ("ops", "planner", "t2", "", "", "plan", ""),
        ("ops", "coder", "t2", "", "", "execute_tool", "inter_agent"),
        ("ops", "coder", "t2", "", "", "execute_tool", ""),
        ("ops", "lonely", "t3", "", "", "plan", ""),
    )
    found = rows(client, "SELECT agent_name, steps, goal_hijack_trials, goal_hijack, privilege_abuse, inter_agent"
                         " FROM agent_hours ORDER BY agent_name")  # fmt: skip
    assert found == [("coder", 2, 2, 0, 0, 1), ("lonely", 1, 1, 0, 0, 0), ("mailer", 1, 1, 0, 1, 0),
                     ("planner", 3, 3, 1, 0, 0)]  # fmt: skip
    edges = rows(client, "SELECT from_agent, agent_name, service_name, steps, handoffs, traces, flagged,"
                         " flagged_after_flagged FROM agent_edges ORDER BY agent_name")  # fmt: skip
    assert edges == [("planner", "coder", "ops", 1, 0, 1, 1, 0), ("planner", "mailer", "mail", 1, 1, 1, 1, 1)]
