"""A KPI: the share of all outputs that a guard stopped."""

WHAT = "a KPI"
FILES = {
    "schemas/kpis/safety.py": [
        (
            '    Kpi(\n        id="leak_incidents",',
            """    Kpi(
        id="stopped", title="Outputs stopped", unit="share", better="lower", view="kpi_output_shares",
        says="Share of outputs that a guard stopped before the user.",
        formula="unsafe outputs that were stopped / outputs", misleads="as the rate that was served",
        objective=0.2, severity="ticket", family="unsafe", runbook="unsafe-output",
    ),
    Kpi(
        id="leak_incidents",""",
        )
    ],
    "schemas/ddl/views/07_kpi_shares.sql": [
        (
            "        ('injection_flag', injection_flag,",
            """        ('stopped', unsafe_by_harm[1], unsafe_attempted_trials),
        ('injection_flag', injection_flag,""",
        )
    ],
    "dashboards/rules.py": [
        ('    "over_refusal": "service",\n', '    "over_refusal": "service", "stopped": "guards",\n')
    ],
    "dashboards/boards/guards.py": [
        ('        history("mitigation"),\n', '        history("mitigation"),\n        history("stopped"),\n')
    ],
}
GENERATED = ["dashboards"]
CHECKS = [
    "tests/dashboards/test_generated.py",
    "tests/dashboards/test_runbooks.py::test_every_rule_and_kpi_names_a_runbook_that_exists_and_none_lies_about",
]
SEEN = '''
"""The store counts it, the command prints it, its panel and its rule are on the board and among the rules."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from dashboards.generate import files
from streams.commands.main import app
from tests.support.dashboards import history

pytestmark = pytest.mark.store


def test_it_is_counted_printed_drawn_and_watched(client, store_settings, monkeypatch):
    """Over a clean and a bad day 48 times 3 and 10 of 200 outputs were stopped; names are the same everywhere."""
    history.write_all(client)
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE", store_settings.clickhouse)
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE_DATABASE", store_settings.clickhouse_database)
    monkeypatch.setenv("WATCHKEEPER_SQL_PORT", "1")
    period = ["--since", "2026-03-02T00:00", "--until", "2026-03-04T00:00"]
    done = CliRunner().invoke(app, ["kpi", *period, "--service", history.SERVICE, "--json"])
    assert done.exit_code == 0, done.output
    [found] = [row for row in map(json.loads, done.output.splitlines()) if row["kpi"] == "stopped"]
    assert found["value"] == pytest.approx((24 * 3 + 24 * 10) / (48 * 200))
    made = files()
    assert "Outputs stopped" in made["boards/watchkeeper-guards.json"]
    assert "Outputs stopped: objective missed" in made["alerting/rules.yaml"]
'''
