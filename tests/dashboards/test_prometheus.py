"""The Prometheus rules: the same limits over what workers export, and promtool's own word where it is installed."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from dashboards.generate import FOLDER
from dashboards.prometheus import expression
from dashboards.rules import RULES
from schemas.kpis import BY_ID
from schemas.kpis.objectives import BURNS
from tests.support.programs import PROMETHEUS, program

HERE = Path(__file__).parent
SELECTOR = re.compile(r"(watchkeeper_\w+)(?:\{([^}]*)\})?")
LABELS = {
    "watchkeeper_kpi": {"kpi", "service", "part"},
    "watchkeeper_incident_open_seconds": {"incident_id", "service", "severity", "state"},
    "watchkeeper_newest_minute_timestamp_seconds": set(),
    "watchkeeper_dead_letters_total": {"reason"},
    "watchkeeper_lag": {"topic", "partition"},
    "watchkeeper_records_total": {"topic"},
}


NAMED = {"alert_dead_letters": "reason", "alert_lag": "topic"}
"""The label that tells the series of a rule apart, where it is not the service."""


@pytest.fixture
def promtool():
    """Prometheus' tool for rules."""
    return program("promtool", PROMETHEUS)


def test_rules_ask_what_workers_export():
    """Every selector is one that workers export, with labels that it has; every KPI is one of the registry."""
    known = set(BY_ID) | {burn.of(kpi) for burn in BURNS for kpi in BY_ID if kpi.endswith("burn_rate")}
    for rule in RULES:
        for name, inside in SELECTOR.findall(expression(rule)):
            matchers = dict(re.findall(r'(\w+)=~?"([^"]*)"', inside))
            assert set(matchers) <= LABELS[name], rule.name
            assert matchers.get("part", "value") in {"value", "lower", "upper", "trusted"}
            assert "kpi" not in matchers or matchers["kpi"] in known


def test_the_worse_bound_is_compared_the_right_way():
    """What must be low is compared by its lower bound from above, what must be high by its upper from below."""
    texts = {rule.kpi: expression(rule) for rule in RULES}
    assert texts["unsafe_served"] == 'max by (service) (watchkeeper_kpi{kpi="unsafe_served",part="lower"}) > 0.02'
    assert texts["guard_coverage"] == 'max by (service) (watchkeeper_kpi{kpi="guard_coverage",part="upper"}) < 0.99'


def test_every_rule_is_there():
    """Prometheus has a rule about everything that Grafana has one about."""
    made = yaml.safe_load((FOLDER / "prometheus/rules.yaml").read_text())["groups"][0]["rules"]
    assert {rule.uid.replace("-", "_") for rule in RULES} == {rule["alert"] for rule in made}


def test_somebody_hears_of_it_when_we_do_not_watch():
    """One alert always fires and pages nobody; a part that is down pages, and so does that no part is known."""
    alive = yaml.safe_load((FOLDER / "prometheus/rules.yaml").read_text())["groups"][1]["rules"]
    made = {rule["alert"]: (rule["expr"], rule["labels"]["severity"]) for rule in alive}
    assert made == {
        "watchkeeper_watchdog": ("vector(1)", "watchdog"),
        "watchkeeper_down": ('up{job="watchkeeper"} == 0 or absent(up{job="watchkeeper"})', "page"),
        "watchkeeper_part_down": ("min by (instance, part) (watchkeeper_part_up) == 0", "page"),
        "watchkeeper_failed_sign_ins": (
            'sum by (door) (increase(watchkeeper_failed_sign_ins_total{door="otlp"}[10m])) > 20',
            "ticket",
        ),
    }


def test_promtool_takes_the_rules(promtool):
    """Prometheus' own parser finds nothing to say."""
    subprocess.run([promtool, "check", "rules", FOLDER / "prometheus/rules.yaml"], check=True, capture_output=True)


