"""What the store is asked about an incident: who is affected, where it comes from, what changed.

All questions are about the events of the services of the incident between its onset and now. They are kept in the
evidence with their parameters, so that anybody can ask them again.
"""

from typing import Final

from msgspec import Struct

from schemas.categories import FAMILIES
from schemas.metrics import RATES
from streams.incidents.fold.state import Incident
from streams.store.ask import Parameters

MOST: Final = 5

BITS: Final = {rate.name: bit for bit, rate in enumerate(RATES)}
"""Bit of each rate in the columns `trials` and `flagged`."""

_IN_TIME: Final = (
    "has({services:Array(String)}, service_name) AND time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')"
    " AND time <= fromUnixTimestamp64Nano({until:Int64}, 'UTC') AND probe_id = ''"
)
_RATED: Final = (
    "SELECT *, bitTest(trials, {bit:UInt8}) AS trial, bitTest(flagged, {bit:UInt8}) AS flag"
    f" FROM rated_events WHERE {_IN_TIME}"
)
_SEVERE: Final = (
    "SELECT time, service_name, tenant_id, counted_version AS model_version, user_pseudo_id, event_id,"
    " coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id) AS session,"
    " 1 AS trial, has(findings_category, {metric:String}) AS flag"
    f" FROM guard_verdicts WHERE {_IN_TIME}"
)
_AFFECTED: Final = """
SELECT countIf(trial) AS requests, countIf(flag) AS flagged, uniqExactIf(session, flag AND session != '') AS sessions,
    uniqExactIf(user_pseudo_id, flag AND user_pseudo_id != '') AS users,
    uniqExactIf(tenant_id, flag AND tenant_id != '') AS tenants, toString(max(time)) AS stored_until
FROM ({events})
"""
_TOP: Final = """
SELECT dimension, name, countIf(flag) AS flagged, countIf(trial) AS trials
FROM ({events}) ARRAY JOIN
    ['service', 'tenant', 'version', 'user'] AS dimension,
    [toString(service_name), toString(tenant_id), toString(model_version), user_pseudo_id] AS name
WHERE name != '' GROUP BY dimension, name HAVING flagged > 0 ORDER BY flagged DESC, name LIMIT {most:UInt8} BY dimension
"""
_EXAMPLES: Final = "SELECT event_id FROM ({events}) WHERE flag ORDER BY time DESC, event_id LIMIT 20"
_CATEGORIES: Final = f"""
SELECT 'category' AS dimension, category AS name, sum(amount) AS flagged, 0 AS trials
FROM guard_verdicts ARRAY JOIN findings_category AS category, finding_counts AS amount
WHERE {_IN_TIME} AND has({{categories:Array(String)}}, category)
GROUP BY category HAVING flagged > 0 ORDER BY flagged DESC, name LIMIT {{most:UInt8}}
"""
_CHANGES: Final = """
SELECT change_id, subject_type, subject_name, action, from_version, to_version, service_name, reason,
    toUnixTimestamp64Nano(time) AS at
FROM changes FINAL
WHERE has({services:Array(String)}, service_name)
    AND time BETWEEN fromUnixTimestamp64Nano({since:Int64}, 'UTC') - INTERVAL 1 DAY
    AND fromUnixTimestamp64Nano({until:Int64}, 'UTC')
ORDER BY time DESC LIMIT 20
"""
_CURVE: Final = """
SELECT toUnixTimestamp(toStartOfInterval(time, INTERVAL {step:UInt32} SECOND)) AS at, countIf(trial) AS trials,
    countIf(flag) AS flagged
FROM ({events}) GROUP BY at HAVING trials > 0 ORDER BY at
"""


STORED: Final = """
SELECT toUnixTimestamp64Nano(min(latest)) AS until FROM (
    SELECT kafka_partition, max(time) AS latest FROM (
        SELECT kafka_partition, time FROM inferences WHERE time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
        UNION ALL
        SELECT kafka_partition, time FROM agent_steps WHERE time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
        UNION ALL
        SELECT kafka_partition, time FROM telemetry WHERE time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
    ) GROUP BY kafka_partition
)
"""
"""Up to when all partitions are stored; silent ones are carried along by time marks."""


class Question(Struct, frozen=True):
    """A query with its parameters."""

    query: str
    parameters: Parameters


def questions(incident: Incident, until: int) -> dict[str, Question]:
    """Return what to ask about an incident, by name; nothing about single events where the rate is not of events.

    Parameters
    ----------
    until
        End of the time that is looked at, Unix nanoseconds.
    """
    asked = {"changes": Question(_CHANGES, _common(incident, until))}
    source = _source(incident)
    if source is None:
        return asked
    events, own = source
    base = _common(incident, until) | own
    most = {"most": MOST}
    asked["affected"] = Question(_AFFECTED.replace("{events}", events), base)
    asked["contributors"] = Question(_TOP.replace("{events}", events), base | most)
    asked["examples"] = Question(_EXAMPLES.replace("{events}", events), base)
    if categories := [code for code, family in FAMILIES.items() if family == incident.family]:
        asked["categories"] = Question(_CATEGORIES, _common(incident, until) | most | {"categories": categories})
    return asked


def curve(incident: Incident, since: int, until: int, step_seconds: int) -> Question | None:
    """Return the question for counts over time, for a plot; None where the rate is not of single events."""
    source = _source(incident)
    if source is None:
        return None
    events, own = source
    times = {"since": since, "until": until, "step": step_seconds}
    return Question(_CURVE.replace("{events}", events), _common(incident, until) | own | times)


def _source(incident: Incident) -> tuple[str, Parameters] | None:
    if incident.metric in BITS:
        return _RATED, {"bit": BITS[incident.metric]}
    if incident.detector == "severe_event":
        return _SEVERE, {"metric": incident.metric}
    return None


def _common(incident: Incident, until: int) -> Parameters:
    since = incident.clocks.onset or incident.clocks.detected
    return {"services": incident.services, "since": since, "until": until}
