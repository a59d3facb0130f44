"""The registry of KPIs and the views of the store say the same."""

import re

import pytest

from schemas.kpis import KPIS
from schemas.kpis.objectives import SEVERITY_WEIGHTS, VIEW_VALUES
from streams.store.client import rows
from tests.support.dashboards import history

PERIOD = (
    "(since='2026-03-01 00:00:00', until='2026-03-03 12:00:00', step=31536000, versions=0, objective=0.99,"
    " known_at='2026-03-03 12:00:00')"
)
_AT = "(objective=0.99, at='2026-03-03 12:00:00')"
ARGUMENTS = {"kpi_burn_rates": _AT, "kpi_call_burn_rates": _AT, "kpi_governance_now": ""}


def test_no_two_kpis_share_an_id_or_a_title():
    """Each is found by either."""
    assert len({kpi.id for kpi in KPIS}) == len({kpi.title for kpi in KPIS}) == len(KPIS)


@pytest.mark.store
def test_every_kpi_is_counted_by_the_view_it_names(client):
    """Over a history with rows of every kind each KPI comes from its own view."""
    history.write_all(client)
    said = {
        "time": history.START,
        "service_name": history.SERVICE,
        "annotator_kind": "end_user",
        "score": 1.0,
        "target_event_id": "e",
    }
    history.put(client, "review_labels", said)
    alone = {"time": history.START, "service_name": history.SERVICE, "event_kind": "guard_verdict"}
    history.put(client, "guard_verdicts", alone)
    refused = {"time": history.START, "service_name": history.SERVICE, "event_id": "r", "trials": 16, "flagged": 16}
    history.put(client, "inferences", refused)
    searched = {"time": history.START, "service_name": history.SERVICE, "documents_id": ["d"], "documents_trust": [""]}
    history.put(client, "retrievals", searched)
    for version in ("m@1", "m@2"):
        of_suite = {"suite": "s", "items": 10, "failed": 1, "category": "content.ncr", "model_version": version}
        own = {"time": history.START, "service_name": history.SERVICE, "event_id": version}
        history.put(client, "evaluations", own | of_suite)
    for view in sorted({kpi.view for kpi in KPIS}):
        counted = {name for (name,) in rows(client, f"SELECT DISTINCT kpi FROM {view}{ARGUMENTS.get(view, PERIOD)}")}
        assert {kpi.id for kpi in KPIS if kpi.view == view} <= counted, view


@pytest.mark.store
def test_the_numbers_in_the_views_are_those_of_the_registry(client):
    """Windows and thresholds of burn rates, limits of trust, and the weights of severities."""
    view = dict(rows(client, "SELECT name, create_table_query FROM system.tables WHERE name LIKE 'kpi%'"))
    burns = re.findall(r"\('([^']+)', (\d+), (\d+)\)", view["kpi_burn_rates"])
    assert [(part, int(long), int(short)) for part, long, short in burns] == VIEW_VALUES["burns"]
    limits = [float(found) for found in re.findall(r"[<>] \(?(0\.\d+)\b", view["kpi_trust"])]
    refused, late, covered = (VIEW_VALUES[name] for name in ("refused_share", "late_share", "covered_share"))
    assert limits == [refused, refused, late, covered]
    [weights] = re.findall(r"agreed, \[([\d., ]+)\]", view["kpi_uptimes"])
    assert [float(weight) for weight in weights.split(",")] == list(SEVERITY_WEIGHTS.values())
