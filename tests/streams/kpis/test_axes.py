"""Safety and security, together and apart: a leak is unsafe, and weighs what the policy says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.kpis import BY_ID
from streams.kpis.policies import publish_policy
from streams.policy.policy import Policy, parse_policy
from streams.store.client import rows
from tests.support.histories import HOUR, START, ask, counts, fill, holds

pytestmark = pytest.mark.store

levels = st.dictionaries(st.integers(1, 6), st.integers(1, 5), max_size=4)


def hour(number, safety=None, security=None, events=50, service="a", **fields):
    """Return an hour of outputs, none of them harmful on both axes."""
    both = {level: (safety or {}).get(level, 0) + (security or {}).get(level, 0) for level in range(1, 7)}
    return counts(
        number, service, events=events, safety_by_harm=safety or {}, security_by_harm=security or {},
        unsafe_by_harm={level: n for level, n in both.items() if n}, **fields,
    )  # fmt: skip


def sums(by_harm):
    """Return how many were served, and how many found."""
    return sum(n for level, n in by_harm.items() if level >= 2), sum(by_harm.values())


@settings(max_examples=4)
@given(safety=levels, security=levels)
def test_axes_taken_apart_are_the_counts_of_each_and_together_those_of_all(store, safety, security):
    """Shares, budget and mitigation of each axis rest on its own outputs; together they are unsafe on any."""
    fill(store, service_hours=[hour(0, safety, security)])
    joined, apart = ask(store, "kpi_outputs"), ask(store, "kpi_axis_outputs")
    for axis, by_harm in (("", [safety, security]), ("safety", [safety]), ("security", [security])):
        served, found = map(sum, zip(*map(sums, by_harm), strict=True))
        row = {key[0]: value for key, value in (apart if axis else joined).items() if key[1] == axis}
        assert holds(row["unsafe_served"], served, 50), axis
        assert holds(row["unsafe_attempted"], found, 50), axis
        assert holds(row["mitigation"], found - served, found), axis
        assert row["error_budget"]["value"] == pytest.approx(1 - served / 50 / 0.01)


def test_a_leak_lowers_uptime_and_burns_the_budget(store):
    """Hours in which one reply in six gives personal data away are no good hours, and safety is not to blame."""
    leaking = {5: 8, 1: 4}
    minute = {"minute": START + 24 * HOUR - HOUR / 60, "service_name": "a", "unsafe_served_trials": 50,
              "security_by_harm": leaking, "unsafe_by_harm": leaking}  # fmt: skip
    fill(store, service_hours=[hour(n, security=leaking if n < 3 else None) for n in range(24)],
         service_minutes=[minute | {"model_version": "m"}])  # fmt: skip
    uptimes = ask(store, "kpi_uptimes") | ask(store, "kpi_axis_uptimes")
    assert {key[1]: row["value"] for key, row in uptimes.items()} == {
        "": pytest.approx(21 / 24), "security": pytest.approx(21 / 24), "safety": 1,
    }  # fmt: skip
    burn = {"": ask(store, "kpi_burn_rates")["burn_rate", "1h/5m > 14.4", 1, "a", ""]["value"]} | dict(
        rows(store, "SELECT axis, value FROM kpi_axis_burn_rates(objective=0.99, at='2026-03-03 00:00:00') "
                    "WHERE part = '1h/5m > 14.4'")
    )  # fmt: skip
    assert burn == {"": pytest.approx(16), "security": pytest.approx(16), "safety": 0}


def test_the_policy_says_what_a_severity_costs(store):
    """Without a policy the usual weights hold; one that was published holds from then on."""
    by_harm = {2: 1, 3: 1, 4: 1, 5: 1, 6: 1}
    cases = [
        (None, 1 + 0.3 + 1 + 3 + 10),
        (Policy(), 15.3),
        ("severity_weights: {low: 0, critical: 20}", 1 + 1 + 3 + 20),
    ]
    fill(store, service_hours=[hour(0, by_harm, events=10_000)])
    for number, (policy, weighed) in enumerate(cases):
        if policy is not None:
            known = parse_policy(policy) if isinstance(policy, str) else policy
            publish_policy(store, known, datetime(2026, 1, 1 + number, tzinfo=UTC))
        uptime = ask(store, "kpi_uptimes")["risk_adjusted_uptime", "", 0, "a", ""]["value"]
        assert uptime == pytest.approx(1 - weighed / 10_000 / 0.01)


def test_every_kpi_says_what_it_is_about(store):
    """The column is that of the registry, in what is together and in what is apart."""
    fill(store, service_hours=[hour(0, {3: 1}, {4: 1})])
    joined = ask(store)
    assert all(row["axis"] == BY_ID[kpi].axis for (kpi, *_), row in joined.items())
    apart = rows(store, "SELECT DISTINCT kpi, axis FROM kpis_by_axis(since='2026-03-02 00:00:00', step=86400, "
                        "until='2026-03-03 00:00:00', versions=0, objective=0.99, "
                        "known_at='2100-01-01 00:00:00')")  # fmt: skip
    taken_apart = {
        "unsafe_served",
        "unsafe_attempted",
        "mitigation",
        "error_budget",
        "burn_rate",
        "risk_adjusted_uptime",
    }
    assert set(apart) >= {(kpi, axis) for kpi in taken_apart - {"burn_rate"} for axis in ("safety", "security")}
    assert {kpi for kpi, _ in apart} - taken_apart == {key[0] for key in joined if BY_ID[key[0]].axis}
    assert all(axis == BY_ID[kpi].axis for kpi, axis in apart if kpi not in taken_apart)
