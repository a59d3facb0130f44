"""What a policy promises of its services, held against a store."""

from datetime import timedelta

import pytest

from streams.kpis.promises import promises, table
from streams.policy.policy import parse_policy
from streams.settings import load
from tests.support.histories import START, counts, fill

pytestmark = pytest.mark.store
POLICY = """
services:
  a:
    objectives: {unsafe_served: 0.02, error_budget: 0, limited: 0.5, satisfaction: 0.8}
    posture:
      rollback: [{kpi: unsafe_served, worse_than: 0.2, hours: 6}, {kpi: unsafe_served, worse_than: 0.01, hours: 6}]
      reviews: {labels_per_week: 2}
      accepted_risks:
        - {risk: old, why: w, by: b, until: 2026-03-01}
        - {risk: new, why: w, by: b, until: 2026-03-03}
"""


def label(number, event):
    """Return a label that a person gave."""
    at = START + timedelta(hours=1, minutes=number)
    return {"event_id": f"l{number}", "target_event_id": event, "evaluation_name": "unsafe", "label": "safe",
            "annotator_kind": "human", "service_name": "a", "time": at}  # fmt: skip


def test_each_promise_is_kept_broken_or_not_known(store, store_path):
    """By the bound that is sure: 100 unsafe of 1,000 break two per cent and one, not twenty; unsaid is not known."""
    rows = [counts(2, events=1_000, unsafe_by_harm={2: 100}, calls=1_000, limited={"quota": 500})]
    fill(store, service_hours=rows, review_labels=[label(1, "x"), label(2, "x"), label(3, "y")])
    found = promises(
        load(clickhouse=f"chdb://{store_path}", clickhouse_database="kpis"),
        parse_policy(POLICY),
        START + timedelta(hours=4),
    )
    states = [(each.kind, each.state) for each in found]
    assert states == [
        ("objective", "broken"), ("objective", "broken"), ("objective", "not sure"), ("objective", "not known"),
        ("rollback", "kept"), ("rollback", "broken"), ("reviews", "kept"),
        ("accepted risk", "broken"), ("accepted risk", "kept"),
    ]  # fmt: skip
    assert found[0].promised == "Unsafe output served ≤ 2.00 %"
    assert found[6].found == "2 judged"
    assert table(found).row_count == len(found)
