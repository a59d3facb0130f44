"""Alertmanager: who is told of what, and in which words.

Pages go to the pager, to chat and to mail, tickets to chat and to mail; the API of the incidents worker hears both.
The alert that always fires goes to a dead man's switch outside, each minute: it pages when it hears nothing.
A receiver whose variable is not given is left out. Secrets never stand in the configuration: they are files, and the
variables name them.
"""

from collections.abc import Mapping
from typing import Any, Final

from dashboards.rules import WATCHDOG

WEBHOOK: Final = "WATCHKEEPER_ALERT_WEBHOOK_URL"
TOKEN_FILE: Final = "WATCHKEEPER_API_TOKEN_FILE"  # noqa: S105  the name of a variable
PAGERDUTY_FILE: Final = "WATCHKEEPER_ALERT_PAGERDUTY_KEY_FILE"
SLACK_FILE: Final = "WATCHKEEPER_ALERT_SLACK_URL_FILE"
WATCHDOG_URL: Final = "WATCHKEEPER_ALERT_WATCHDOG_URL"
EMAIL: Final = "WATCHKEEPER_ALERT_EMAIL"
SMTP_HOST: Final = "WATCHKEEPER_SMTP_HOST"
SMTP_FROM: Final = "WATCHKEEPER_SMTP_FROM"
NEEDS: Final = {WEBHOOK: (TOKEN_FILE,), PAGERDUTY_FILE: (), SLACK_FILE: (), EMAIL: (SMTP_HOST, SMTP_FROM)}
"""The variable that asks for a receiver, and what else it needs."""
VARIABLES: Final = (*(name for asks, needs in NEEDS.items() for name in (asks, *needs)), WATCHDOG_URL)
TEMPLATE_FILE: Final = "watchkeeper.tmpl"

TEMPLATE: Final = """\
{{ define "watchkeeper.title" -}}
[{{ .Status | toUpper }}] {{ with .CommonLabels.severity }}{{ . }}: {{ end }}{{ with index .Alerts 0 -}}
{{ or .Annotations.summary .Labels.alertname }}{{ end }}
{{- if gt (len .Alerts) 1 }} (one of {{ len .Alerts }}){{ end }}
{{- end }}

{{ define "watchkeeper.text" -}}
{{ range .Alerts -}}
{{ .Status | toUpper }}: {{ or .Annotations.summary .Labels.alertname }}
{{ with .Annotations.description }}{{ . }}
{{ end -}}
{{ with .Labels.service }}Service: {{ . }}
{{ end -}}
{{ with .Labels.incident_id }}Incident: {{ . }}
{{ end -}}
{{ with .Annotations.objective }}Limit: {{ . }}
{{ end -}}
Since: {{ .StartsAt.UTC.Format "2006-01-02 15:04:05 MST" }}
{{ if eq .Status "resolved" }}Until: {{ .EndsAt.UTC.Format "2006-01-02 15:04:05 MST" }}
{{ end -}}
{{ with or .Annotations.runbook_url .Annotations.runbook }}Runbook: {{ . }}
{{ end }}
{{ end }}
{{- end }}
"""
_TITLE: Final = '{{ template "watchkeeper.title" . }}'
_TEXT: Final = '{{ template "watchkeeper.text" . }}'


class ReceiverError(ValueError):
    """Alerts would reach nobody; the message says what to set."""


def alertmanager_yaml(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration of Alertmanager.

    Parameters
    ----------
    given
        `VARIABLES` and their values, as the environment has them; others are ignored.

    Raises
    ------
    ReceiverError
        Where pages or tickets would reach nobody, or a receiver lacks what it needs.

    Examples
    --------
    >>> alertmanager_yaml({})
    Traceback (most recent call last):
    dashboards.alertmanager.ReceiverError: a page would reach nobody: set one of WATCHKEEPER_ALERT_WEBHOOK_URL, ...
    """
    filled = {name: value for name, value in given.items() if name in VARIABLES and value}
    for name, needed in NEEDS.items():
        if name in filled and (lacking := [each for each in needed if each not in filled]):
            raise ReceiverError(f"{name} is set, so set {' and '.join(lacking)} too")
    mail = {"smtp_smarthost": filled[SMTP_HOST], "smtp_from": filled[SMTP_FROM]} if EMAIL in filled else {}
    return {
        **({"global": mail} if mail else {}),
        "templates": [TEMPLATE_FILE],
        "route": _route(),
        "receivers": [
            _receiver("page", (WEBHOOK, PAGERDUTY_FILE, SLACK_FILE, EMAIL), filled),
            _receiver("ticket", (WEBHOOK, SLACK_FILE, EMAIL), filled),
            _watchdog(filled),
        ],
    }


def _route() -> dict[str, Any]:
    """Return who hears of what: pages, the watchdog, and everything else."""
    page = {
        "receiver": "watchkeeper-page",
        "matchers": ['source="watchkeeper"', 'severity="page"'],
        "group_wait": "0s",
        "repeat_interval": "1h",
    }
    watchdog = {
        "receiver": "watchkeeper-watchdog",
        "matchers": ['source="watchkeeper"', f'severity="{WATCHDOG}"'],
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "1m",
    }
    ticket = {
        "receiver": "watchkeeper-ticket",
        "group_by": ["alertname", "service", "incident_id"],
        "group_interval": "1m",
        "group_wait": "1m",
        "repeat_interval": "24h",
    }
    return ticket | {"routes": [page, watchdog]}


def _receiver(level: str, wanted: tuple[str, ...], filled: Mapping[str, str]) -> dict[str, Any]:
    made = [_config(name, filled) for name in wanted if name in filled]
    if not made:
        raise ReceiverError(f"a {level} would reach nobody: set one of {', '.join(wanted)}")
    return {"name": f"watchkeeper-{level}"} | {kind: [config] for kind, config in made}


def _watchdog(filled: Mapping[str, str]) -> dict[str, Any]:
    """Return who hears that all is well: nobody where no address is given, rather than those who get tickets."""
    heard = {"url": filled.get(WATCHDOG_URL), "send_resolved": False}
    return {"name": "watchkeeper-watchdog"} | ({"webhook_configs": [heard]} if WATCHDOG_URL in filled else {})


def _config(name: str, filled: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    if name == WEBHOOK:
        bearer = {"authorization": {"credentials_file": filled[TOKEN_FILE]}}
        return "webhook_configs", {"url": filled[name], "max_alerts": 500, "http_config": bearer}
    if name == PAGERDUTY_FILE:
        return "pagerduty_configs", {"routing_key_file": filled[name], "description": _TITLE}
    if name == SLACK_FILE:
        return "slack_configs", {"api_url_file": filled[name], "send_resolved": True, "title": _TITLE, "text": _TEXT}
    mail = {"to": filled[name], "send_resolved": True, "headers": {"Subject": _TITLE}, "html": "", "text": _TEXT}
    return "email_configs", mail
