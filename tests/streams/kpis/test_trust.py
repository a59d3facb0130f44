"""A KPI over telemetry that is not whole says so, and is never green for want of events."""

import json
from datetime import timedelta

import pytest

from streams.kpis.policies import publish_policy
from streams.policy.policy import parse_policy
from tests.support.histories import HOUR, START, ask, counts, fill, judge, of

pytestmark = pytest.mark.store


def trusts(store, column="trust"):
    """Return {(hour, service): reason} of the hours that can't be trusted, and of none that can."""
    rows = store.query("SELECT * FROM kpi_trust").named_results()
    return {
        (int((row["window_start"].replace(tzinfo=START.tzinfo) - START) / HOUR), row["service_name"]): row[
            f"{column}_reason"
        ]
        for row in rows
        if row[column] == "untrusted"
    }


def hours(*services):
    """Return five hours of each service."""
    return [counts(hour, service) for service in services for hour in range(5)]


def test_whole_telemetry_is_trusted(store):
    """Without anything amiss every hour of every service is trusted."""
    fill(store, service_hours=hours("a", "b"))
    assert trusts(store) == {}
    assert trusts(store, "guard_trust") == {}


def test_an_hour_without_events_is_not_known(store):
    """In the life of a service a silent hour is untrusted and its values are NULL: neither zero nor green."""
    fill(
        store,
        service_hours=[row for row in hours("a", "b") if (row["hour"], row["service_name"]) != (START + 2 * HOUR, "b")],
    )
    assert trusts(store) == {(2, "b"): "no events"}
    silent = {key[0]: row for key, row in ask(store, step=3600).items() if key[2:4] == (2, "b")}
    assert {"unsafe_served", "leak_events", "leak_incidents", "drift_open", "guard_coverage"} <= set(silent)
    assert {row["value"] for row in silent.values()} == {None}
    assert {row["trust"] for row in silent.values()} == {"untrusted"}
    whole = of(ask(store, "kpi_shares"), "unsafe_served")[0, "b", ""]
    assert (whole["trust"], whole["trust_reason"], whole["n"]) == ("untrusted", "1 of 5 hours, first: no events", 40)


def test_a_service_that_went_silent_stays_untrusted_for_a_week(store):
    """It is untrusted up to the newest hour of the fleet, and has ended when that is a week away."""
    fill(store, service_hours=[counts(0, "a"), counts(6, "b"), counts(9, "b")])
    assert set(trusts(store)) == {(hour, "a") for hour in range(1, 10)} | {(7, "b"), (8, "b")}
    fill(store, service_hours=[counts(0, "a"), counts(24 * 8, "b")])
    assert trusts(store) == {}


def test_a_gap_makes_its_hours_untrusted(store):
    """Hours that a gap overlaps are untrusted, the others not; one that is not over lasts to the newest hour."""
    gap = {
        "finding_id": "1", "kind": "telemetry", "service_name": "a", "verdict": "lagging",
        "onset_time": START + timedelta(minutes=70), "detected_time": START + 2 * HOUR, "opened_finding_id": "",
    }  # fmt: skip
    over = gap | {
        "finding_id": "2", "kind": "recovery", "detected_time": START + timedelta(hours=2, minutes=5),
        "onset_time": START + 2 * HOUR, "opened_finding_id": "1",
    }  # fmt: skip
    fill(store, service_hours=hours("a", "b"), findings=[gap, over])
    assert trusts(store) == {(1, "a"): "telemetry lagging", (2, "a"): "telemetry lagging"}
    fill(store, service_hours=hours("a", "b"), findings=[gap])
    assert set(trusts(store)) == {(hour, "a") for hour in range(1, 5)}


def test_lost_events_make_untrusted(store):
    """What an emitter dropped or refused is named, and counted in the share of lost events."""
    words = [{"time": START, "service_name": "a", "event_id": str(number), "dropped": 2, "refused": 1}
             for number in range(2)]  # fmt: skip
    fill(store, service_hours=hours("a"), telemetry=words)
    assert trusts(store) == {(0, "a"): "6 events lost at the source"}
    assert of(ask(store, "kpi_losses"), "lost_events")[0, "a", ""]["value"] == pytest.approx(6 / 56)


def letter(offset, value, reason="invalid"):
    """Return a dead letter that was written long after its event."""
    return {
        "time": START + 100 * HOUR, "origin_topic": "x.inference.v1", "origin_topic_id": "i", "origin_partition": 0,
        "origin_offset": offset, "reason": reason, "value": value,
    }  # fmt: skip


def test_refused_events_make_untrusted(store):
    """A dead letter counts in the hour and service of its event; one that names no service, for all of them."""
    claimed = int((START + HOUR).timestamp()) * 10**9
    named = letter(1, json.dumps({"service_name": "a", "time_unix_nano": claimed}))
    fill(store, service_hours=hours("a", "b"), dead_letters=[named])
    assert trusts(store) == {(1, "a"): "1 events refused"}
    unnamed = letter(2, json.dumps({"time_unix_nano": claimed}))
    fill(store, service_hours=hours("a", "b"), dead_letters=[unnamed])
    assert set(trusts(store)) == {(1, "a"), (1, "b")}


def test_bytes_that_are_no_json_do_not_break_the_view(store):
    """What can't be read counts at the time it was refused."""
    fill(store, service_hours=[counts(100, "a")], dead_letters=[letter(1, "\x00{")])
    assert set(trusts(store)) == {(100, "a")}


