"""The same rules for Prometheus, over two gauges, and an Alertmanager that tells the same receivers.

- ``watchkeeper_kpi{kpi, service, part="value|lower|upper|trusted"}``: over the window of the KPI in the registry.
- ``watchkeeper_incident_open_seconds{incident_id, service, severity, state}``: age since detection, by state now.

Who exports a gauge, and the state of an incident, are left out of the alert's labels: it stays the same alert when
another worker takes over, and when the incident is acknowledged.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboards.registry import BY_ID
from dashboards.rules import STALE_SECONDS, Rule

UNDONE: Final = {
    "acknowledge": "detected",
    "mitigate": "detected|acknowledged",
    "recover": "detected|acknowledged|mitigated",
}
"""States in which a clock still runs."""


def expression(rule: Rule) -> str:
    """Return what Prometheus compares, or nothing where the gauges do not know.

    A missing gauge gives no series and so no alert: only the rule about the store takes silence for an alarm.
    """
    sign = ">" if rule.above else "<"
    if rule.query == "alert_incidents":
        return _incidents(rule.values)
    if rule.query == "alert_burn":
        return f"{_kpi(rule.kpi, 'value')} {sign} {rule.limit:g} and {_kpi(rule.kpi, 'lower')} > 1"
    if rule.query == "alert_kpi":
        return f"{_kpi(rule.kpi, str(rule.values['bound']))} {sign} {rule.limit:g}"
    if rule.query == "alert_untrusted":
        return f'avg by (service) (1 - watchkeeper_kpi{{kpi="unsafe_served",part="trusted"}}) > {rule.limit:g}'
    if rule.health:
        return "absent(watchkeeper_kpi)"
    return ""


def _kpi(kpi: str, part: str) -> str:
    return f'max by (service) (watchkeeper_kpi{{kpi="{kpi}",part="{part}"}})'


def _incidents(values: Mapping[str, Any]) -> str:
    states = UNDONE[values["clock"]]
    return " or ".join(
        "max by (incident_id, service, severity)"
        f' (watchkeeper_incident_open_seconds{{severity="{severity}",state=~"{states}"}}) > {seconds}'
        for severity, seconds in zip(values["severities"], values["seconds"], strict=True)
    )


def rules_yaml(rules: Sequence[Rule]) -> dict[str, Any]:
    """Return the rule file."""
    made = [_rule(rule, expression(rule)) for rule in rules if expression(rule)]
    return {"groups": [{"name": "watchkeeper", "interval": "1m", "rules": made}]}


def _rule(rule: Rule, text: str) -> dict[str, Any]:
    minutes = STALE_SECONDS / 60 if rule.health else rule.minutes
    labels = {"severity": rule.severity, "owner": rule.owner, "family": rule.family, "kpi": rule.kpi}
    about_incident = rule.query == "alert_incidents"
    return {
        "alert": rule.uid.replace("-", "_"),
        "expr": text,
        "for": f"{minutes:g}m",
        **({} if about_incident else {"keep_firing_for": "10m"}),
        "labels": {"source": "watchkeeper"}
        | {name: value for name, value in labels.items() if value}
        | ({"incident_severity": "{{ $labels.severity }}"} if about_incident else {}),
        "annotations": {
            "summary": f"{rule.title}: {{{{ $value }}}}" + " {{ $labels.service }}",
            "description": rule.summary,
            "objective": f"{BY_ID[rule.kpi].objective:g}" if rule.kpi in BY_ID else f"{rule.limit:g}",
            "runbook": f"dashboards/runbooks/{rule.runbook}.md",
        },
    }


def alertmanager_yaml() -> dict[str, Any]:
    """Return the configuration of Alertmanager; ``${NAME}`` is for ``envsubst``, secrets are files."""
    secrets = "/run/secrets"
    webhook = {
        "url": "${WATCHKEEPER_ALERT_WEBHOOK_URL}",
        "max_alerts": 500,
        "http_config": {"authorization": {"credentials_file": f"{secrets}/watchkeeper_api_token"}},
    }
    slack = {"api_url_file": f"{secrets}/watchkeeper_alert_slack_url", "send_resolved": True}
    pager = {"routing_key_file": f"{secrets}/watchkeeper_alert_pagerduty_key"}
    mail = {"to": "${WATCHKEEPER_ALERT_EMAIL}", "send_resolved": True}
    ours = {"group_by": ["alertname", "service", "incident_id"], "group_interval": "1m"}
    return {
        "global": {"smtp_smarthost": "${WATCHKEEPER_SMTP_HOST}", "smtp_from": "${WATCHKEEPER_SMTP_FROM}"},
        "route": {
            "receiver": "watchkeeper-ticket",
            **ours,
            "group_wait": "1m",
            "repeat_interval": "24h",
            "routes": [
                {
                    "receiver": "watchkeeper-page",
                    "matchers": ['source="watchkeeper"', 'severity="page"'],
                    "group_wait": "0s",
                    "repeat_interval": "1h",
                }
            ],
        },
        "receivers": [
            {
                "name": "watchkeeper-page",
                "webhook_configs": [webhook],
                "pagerduty_configs": [pager],
                "slack_configs": [slack],
                "email_configs": [mail],
            },
            {
                "name": "watchkeeper-ticket",
                "webhook_configs": [webhook],
                "slack_configs": [slack],
                "email_configs": [mail],
            },
        ],
    }
