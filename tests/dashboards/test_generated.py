"""What is committed is what the code makes, and fits what stands around it."""

from pathlib import Path

import yaml

import dashboards
from dashboards.generate import FOLDER as GENERATED
from dashboards.generate import PAGE, files
from dashboards.panels import TYPE, UID
from dashboards.reference import reference
from dashboards.rules import RULES

FOLDER = Path(dashboards.__file__).parent


def test_the_committed_files_are_the_generated_ones():
    """`python -m dashboards` would change, add and remove nothing."""
    committed = {str(path.relative_to(GENERATED)): path.read_text() for path in GENERATED.rglob("*.*")}
    assert committed == files()
    assert PAGE.read_text() == reference(RULES)


def test_the_provisioned_data_source_is_the_one_that_rules_and_variables_name():
    """Rules, the data source variable and provisioning agree."""
    [source] = yaml.safe_load((FOLDER / "provisioning/datasources/clickhouse.yaml").read_text())["datasources"]
    assert (source["type"], source["uid"]) == (TYPE, UID)
