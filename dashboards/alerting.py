"""Grafana's alerting files: rules, contact points, and our part of the policy tree.

No-data and error states are set on purpose. A rule about a KPI is quiet where there is nothing to count, and stays as
it was while the store does not answer, so that an outage neither pages twenty times nor closes anything. One rule
alone, about the store, takes both for an alarm.
"""

from collections.abc import Sequence
from typing import Any, Final

from dashboards import runbook
from dashboards.panels import UID, Board
from dashboards.queries import query
from dashboards.rules import RETIRED, Rule

FOLDER: Final = "Watchkeeper alerts"
"""Differs from the folder of the boards: two folders of one title may come to be otherwise."""

EVERY: Final = {"page": "1m", "ticket": "5m"}


def rules_yaml(rules: Sequence[Rule], boards: Sequence[Board]) -> dict[str, Any]:
    """Return the rule groups: what pages is looked at each minute, the rest every five."""
    ids = {(board.name, panel.title): index + 1 for board in boards for index, panel in enumerate(board.panels)}
    groups = [
        {
            "orgId": 1,
            "name": f"watchkeeper-{severity}",
            "folder": FOLDER,
            "interval": every,
            "rules": [_rule(rule, ids[rule.board, rule.panel]) for rule in rules if rule.severity == severity],
        }
        for severity, every in EVERY.items()
    ]
    gone = [{"orgId": 1, "uid": f"watchkeeper-{name}"} for name in RETIRED]
    return {"apiVersion": 1, "groups": groups, "deleteRules": gone}


def _rule(rule: Rule, panel: int) -> dict[str, Any]:
    named = {"family": rule.family, "kpi": rule.kpi}
    board = f"watchkeeper-{rule.board}"
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "C",
        "data": _data(rule),
        "dashboardUid": board,
        "panelId": panel,
        "noDataState": "Alerting" if rule.health else "OK",
        "execErrState": "Alerting" if rule.health else "KeepLast",
        "for": f"{rule.minutes}m",
        "keepFiringFor": "0s" if rule.query == "alert_incidents" else "10m",
        "missing_series_evals_to_resolve": 1 if rule.query == "alert_incidents" else 2,
        "labels": {
            "source": "watchkeeper",
            "severity": rule.severity,
            "owner": rule.owner,
            **{name: value for name, value in named.items() if value},
        },
        "annotations": {
            "summary": f"{rule.title}: {_said(rule)}",
            "description": rule.summary,
            "runbook_url": f"{{{{ externalURL }}}}{runbook.link(rule.runbook)}"
            "{{ with $labels.service }}&var-service={{ . }}{{ end }}",
            "__dashboardUid__": board,
            "__panelId__": str(panel),
        },
        "isPaused": False,
    }


def _said(rule: Rule) -> str:
    if rule.query == "alert_incidents":
        return "{{ $labels.incident_id }} of {{ $labels.service }}, {{ humanizeDuration $values.B.Value }} too long"
    return f"{{{{ $values.B.Value }}}} against {rule.limit:g}{{{{ with $labels.service }}}} ({{{{ . }}}}){{{{ end }}}}"


def _data(rule: Rule) -> list[dict[str, Any]]:
    asked = {
        "refId": "A",
        "editorType": "sql",
        "format": 1,
        "queryType": "table",
        "intervalMs": 60_000,
        "maxDataPoints": 1_000,
        "rawSql": query(rule.query, **rule.values),
    }
    evaluator = {"type": "gt" if rule.above else "lt", "params": [rule.limit]}
    reduce = {"refId": "B", "type": "reduce", "expression": "A", "reducer": "last"}
    threshold = {"refId": "C", "type": "threshold", "expression": "B", "conditions": [{"evaluator": evaluator}]}
    return [
        _step(asked, UID, rule.window_seconds),
        _step(reduce, "__expr__", 0),
        _step(threshold, "__expr__", 0),
    ]


def _step(model: dict[str, Any], source: str, seconds: int) -> dict[str, Any]:
    return {
        "refId": model["refId"],
        "datasourceUid": source,
        "relativeTimeRange": {"from": seconds, "to": 0},
        "model": model,
    }


_WEBHOOK: Final = {
    "uid": "watchkeeper-api",
    "type": "webhook",
    "settings": {
        "url": "${WATCHKEEPER_ALERT_WEBHOOK_URL}",
        "httpMethod": "POST",
        "maxAlerts": "500",
        "authorization_scheme": "Bearer",
        "authorization_credentials": "${WATCHKEEPER_API_TOKEN}",
    },
}
_PAGERDUTY: Final = {
    "uid": "watchkeeper-pagerduty",
    "type": "pagerduty",
    "settings": {"integrationKey": "${WATCHKEEPER_ALERT_PAGERDUTY_KEY}", "severity": "critical"},
}


def _slack(level: str) -> dict[str, Any]:
    url = {"url": "${WATCHKEEPER_ALERT_SLACK_URL}"}
    return {"uid": f"watchkeeper-slack-{level}", "type": "slack", "settings": url}


def _email(level: str) -> dict[str, Any]:
    to = {"addresses": "${WATCHKEEPER_ALERT_EMAIL}", "singleEmail": True}
    return {"uid": f"watchkeeper-email-{level}", "type": "email", "settings": to}


def contact_points_yaml() -> dict[str, Any]:
    """Return the contact points as templates: each ``${NAME}`` is filled in from the environment.

    Pages go to the pager and to chat, tickets to mail and to chat. The API of the incidents worker hears both, and
    has names of its own for what it is told.
    """
    tickets = _WEBHOOK | {"uid": "watchkeeper-api-ticket"}
    points = {
        "watchkeeper-page": [_WEBHOOK, _PAGERDUTY, _slack("page"), _email("page")],
        "watchkeeper-ticket": [tickets, _slack("ticket"), _email("ticket")],
    }
    return {
        "apiVersion": 1,
        "contactPoints": [{"orgId": 1, "name": name, "receivers": receivers} for name, receivers in points.items()],
    }


def policy_yaml() -> dict[str, Any]:
    """Return our part of the policy tree; a file that is provisioned replaces the whole tree of an organisation."""
    by = ["alertname", "service", "incident_id"]
    page = {
        "receiver": "watchkeeper-page",
        "object_matchers": [["source", "=", "watchkeeper"], ["severity", "=", "page"]],
        "group_by": by,
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "1h",
    }
    ticket = page | {
        "receiver": "watchkeeper-ticket",
        "object_matchers": [["source", "=", "watchkeeper"]],
        "group_wait": "1m",
        "repeat_interval": "24h",
    }
    tree = {"orgId": 1, "receiver": "watchkeeper-ticket", "group_by": by, "routes": [page, ticket]}
    return {"apiVersion": 1, "policies": [tree]}
