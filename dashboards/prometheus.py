"""The same rules for Prometheus, over what the workers export.

- ``watchkeeper_kpi{kpi, service, part="value|lower|upper|trusted"}``: over the window of the KPI in the registry.
- ``watchkeeper_incident_open_seconds{incident_id, service, severity, state}``: age since detection, by state now.
- ``watchkeeper_newest_minute_timestamp_seconds``: of the store; ``watchkeeper_dead_letters_total{reason}``;
  ``watchkeeper_lag{topic, partition}`` and ``watchkeeper_records_total{topic}`` of each worker.

A second group is about who watches: it wants the parts of an installation scraped as the job ``watchkeeper``.

Who exports a KPI or an incident is left out of the alert's labels, so that it stays the same when another worker takes
over.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboards.rules import WATCHDOG, Rule
from schemas.kpis import OBJECTIVES

UNDONE: Final = {
    "acknowledge": "detected",
    "mitigate": "detected|acknowledged",
    "recover": "detected|acknowledged|mitigated",
}
"""States in which a clock still runs."""

DOWN: Final = "monitor-down"
"""The runbook for when we do not watch."""

SIGN_INS: Final = "failed-sign-ins"
"""The runbook for wrong tokens. The receiver may not write findings, as it stands in front of all: it counts them."""
MOST_WRONG: Final = 20

_SCRAPED: Final = 'up{job="watchkeeper"}'

FORMS: Final = {"percentunit": " | humanizePercentage", "s": " | humanizeDuration"}


def expression(rule: Rule) -> str:
    """Return what Prometheus compares.

    A missing gauge gives no series and so no alert: only the rule about the store takes silence for an alarm.
    """
    sign = f"{'>' if rule.above else '<'} {rule.limit:g}"
    match rule.query:
        case "alert_incidents":
            return _incidents(rule.values)
        case "alert_kpi":
            return f"{_kpi(rule.kpi, str(rule.values['bound']))} {sign}"
        case "alert_burn":
            return f"{_kpi(rule.kpi, 'value')} {sign} and {_kpi(rule.kpi, 'lower')} > 1"
    return _of_telemetry(rule, sign)


def _of_telemetry(rule: Rule, sign: str) -> str:
    span = f"{rule.window_seconds}s"
    whole = f'watchkeeper_kpi{{kpi="guard_coverage",part="trusted"}}[{span}]'
    letters, newest = "watchkeeper_dead_letters_total", "watchkeeper_newest_minute_timestamp_seconds"
    arriving = "sum by (instance, topic) (rate(watchkeeper_records_total[5m]))"
    return {
        "alert_untrusted": f"avg by (service) (avg_over_time({whole})) < {1 - rule.limit:g}",
        "alert_dead_letters": f"round(sum by (reason) (increase({letters}[{span}]))) {sign}"
        f" or sum by (reason) ({letters} unless {letters} offset {span}) {sign}",
        "alert_lag": f"sum by (instance, topic) (watchkeeper_lag) / {arriving} {sign}",
        "alert_store": f"time() - max({newest}) {sign} or absent({newest})",
    }[rule.query]


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
    names = "watchkeeper", "watchkeeper-alive"
    groups = [_rule(rule) for rule in rules], _alive()
    return {"groups": [{"name": n, "interval": "1m", "rules": made} for n, made in zip(names, groups, strict=True)]}


def _alive() -> list[dict[str, Any]]:
    """Return the rules about who watches: none of them is about what is watched."""
    always = {
        "summary": "Watchkeeper's rules are judged and told",
        "description": "Always fires. Where it ends, nobody hears of anything any more.",
    }
    down = {
        "summary": "A part of Watchkeeper is down{{ with $labels.instance }}: {{ . }}{{ end }}",
        "description": "Prometheus reaches a part of Watchkeeper no longer, or knows of none at all.",
    }
    part = {
        "summary": "{{ $labels.part }} of Watchkeeper does not do its work",
        "description": "The supervisor says so; its /health has the reason.",
    }
    wrong = {
        "summary": "Wrong tokens at the receiver of telemetry",
        "description": f"More than {MOST_WRONG} in ten minutes: somebody guesses, or a sender has an old token.",
    }
    guessed = 'sum by (door) (increase(watchkeeper_failed_sign_ins_total{door="otlp"}[10m]))'
    return [
        _about_us("watchdog", "vector(1)", "0m", WATCHDOG, always),
        _about_us("down", f"{_SCRAPED} == 0 or absent({_SCRAPED})", "3m", "page", down),
        _about_us("part_down", "min by (instance, part) (watchkeeper_part_up) == 0", "5m", "page", part),
        _about_us("failed_sign_ins", f"{guessed} > {MOST_WRONG}", "0m", "ticket", wrong, SIGN_INS),
    ]


def _about_us(
    name: str, expr: str, wait: str, severity: str, said: dict[str, str], runbook: str = DOWN
) -> dict[str, Any]:
    return {
        "alert": f"watchkeeper_{name}",
        "expr": expr,
        "for": wait,
        "labels": {"source": "watchkeeper", "severity": severity, "owner": "safety", "family": "telemetry"},
        "annotations": {**said, "runbook": f"dashboards/runbooks/{runbook}.md"},
    }


def _rule(rule: Rule) -> dict[str, Any]:
    labels = {"severity": rule.severity, "owner": rule.owner, "family": rule.family, "kpi": rule.kpi}
    about_incident = rule.query == "alert_incidents"
    return {
        "alert": rule.uid.replace("-", "_"),
        "expr": expression(rule),
        "for": f"{rule.minutes:g}m",
        **({} if about_incident else {"keep_firing_for": "10m"}),
        "labels": {"source": "watchkeeper"}
        | {name: value for name, value in labels.items() if value}
        | ({"incident_severity": "{{ $labels.severity }}"} if about_incident else {}),
        "annotations": {
            "summary": f"{rule.title}: {_said(rule)}",
            "description": rule.summary,
            "objective": _objective(rule),
            "runbook": f"dashboards/runbooks/{rule.runbook}.md",
        },
    }


def _said(rule: Rule) -> str:
    value = f"{{{{ $value{FORMS.get(rule.unit, '')} }}}}"
    if rule.query == "alert_incidents":
        return f"{{{{ $labels.incident_id }}}} of {{{{ $labels.service }}}}, open for {value}"
    if rule.health:
        return "look at its runbook"
    named = ("service", "topic", "reason")
    return value + "".join(f"{{{{ with $labels.{name} }}}}, {{{{ . }}}}{{{{ end }}}}" for name in named)


def _objective(rule: Rule) -> str:
    if rule.query == "alert_incidents":
        pairs = zip(rule.values["severities"], rule.values["seconds"], strict=True)  # type: ignore[arg-type]
        return ", ".join(f"{severity}: {seconds} s" for severity, seconds in pairs)
    return f"{OBJECTIVES.get(rule.kpi, rule.limit):g}"
