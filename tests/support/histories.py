"""Rows for the tests of the KPIs, and how the views are asked."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np

from detectors.intervals import wilson

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILLED = (
    "service_hours", "stage_hours", "probe_minutes", "service_policies", "reporting_rules", "telemetry", "windows",
    "dead_letters",
    "findings", "incident_transitions", "incident_evidence", "review_items", "review_labels", "service_minutes",
    "counted_hours", "counted_minutes", "window_hours", "window_minutes", "horizons", "guard_verdicts",
    "inferences", "category_minutes", "stage_minutes", "evaluations", "retrievals",
)  # fmt: skip
BY_OFFSET = ("review_labels", "telemetry", "guard_verdicts")
"""Tables whose rows are told apart by where they came from."""

_WINDOWS = "since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}"
_VERSIONS = f"{_WINDOWS}, versions={{versions:UInt8}}"
_KNOWN = "known_at={known_at:DateTime('UTC')}"
ARGUMENTS = {
    "kpis": f"{_VERSIONS}, objective=0.99, {_KNOWN}",
    "kpi_shares": _VERSIONS,
    "kpi_guards": _WINDOWS,
    "kpi_known_shares": _VERSIONS,
    "kpi_losses": _WINDOWS,
    "kpi_totals": _VERSIONS,
    "kpi_uptimes": f"{_VERSIONS}, objective=0.99",
    "kpi_outputs": f"{_VERSIONS}, objective=0.99",
    "kpi_latencies": _VERSIONS,
    "kpi_durations": _WINDOWS,
    "kpi_reviewed": f"{_VERSIONS}, {_KNOWN}",
    "kpi_agreements": _WINDOWS,
    "kpi_guard_quality": f"{_WINDOWS}, {_KNOWN}",
    "kpi_calls": _VERSIONS,
    "kpi_refusals": _VERSIONS,
    "kpi_guard_time": _VERSIONS,
    "kpi_quality_codes": _VERSIONS,
    "kpi_call_burn_rates": "at={until:DateTime('UTC')}",
    "kpi_axis_outputs": f"{_VERSIONS}, objective=0.99",
    "kpi_axis_uptimes": f"{_VERSIONS}, objective=0.99",
    "kpi_evaluations": "until={until:DateTime('UTC')}",
    "kpi_burn_rates": "objective=0.99, at={until:DateTime('UTC')}",
}
"""What each family of views is asked with."""


def fill(client, **tables):
    """Empty the store and insert rows, given as dicts; columns that are not given have their defaults."""
    for name in FILLED:
        client.command(f"TRUNCATE TABLE {name}")
    for name, given in tables.items():
        rows = [{"kafka_offset": offset} | row for offset, row in enumerate(given)] if name in BY_OFFSET else given
        columns = sorted({column for row in rows for column in row})
        if rows:
            client.insert(name, [[row[column] for column in columns] for row in rows], column_names=columns)
    judge(client)


def judge(client):
    """Have the trust of each hour judged now; the store does it every ten seconds."""
    client.command("SYSTEM REFRESH VIEW trust_hours_judged")
    client.command("SYSTEM WAIT VIEW trust_hours_judged")


def counts(hour, service="a", version="m", events=10, **fields):
    """Return a row of the hours; an output that one guard judged for each event, unless told otherwise."""
    row = {
        "hour": START + hour * HOUR, "service_name": service, "model_version": version, "events": events,
        "unsafe_served_trials": events, "unsafe_served": 0, "unsafe_attempted_trials": events, "unsafe_attempted": 0,
        "injection_flag_trials": events, "injection_flag": 0, "over_refusal_trials": 0, "over_refusal": 0,
        "leak_trials": events, "leak": 0, "error_trials": events, "error": 0, "kafka_partition": 0,
        "outputs_by_guards": {"g": events}, "served_by_guards": {"g": events}, "unsafe_by_severity": {},
    }  # fmt: skip
    return row | fields


def ask(client, view="kpis", hours=24, *, step=None, versions=0, known_at=None):
    """Return {(kpi, part, window, service, version): row} of a family of KPIs."""
    until = START + hours * HOUR
    query = f"SELECT * FROM {view}({ARGUMENTS[view]})"
    parameters = {
        "since": START, "until": until, "step": step or hours * 3600, "versions": versions,
        "known_at": known_at or datetime(2100, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    result = client.query(query, parameters=parameters)
    rows = [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
    found = {}
    for row in rows:
        window = round((row["window_start"].replace(tzinfo=UTC) - START) / timedelta(seconds=parameters["step"]))
        key = (row["kpi"], row["part"], window, row["service_name"], row["model_version"])
        assert key not in found, f"{key} twice"
        found[key] = row
    return found


def of(rows, kpi):
    """Return {(window, service, version): row} of one KPI without parts."""
    return {key[2:]: row for key, row in rows.items() if key[0] == kpi}


def holds(row, numerator, n):
    """Tell whether a row is the share of two counts, with Wilson's interval."""
    if n == 0:
        return row["n"] == 0 and row["value"] is None and row["lower"] is None and row["upper"] is None
    low, high = wilson(np.array([float(numerator)]), np.array([float(n)]))
    wanted = (numerator / n, low[0], high[0])
    return row["n"] == n and near((row["value"], row["lower"], row["upper"]), wanted)


def near(found, wanted):
    """Tell whether numbers, some of which may be None, are equal but for rounding."""
    return all(
        a is b is None or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9))
        for a, b in zip(found, wanted, strict=True)
    )
