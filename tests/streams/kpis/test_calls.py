"""Errors and latency against what the policy wants of a service: shares, budgets, burn rates."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.kpis.policies import publish_policy
from streams.policy.policy import parse_policy
from tests.support.histories import HOUR, START, ask, counts, fill, holds, of

pytestmark = pytest.mark.store

WANTED = {"a": (0.02, 1_000.0, 0.1), "b": (0.05, 4_000.0, 0.2)}
"""Of a service that the policy names, and of those that it does not."""
POLICY = """
defaults: {calls: {errors: 0.05, slow_ms: 4000, slow: 0.2}}
services: {a: {calls: {errors: 0.02, slow_ms: 1000, slow: 0.1}}}
"""


def keep_policy(store, **tables):
    """Fill a store and keep the policy that was published."""
    fill(store, **tables)
    publish_policy(store, parse_policy(POLICY), datetime(2026, 3, 1, tzinfo=UTC))


@settings(max_examples=4)
@given(
    bins=st.dictionaries(st.sampled_from([40, 79, 80, 95, 96, 120]), st.integers(1, 30), min_size=1),
    failed=st.integers(0, 20),
)
def test_shares_and_budgets_are_held_against_the_policy_of_the_service(store, bins, failed):
    """A call is slow from the limit of its service on, and a budget is what its tolerance leaves."""
    keep_policy(store, service_hours=[
        counts(0, service, error_trials=20, error=failed, latency_bins=bins) for service in "ab"
    ])  # fmt: skip
    found = ask(store, "kpi_calls")
    for service, (errors, slow_ms, slow) in WANTED.items():
        late = sum(n for at, n in bins.items() if at >= math.ceil(8 * math.log2(slow_ms)))
        for kpi, bad, n, tolerated in (
            ("call_error", failed, 20, errors), ("slow_call", late, sum(bins.values()), slow),
        ):  # fmt: skip
            share = of(found, f"{kpi}s")[0, service, ""]
            budget = of(found, f"{kpi}_budget")[0, service, ""]
            assert holds(share, bad, n)
            assert budget["value"] == pytest.approx(1 - bad / n / tolerated)
            assert budget["lower"] == pytest.approx(1 - share["upper"] / tolerated)
            assert budget["upper"] == pytest.approx(1 - share["lower"] / tolerated)


def test_without_a_policy_the_usual_holds_and_without_calls_nothing_is_known(store):
    """One error in a hundred and one slow call in twenty are tolerated; an hour without calls has no budget."""
    fill(store, service_hours=[counts(0, error_trials=200, error=4, latency_bins={80: 95, 120: 5}),
                               counts(0, "b", error_trials=0, latency_bins={})])  # fmt: skip
    found = ask(store, "kpi_calls")
    assert of(found, "call_error_budget")[0, "a", ""]["value"] == pytest.approx(-1)
    assert of(found, "slow_call_budget")[0, "a", ""]["value"] == pytest.approx(0)
    assert {row["value"] for key, row in found.items() if key[3] == "b"} == {None}


def test_budgets_burn_at_the_rate_of_their_own_tolerance(store):
    """A tenth of failed calls burns a budget of two per cent five times as fast as it may, of five per cent twice."""
    minutes = [
        {"minute": START + 24 * HOUR - HOUR / 60, "service_name": service, "model_version": "m", "error_trials": 100,
         "error": 10, "latency_bins": {70: 60, 90: 40}}
        for service in "ab"
    ]  # fmt: skip
    keep_policy(store, service_hours=[counts(23), counts(23, "b")], service_minutes=minutes)
    found = ask(store, "kpi_call_burn_rates")
    part = "1h/5m > 14.4"
    burning = {key[3]: found["call_error_burn_rate", part, 1, key[3], ""]["value"] for key in found}
    assert burning == {"a": pytest.approx(5), "b": pytest.approx(2)}
    slow = {service: found["slow_call_burn_rate", part, 1, service, ""]["value"] for service in "ab"}
    assert slow == {"a": pytest.approx(4), "b": 0}
