"""What suites say of the version that serves, held against production."""

from datetime import timedelta

import numpy as np
import pytest

from detectors.intervals import wilson
from tests.support.histories import START, ask, counts, fill, holds

pytestmark = pytest.mark.store


def run(name, category="sec.jailbreak", version="m", *, days=1, **fields):
    """Return a run of one test, so many days before the end."""
    row = {"event_id": name, "service_name": "a", "model_version": version, "suite": "s", "test_name": name[0],
           "category": category, "items": 200, "failed": 2, "time": START + timedelta(days=7 - days)}  # fmt: skip
    return row | fields


def met(category, findings, version="m"):
    """Return findings on outputs of one minute of the last day."""
    return {"minute": START + timedelta(days=6, hours=1), "service_name": "a", "model_version": version,
            "category": category, "layer": "output", "findings": findings}  # fmt: skip


def found(store, **tables):
    """Return what the KPIs say at the end of the week, by KPI and part."""
    fill(store, service_hours=[counts(145, events=1_000, calls=1_000), counts(145, version="old", events=9, calls=9)],
         **tables)  # fmt: skip
    return {key[:2]: row for key, row in ask(store, "kpi_evaluations", hours=168).items() if key[3] == "a"}


def bounds(k, n):
    """Return share and Wilson's bounds."""
    low, high = wilson(np.array([float(k)]), np.array([float(n)]))
    return k / n, low[0], high[0]


def test_the_gap_is_production_less_evaluation(store):
    """Newest runs of the version that serves, with Newcombe's interval; another version and older runs don't count."""
    rows = found(
        store,
        evaluations=[run("a1", days=3, failed=150), run("a2", failed=2), run("b1", failed=4), run("a3", version="old")],
        category_minutes=[met("sec.jailbreak", 30), met("sec.jailbreak", 5, "old")],
    )
    row = rows["evaluation_gap", "sec.jailbreak"]
    p1, l1, u1 = bounds(30, 1_000)
    p2, l2, u2 = bounds(6, 400)
    assert row["value"] == pytest.approx(p1 - p2)
    assert row["lower"] == pytest.approx(p1 - p2 - ((p1 - l1) ** 2 + (u2 - p2) ** 2) ** 0.5)
    assert row["upper"] == pytest.approx(p1 - p2 + ((u1 - p1) ** 2 + (p2 - l2) ** 2) ** 0.5)
    assert row["n"] == 1_000


def test_a_hazard_that_nobody_met_has_a_gap_too(store):
    """No finding of it in production is a share of 0, below what the suite says."""
    row = found(store, evaluations=[run("a1", failed=20)])["evaluation_gap", "sec.jailbreak"]
    assert row["value"] == pytest.approx(-0.1)


def test_age_coverage_and_saturation(store):
    """The newest run is a day old; 30 of 40 findings are of a tested hazard; of two tests one tells versions apart."""
    rows = found(
        store,
        evaluations=[
            run("a1", failed=2), run("a2", version="old", failed=3), run("b1", failed=2),
            run("b2", version="old", failed=90), run("c1", category="", failed=1, days=5),
        ],
        category_minutes=[met("sec.jailbreak", 30), met("content.vcr", 10)],
    )  # fmt: skip
    assert rows["evaluation_staleness", ""]["value"] == 86_400
    assert holds(rows["evaluation_coverage", ""], 30, 40)
    assert (rows["evaluation_saturation", ""]["value"], rows["evaluation_saturation", ""]["n"]) == (0.5, 2)


def test_without_an_evaluation_its_age_is_not_known(store):
    """A version that nobody evaluated has no age, and nothing of what it meets is covered."""
    rows = found(store, evaluations=[run("a1", version="old")], category_minutes=[met("content.vcr", 10)])
    assert rows["evaluation_staleness", ""]["value"] is None
    assert holds(rows["evaluation_coverage", ""], 0, 10)
