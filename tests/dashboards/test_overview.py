"""Dashboards run on the real tables, and what is committed is what the code makes."""

import json
from pathlib import Path

import pytest
import yaml

import dashboards
from dashboards.overview import DATASOURCE, PANELS, board, query
from streams.storage import rows

FOLDER = Path(dashboards.__file__).parent


@pytest.mark.store
@pytest.mark.parametrize("name", [panel[0] for panel in PANELS])
def test_every_query_runs_on_the_migrated_tables(client, name):
    """Each panel's SQL is accepted by the engine over any range, with its macros filled in."""
    text = query(name).replace("$__fromTime", "toDateTime(0, 'UTC')").replace("$__toTime", "now('UTC')")
    assert rows(client, text) == []


def test_the_committed_board_is_the_generated_one():
    """`python -m dashboards` would change nothing."""
    assert json.loads((FOLDER / "generated" / "overview.json").read_text()) == board()


def test_the_provisioned_data_source_is_the_one_the_panels_name():
    """Panels and provisioning agree on the data source."""
    [source] = yaml.safe_load((FOLDER / "provisioning/datasources/clickhouse.yaml").read_text())["datasources"]
    assert {"type": source["type"], "uid": source["uid"]} == DATASOURCE
