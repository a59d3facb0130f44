"""The Prometheus rules: the same limits over two gauges, and promtool's own word where it is installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from dashboards.generate import FOLDER
from dashboards.prometheus import expression
from dashboards.registry import BY_ID
from dashboards.rules import BURNS, RULES

HERE = Path(__file__).parent
SELECTOR = re.compile(r"(watchkeeper_\w+)(?:\{([^}]*)\})?")
LABELS = {
    "watchkeeper_kpi": {"kpi", "service", "part"},
    "watchkeeper_incident_open_seconds": {"incident_id", "service", "severity", "state"},
}


@pytest.fixture
def promtool():
    """The program; no machine of ours is promised to have it."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    return found


def test_rules_ask_the_two_gauges_alone():
    """Every selector is one of the two gauges, with labels that it has; every KPI is one of the registry."""
    known = set(BY_ID) | {f"burn_rate_{window}" for _part, window, _limit in BURNS}
    for rule in RULES:
        for name, inside in SELECTOR.findall(expression(rule)):
            matchers = dict(re.findall(r'(\w+)=~?"([^"]*)"', inside))
            assert set(matchers) <= LABELS[name], rule.name
            assert matchers.get("part", "value") in {"value", "lower", "upper", "trusted"}
            assert "kpi" not in matchers or matchers["kpi"] in known


def test_the_worse_bound_is_compared_the_right_way():
    """What must be low is compared by its lower bound from above, what must be high by its upper from below."""
    texts = {rule.kpi: expression(rule) for rule in RULES}
    assert texts["unsafe_served"] == 'watchkeeper_kpi{kpi="unsafe_served",part="lower"} > 0.02'
    assert texts["guard_coverage"] == 'watchkeeper_kpi{kpi="guard_coverage",part="upper"} < 0.99'


def test_rules_without_a_gauge_are_left_out_and_no_others():
    """Dead letters are no KPI: Prometheus has no rule about them, and one about everything else."""
    made = yaml.safe_load((FOLDER / "prometheus/rules.yaml").read_text())["groups"][0]["rules"]
    assert {rule.uid.replace("-", "_") for rule in RULES} - {rule["alert"] for rule in made} == {
        "watchkeeper_dead_letters"
    }


def test_alertmanager_routes_to_receivers_that_exist_and_holds_no_secret():
    """Secrets are files, the rest is filled in from the environment."""
    made = yaml.safe_load((FOLDER / "prometheus/alertmanager.yaml").read_text())
    names = {receiver["name"] for receiver in made["receivers"]}
    assert {made["route"]["receiver"], *(route["receiver"] for route in made["route"]["routes"])} == names
    [webhook] = made["receivers"][0]["webhook_configs"]
    assert webhook["http_config"]["authorization"]["credentials_file"].startswith("/run/secrets/")


def test_promtool_takes_the_rules(promtool):
    """Prometheus' own parser finds nothing to say."""
    subprocess.run([promtool, "check", "rules", FOLDER / "prometheus/rules.yaml"], check=True, capture_output=True)


def test_promtool_runs_the_rules_over_series(promtool):
    """They fire, end and stay quiet as the unit tests say."""
    ran = subprocess.run(
        [promtool, "test", "rules", HERE / "promtool.yaml"], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