def test_promtool_runs_the_rules_over_series(promtool):
    """They fire, end and stay quiet as the unit tests say."""
    ran = subprocess.run(
        [promtool, "test", "rules", HERE / "promtool.yaml"], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.health], ids=lambda rule: rule.name)
def test_promtool_notices_a_comparator_turned_round(promtool, tmp_path, rule):
    """A series just beyond a limit fires and one just within does not; with the comparator flipped promtool says so."""
    made = yaml.safe_load((FOLDER / "prometheus/rules.yaml").read_text())
    [alert] = [one for one in made["groups"][0]["rules"] if one["alert"] == rule.uid.replace("-", "_")]
    turned = {**alert, "expr": flipped(alert["expr"], rule)}
    verdicts = []
    for number, one in enumerate((alert, turned)):
        rules = tmp_path / f"rules{number}.yaml"
        rules.write_text(yaml.safe_dump({"groups": [{"name": "one", "interval": "1m", "rules": [one]}]}))
        asked = tmp_path / f"asked{number}.yaml"
        asked.write_text(yaml.safe_dump(played(rules, alert["alert"], rule)))
        verdicts.append(subprocess.run([promtool, "test", "rules", asked], check=False, capture_output=True).returncode)
    assert verdicts[0] == 0
    assert verdicts[1] != 0


def flipped(text, rule):
    """Return an expression with the comparator of the rule's limit turned round."""
    sign = re.search(rf" ([<>]) (?={re.escape(f'{rule.limit:g}')}\b)", text) or re.search(r" ([<>]) ", text)
    return text[: sign.start(1)] + ("<" if sign[1] == ">" else ">") + text[sign.end(1) :]


def played(rules, alert, rule):
    """Return a test for promtool: nothing fires for the service that is within, something for the one beyond."""
    firing = f'count(ALERTS{{alertname="{alert}",alertstate="firing",%s="%s"}}) or vector(0)'
    return {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": name, "values": value}
                    for side in ("beyond", "within")
                    for name, value in series(rule, side)
                ],
                "promql_expr_test": [
                    {
                        "expr": firing % (NAMED.get(rule.query, "service"), side),
                        "eval_time": "20m",
                        "exp_samples": [{"labels": "{}", "value": value}],
                    }
                    for side, value in (("beyond", 1), ("within", 0))
                ],
            }
        ],
    }


def series(rule, side):
    """Yield the series of one service, a little beyond the limit of a rule or a little within."""
    beyond = (side == "beyond") == rule.above
    near = rule.limit + (0.001 if beyond else -0.001)
    if rule.query == "alert_incidents":
        near = rule.values["seconds"][0] + (60 if beyond else -60)
        labels = f'incident_id="i-{side}",service="{side}",severity="{rule.values["severities"][0]}",state="detected"'
        yield f"watchkeeper_incident_open_seconds{{{labels}}}", f"{near}x30"
    elif rule.query == "alert_untrusted":
        yield f'watchkeeper_kpi{{kpi="guard_coverage",service="{side}",part="trusted"}}', f"{0 if beyond else 1}x30"
    elif rule.query == "alert_dead_letters":
        yield f'watchkeeper_dead_letters_total{{reason="{side}"}}', f"0x5 {rule.limit + (5 if beyond else -5)}x25"
    elif rule.query == "alert_lag":
        yield (
            f'watchkeeper_lag{{instance="a",topic="{side}",partition="0"}}',
            f"{rule.limit + (30 if beyond else -30)}x30",
        )
        yield f'watchkeeper_records_total{{instance="a",topic="{side}"}}', "0+60x30"
    elif rule.query == "alert_burn":
        yield f'watchkeeper_kpi{{kpi="{rule.kpi}",service="{side}",part="value"}}', f"{near}x30"
        yield f'watchkeeper_kpi{{kpi="{rule.kpi}",service="{side}",part="lower"}}', "1.5x30"
    else:
        yield f'watchkeeper_kpi{{kpi="{rule.kpi}",service="{side}",part="{rule.values["bound"]}"}}', f"{near}x30"
