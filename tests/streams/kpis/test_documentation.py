"""The page about the KPIs says what the registry says, and each KPI it names is there."""

import pytest

from streams.kpis.documentation import PAGE, page
from streams.kpis.registry import KPIS
from streams.storage import rows


def test_the_page_is_the_one_that_the_registry_writes():
    """`python -m streams.kpis.documentation` has nothing to change."""
    assert PAGE.read_text() == page()


@pytest.mark.store
def test_each_kpi_has_its_view(client):
    """Each KPI of the registry is a view with the columns of all KPIs."""
    for kpi in KPIS:
        columns = [row[0] for row in rows(client, f"DESCRIBE TABLE {kpi.view}")]
        assert set(columns) >= {
            "window_start", "service_name", "model_version", "value", "lower", "upper", "n", "trust", "trust_reason",
        }  # fmt: skip