@pytest.mark.parametrize(("late", "reasons"), [(2, {(1, "a"): "2 events late"}), (0, {})])
def test_late_events_make_untrusted(store, late, reasons):
    """More than one in twenty late; a window stored twice, with a row for each rate, counts once."""
    cell = {
        "time": START + HOUR, "tick": 7, "tick_seconds": 10, "source_topic_id": "i", "source_partition": 0,
        "service_name": "a", "model_version": "m", "metric": "error", "late": late,
    }  # fmt: skip
    fill(store, service_hours=hours("a"), windows=[cell, cell, cell | {"metric": "leak"}])
    assert trusts(store) == reasons
    assert of(ask(store, "kpi_losses"), "late_events")[0, "a", ""]["value"] == late / 50


POLICY = """
defaults: {required_guards: [g]}
services:
  a: {owner: team, runbook: https://example.org/a, required_guards: [g, h]}
  b: {owner: team}
"""


def test_what_no_guard_saw_makes_the_rates_of_guards_untrusted(store):
    """Coverage is against the guards that the policy requires, of the service or else of all; below 99 % it shows."""
    fill(store, service_hours=[
        counts(0, "a", events=100, outputs_by_guards={"g": 2, "g\x1fh": 98}, served_by_guards={"g": 1, "g\x1fh": 98}),
        counts(0, "b", events=100, outputs_by_guards={"": 100}, served_by_guards={"": 100}),
        counts(0, "c", events=100, outputs_by_guards={"g": 100}, served_by_guards={"g": 100}),
        counts(0, "d", events=100, outputs_by_guards={"h": 100}, served_by_guards={"h": 100}),
    ])  # fmt: skip
    publish_policy(store, parse_policy("services: {d: {required_guards: [x]}}"), START)
    publish_policy(store, parse_policy(POLICY), START + HOUR)
    judge(store)
    found = ask(store, "kpi_shares")
    covered = {key[1]: row["value"] for key, row in of(found, "guard_coverage").items()}
    assert covered == {"a": 0.98, "b": 0.0, "c": 1.0, "d": 0.0}
    assert of(found, "fail_open")[0, "a", ""]["value"] == pytest.approx(1 / 99)
    assert trusts(store) == {}
    assert trusts(store, "guard_trust")[0, "a"] == "guard coverage 98 %"
    assert of(found, "unsafe_served")[0, "a", ""]["trust"] == "untrusted"
    assert of(found, "guard_coverage")[0, "a", ""]["trust"] == "trusted"


def test_governance_is_the_share_of_what_is_written_down(store):
    """A service has a policy, a guard, a runbook and an owner, or some of them; the whole counts those with all."""
    fill(store, service_hours=hours("a", "b", "c"))
    unknown = store.query("SELECT DISTINCT value, trust FROM kpi_governance_now").result_rows
    assert list(map(tuple, unknown)) == [(None, "untrusted")]
    publish_policy(store, parse_policy(POLICY), START)
    shares = dict(store.query("SELECT service_name, value FROM kpi_governance_now").result_rows)
    assert shares == {"": pytest.approx(1 / 3), "a": 1.0, "b": 0.5, "c": 0.0}


def test_an_empty_store_answers(store):
    """Every view returns no row or values that are NULL, never an error."""
    fill(store)
    assert all(row["value"] is None for row in ask(store).values())
    assert all(row["value"] is None for row in store.query("SELECT * FROM kpis_hourly").named_results())


def both_paths(rows, windows, closed=3 * HOUR, *, partitions=1):
    """Return an hour of one partition on both paths, given as events by hour, and how far they are closed."""
    sides = {"counted_hours": (rows, {"kafka_topic_id": "i", "kafka_partition": 0}),
             "window_hours": (windows, {"source_topic_id": "i", "source_partition": 0})}  # fmt: skip
    filled = {
        name: [
            place | {"hour": START + hour * HOUR, "service_name": service, "events": events}
            for (hour, service), events in side.items()
        ]
        for name, (side, place) in sides.items()
    }
    place = {"source_topic_id": "i", "source_partition": 0, "partitions": partitions, "noted_at": START,
             "closed": START + closed}  # fmt: skip
    horizons = [place | {"path": "rows", "kafka_partition": -1}, place | {"path": "windows", "kafka_partition": 0}]
    return filled | {"horizons": horizons}


WHOLE = {(hour, service): 10 for hour in range(5) for service in ("a", "b")}


@pytest.mark.parametrize(
    ("rows", "windows", "partitions", "expected"),
    [
        ({}, {}, 1, {}),
        ({}, {(1, "a"): 7}, 1, {(1, "a"): "windows hold fewer events than rows: 7 of 10"}),
        ({(1, "a"): 7}, {}, 1, {(1, "a"): "rows hold fewer events than windows: 7 of 10"}),
        ({}, {(4, "a"): 7}, 1, {}),  # not closed yet
        ({}, {(1, "a"): 7}, 2, {}),  # another partition of the windows has not been read
        ({}, {(1, "a"): 7, (1, "~other"): 3}, 1, {}),  # too many services, summed as one
    ],
)
def test_hours_of_which_the_paths_differ_are_untrusted(store, rows, windows, partitions, expected):
    """Closed ticks that rows and windows count differently make their hour untrusted, what is open does not."""
    fill(store, service_hours=hours("a", "b"), **both_paths(WHOLE | rows, WHOLE | windows, partitions=partitions))
    assert trusts(store) == expected
