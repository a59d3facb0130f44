"""Calls that a limit turned away: an outcome of its own, a KPI, and who it fell on."""

import pytest

from schemas.events import Inference
from streams.dialects.registry import dialect_of
from streams.watch.counted import counted
from tests.streams.dialects.test_gateways import KONG
from tests.streams.events.test_decode import NOW_MS
from tests.streams.kpis.test_rollups import write
from tests.support.histories import ask, counts, fill, holds, of

BASE = {
    "event_type": "ai.safety.inference.v1", "event_id": "e", "source": "shop/assistant", "service_name": "assistant",
    "time_unix_nano": 1_770_000_000_000_000_000, "session_id": "s",
}  # fmt: skip


@pytest.mark.parametrize("word", [{}, {"error_type": "429"}, {"outcome_source": "quota"}])
def test_a_limit_is_no_error_no_output_and_no_block(word):
    """Nobody answered and nothing failed: the call is a trial of no rate, whatever type of error it came with."""
    [found] = counted([BASE | {"outcome": "rate_limited"} | word])
    assert (found.refused, found.trials, found.flagged) == (None, (), ())


def test_what_a_guard_saw_before_the_limit_counts():
    """An input guard that judged the request before it was turned away makes it a trial of what it looked for."""
    guard = {"guard_name": "g", "layer": "input", "status": "ok", "verdict": "flag",
             "findings": [{"category": "sec.jailbreak"}]}  # fmt: skip
    [found] = counted([BASE | {"outcome": "rate_limited", "guards": [guard]}])
    assert (set(found.trials), set(found.flagged)) == (
        {"injection_flag", "prompt_pii", "guard_failure"}, {"injection_flag"},
    )  # fmt: skip


@pytest.mark.parametrize(("said", "outcome"), [
    ({"upstream_status": None, "ai": {"proxy": {"meta": {"request_model": "gpt-4o"}}}}, "rate_limited"),
    ({"upstream_status": None}, "error"), ({"upstream_status": 429}, "error"),
])  # fmt: skip
def test_a_gateways_limit_is_told_from_a_providers(said, outcome):
    """Kong turned the call away itself where no provider was asked; a provider's 429 failed the service."""
    record = KONG | {"response": {"status": 429}} | said
    [event] = dialect_of(record).translate(record).events
    assert event["outcome"] == outcome


@pytest.mark.store
def test_who_was_turned_away_by_what(store):
    """The KPI is the share of calls; the view tells tenants and limits apart, with the share of the whole service."""
    fill(store, service_hours=[
        counts(0, calls=80, tenant_id="big", limited={}),
        counts(0, calls=20, tenant_id="small", limited={"quota": 9, "budget": 1}),
    ])  # fmt: skip
    assert holds(of(ask(store, "kpi_known_shares"), "limited")[0, "a", ""], 10, 100)
    found = store.query(
        "SELECT tenant_id, limited_by, limited, calls, share, share_of_service FROM limits ORDER BY limited"
    )
    assert [tuple(row) for row in found.result_rows] == [
        ("small", "budget", 1, 20, 0.05, 0.01), ("small", "quota", 9, 20, 0.45, 0.09),
    ]  # fmt: skip


@pytest.mark.store
def test_limits_are_summed_from_events(store):
    """History sums the calls that were turned away by kind of limit, and no duration of them is one of a model."""
    fill(store)
    base = {"source": "s", "service_name": "a", "model_version": "m", "time_unix_nano": NOW_MS * 1_000_000}
    write(store, [
        Inference(**base, event_id="1", outcome="rate_limited", outcome_source="quota", duration_ms=1.0,
                  error_type="429"),
        Inference(**base, event_id="2", outcome="rate_limited"), Inference(**base, event_id="3", outcome="completed"),
        Inference(**base, event_id="4", outcome="rate_limited", superseded=True),
    ])  # fmt: skip
    found = store.query("SELECT calls, limited, latency_bins, error_trials FROM service_minutes_now").result_rows
    assert [tuple(row) for row in found] == [(3, {"quota": 1, "unknown": 1}, {}, 1)]
