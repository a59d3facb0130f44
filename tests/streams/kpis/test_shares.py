"""Shares of counts, by the hour or over a period, against the sums of a plain loop."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import HOUR, START, ask, counts, fill, holds, of

pytestmark = pytest.mark.store


@st.composite
def cells(draw):
    """Return the row of one service, version, hour and partition."""
    events = draw(st.integers(1, 40))
    attempted = draw(st.integers(0, events))
    judged, bare = draw(st.integers(0, events)), draw(st.integers(0, events))
    sets = {"g": events - bare, "": bare}
    return counts(
        draw(st.integers(0, 5)), draw(st.sampled_from("ab")), draw(st.sampled_from("mn")), events,
        unsafe_attempted=attempted, unsafe_served=draw(st.integers(0, attempted)),
        injection_flag=draw(st.integers(0, events)), over_refusal_trials=judged,
        over_refusal=draw(st.integers(0, judged)), leak=draw(st.integers(0, events)),
        kafka_partition=draw(st.integers(0, 1)), outputs_by_guards=sets, served_by_guards={"": bare // 2, "g": 1},
    )  # fmt: skip


histories = st.lists(
    cells(),
    min_size=1,
    max_size=8,
    unique_by=lambda row: (row["hour"], row["service_name"], row["model_version"], row["kafka_partition"]),
)

SHARES = {
    "unsafe_served": ("unsafe_served", "unsafe_served_trials"),
    "unsafe_attempted": ("unsafe_attempted", "unsafe_attempted_trials"),
    "injection_flag": ("injection_flag", "injection_flag_trials"),
    "over_refusal": ("over_refusal", "over_refusal_trials"),
    "mitigation": ("stopped", "unsafe_attempted"),
    "guard_coverage": ("covered", "outputs"),
    "fail_open": ("exposed", "served"),
}


def totals(rows, step, *, versions):
    """Return {(window, service, version): {name: sum}}."""
    sums = defaultdict(lambda: defaultdict(int))
    for row in rows:
        cell = sums[(row["hour"] - START) // (step * HOUR), row["service_name"], row["model_version"] * versions]
        for name, value in row.items():
            if isinstance(value, int):
                cell[name] += value
        cell["stopped"] += row["unsafe_attempted"] - row["unsafe_served"]
        cell["outputs"] += sum(row["outputs_by_guards"].values())
        cell["covered"] += row["outputs_by_guards"]["g"]
        cell["served"] += sum(row["served_by_guards"].values())
        cell["exposed"] += row["served_by_guards"][""]
    return sums


@settings(max_examples=4)
@given(rows=histories, step=st.sampled_from([1, 3, 24]), versions=st.booleans())
def test_shares_are_sums_over_sums(store, rows, step, versions):
    """Every share is of the counts of its window, whatever the windows, versions and partitions.

    Those of guards are the same from the judged hours, where versions are together.
    """
    fill(store, service_hours=rows)
    asked = {"step": step * 3600, "versions": int(versions)}
    found, wanted = ask(store, "kpi_shares", **asked), totals(rows, step, versions=versions)
    for kpi, (numerator, n) in SHARES.items():
        of_kpi = of(found, kpi)
        known = {key: row for key, row in of_kpi.items() if row["n"]}
        assert set(known) == {key for key, cell in wanted.items() if cell[n]}, kpi
        assert all(holds(row, wanted[key][numerator], wanted[key][n]) for key, row in known.items()), kpi
        assert all(holds(row, 0, 0) for key, row in of_kpi.items() if key not in known), kpi
    if not versions:
        both = ask(store, "kpi_guards", **asked)
        assert both == {key: row for key, row in found.items() if key[0] in {"guard_coverage", "fail_open"}}
    leaks = {key: row["value"] for key, row in of(ask(store, "kpi_totals", **asked), "leak_events").items() if row["n"]}
    assert leaks == {key: cell["leak"] for key, cell in wanted.items()}


def test_the_later_version_of_a_row_counts(store):
    """A repeat of an hour replaces it."""
    fill(store, service_hours=[counts(0, version="m") | {"version": 1}, counts(0, events=20) | {"version": 2}])
    assert of(ask(store, "kpi_shares"), "unsafe_served")[0, "a", ""]["n"] == 20


def test_the_hourly_view_says_the_same_as_the_period(store):
    """`kpis_hourly` has the same shares with the hour and the version."""
    fill(store, service_hours=[counts(0, unsafe_served=2, unsafe_attempted=3, over_refusal_trials=4, over_refusal=1)])
    found = {row["kpi"]: row for row in store.query("SELECT * FROM kpis_hourly").named_results()}
    row = found["unsafe_served"]
    assert (row["model_version"], row["n"], row["trust"]) == ("m", 10, "trusted")
    assert holds(row, 2, 10)
    assert holds(found["over_refusal"], 1, 4)


@settings(max_examples=3)
@given(rows=histories)
def test_uptime_and_budget_follow_their_formulas(store, rows):
    """Budget left is 1 - p / tolerated; uptime is the mean over hours of up times one less the risk."""
    rows = [row | {"unsafe_by_severity": {3: row["unsafe_served"]}, "error": row["events"] // 4} for row in rows]
    fill(store, service_hours=rows)
    found = ask(store, "kpi_uptimes") | ask(store, "kpi_outputs")
    hours = totals(rows, 1, versions=False)
    for (_, service, _), cell in totals(rows, 24, versions=False).items():
        budget = found["error_budget", "", 0, service, ""]
        assert budget["value"] == pytest.approx(1 - cell["unsafe_served"] / cell["events"] / 0.01)
        each = [
            (1 - hour["error"] / hour["events"])
            * (1 - min(1, (3 if hour["unsafe_served"] else 1) * hour["unsafe_served"] / hour["events"] / 0.01))
            for (_, name, _), hour in hours.items()
            if name == service
        ]
        uptime = found["risk_adjusted_uptime", "", 0, service, ""]
        assert (uptime["value"], uptime["n"]) == (pytest.approx(sum(each) / len(each)), len(each))
        assert uptime["lower"] <= uptime["value"] <= uptime["upper"]


def test_the_bounds_of_uptime_say_something_where_nothing_unsafe_was_served(store):
    """A day of 500 clean outputs an hour can't be far below 1; with one output an hour, nothing is known."""
    for each, floor in ((500, 0.95), (1, 0.0)):
        fill(store, service_hours=[counts(hour, "a", "m", each, unsafe_served=0) for hour in range(24)])
        uptime = ask(store, "kpi_uptimes")["risk_adjusted_uptime", "", 0, "a", ""]
        n = 24 * each
        high = 1.96**2 / (n + 1.96**2)  # Wilson's upper bound of none among n
        assert uptime["value"] == uptime["upper"] == 1
        assert uptime["lower"] == pytest.approx(1 - min(1, high / 0.01), abs=1e-4)
        assert uptime["lower"] >= floor
