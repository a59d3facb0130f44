"""The generated files of Prometheus and Alertmanager, made quick and pointed at the parts of a test."""

import yaml

from dashboards.alertmanager import TOKEN_FILE, WEBHOOK, alertmanager_yaml
from dashboards.generate import FOLDER

GENERATED = FOLDER / "prometheus"
LOOKS_EVERY = 1
"""Seconds between two scrapes, two evaluations, and two notices of a group: the precision of every clock here."""

PENDING = 1
"""Seconds that stand for every `for` and `keep_firing_for`."""

RESENDS_AFTER = 5
"""Seconds after which Prometheus tells of an alert again, a minute by default; each time for four times as long."""


def shortened_rules():
    """Return the generated rules with their waiting cut short; what they ask and their labels are as generated.

    Only durations of waiting are changed: the interval of each group, `for` and `keep_firing_for`. Windows inside of
    expressions are about the KPI and stay.
    """
    made = yaml.safe_load((GENERATED / "rules.yaml").read_text())
    for group in made["groups"]:
        group["interval"] = f"{LOOKS_EVERY}s"
        for rule in group["rules"]:
            rule |= {name: f"{PENDING}s" for name in ("for", "keep_firing_for") if name in rule}
    return made


def prometheus_config(workers, alertmanagers):
    """Return what makes Prometheus scrape the workers' ports and tell the Alertmanagers."""
    return {
        "global": {"scrape_interval": f"{LOOKS_EVERY}s", "scrape_timeout": f"{LOOKS_EVERY}s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "watchkeeper", "static_configs": [_at(workers)]}],
        "alerting": {"alertmanagers": [{"static_configs": [_at(alertmanagers)]}]},
    }


def _at(ports):
    return {"targets": [f"127.0.0.1:{port}" for port in ports]}


def alertmanager_config(webhook, token_file, *listeners):
    """Return the configuration of who has nothing but the webhook. Listeners are told what the webhook is told.

    Groups wait a second where they wait a minute, the routing is as generated.
    """
    made = alertmanager_yaml({WEBHOOK: webhook, TOKEN_FILE: str(token_file)})
    route = made["route"]
    for each in (route, *route["routes"]):
        each |= {name: f"{LOOKS_EVERY}s" for name in ("group_wait", "group_interval") if each.get(name) == "1m"}
    for receiver in (each for each in made["receivers"] if "webhook_configs" in each):
        own = {"max_alerts": receiver["webhook_configs"][0]["max_alerts"]}
        receiver["webhook_configs"] += [{"url": url, **own} for url in listeners]
    return made
