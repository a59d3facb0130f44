"""A finding in words, and the query that shows it again from the stored windows."""

from datetime import UTC, datetime

from detectors.base import Alarm, Recovery
from schemas.metrics import Rate


def ticks_per_day(tick_seconds: int) -> float:
    """Return how many ticks a day has."""
    return 86_400 / tick_seconds


def describe_alarm(alarm: Alarm, rate: Rate, service: str, tick_seconds: int) -> str:
    """Return one sentence for a person who was just woken."""
    onset = datetime.fromtimestamp(alarm.onset_tick * tick_seconds, UTC)
    return (
        f"{rate.name} of {service} is {alarm.rate:.1%} (95 % interval {alarm.lower:.1%} to {alarm.upper:.1%}, "
        f"{alarm.flagged} of {alarm.trials} sessions) since about {onset:%Y-%m-%d %H:%M} UTC; "
        f"normal is at most {alarm.baseline:.1%}"
    )


def describe_recovery(recovery: Recovery, rate: Rate, service: str) -> str:
    """Return one sentence that says what proves the recovery."""
    return (
        f"{rate.name} of {service} is back: {recovery.flagged} of {recovery.trials} sessions, {recovery.rate:.1%} "
        f"(95 % interval {recovery.lower:.1%} to {recovery.upper:.1%}); normal is at most {recovery.baseline:.1%}"
    )


def evidence_query(tick_seconds: int, group: tuple[str, str, str], metric: str, first: int, last: int) -> str:
    """Return the SQL that reproduces the counts of a finding."""
    tenant, service, version = group
    conditions = [
        f"service_name = {literal(service)}",
        f"metric = {literal(metric)}",
        f"tick BETWEEN {first} AND {last}",
    ]
    if tenant != "*":
        conditions += [f"tenant_id = {literal(tenant)}", f"model_version = {literal(version)}"]
    return (
        f"SELECT toDateTime(intDiv(tick * {tick_seconds}, 3600) * 3600, 'UTC') AS hour, sum(trials) AS trials, "
        f"sum(flagged) AS flagged, flagged / trials AS rate FROM windows FINAL WHERE {' AND '.join(conditions)} "
        "GROUP BY hour ORDER BY hour"
    )


def literal(text: str) -> str:
    r"""Return text as a literal of ClickHouse's SQL.

    >>> print(literal("it's"))
    'it\'s'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
