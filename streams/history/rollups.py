"""Minutes and hours recomputed for one Kafka partition: right whatever was killed, lost or repeated.

Minutes come from the base rows of the partition, hours from its minutes. Both are whole again after every batch, so
that a repeat or a half-done insert is put right by the next one.
"""

from collections.abc import Iterable
from typing import Final

from clickhouse_connect.driver.client import Client

from schemas.categories import FAMILIES
from schemas.guards import FLAGGING_VERDICTS
from schemas.metrics import RATES
from streams.store.client import WRITE

HOUR: Final = 3_600
NAME_SEPARATOR: Final = "\x1f"
"""Between the guards in a key of `outputs_by_guards`: no name can hold it and still be one a person wrote."""

_ERROR: Final = [rate.name for rate in RATES].index("error")
_COUNTED: Final = ",\n        ".join(
    f"countIf(bitTest(trials, {bit})) AS t{bit}, countIf(bitTest(flagged, {bit}) AND bitTest(trials, {bit})) AS f{bit}"
    for bit in range(len(RATES))
)
_RATES: Final = ", ".join(f"sum(t{bit}), sum(f{bit})" for bit in range(len(RATES)))
_BIN: Final = "if(ms IS NULL, -1, toInt32(floor(8 * log2(greatest(assumeNotNull(ms), 1)))))"
"""Bin -1 is no bin; `greatest` alone would take a duration that is not known for the shortest."""
_KEYS: Final = "tenant_id, service_name, model_version"
_SUMS: Final = (
    "events",
    "calls",
    *(name for rate in RATES for name in (f"{rate.name}_trials", rate.name)),
    "guard_ok",
    "guard_not_ok",
    "uncovered",
    "input_tokens",
    "output_tokens",
)
_MAPS: Final = ("latency_bins", "outputs_by_guards", "served_by_guards", "unsafe_by_severity")
_ORIGIN: Final = "{topic_id:String}, {partition:Int32}, {version:Int64}"
_INTO: Final = "kafka_topic_id, kafka_partition, version"
_OUTPUT: Final = (
    f"arrayStringConcat(guards_ok, '{NAME_SEPARATOR}') AS guards, unsafe_severity AS severity,"
    " ifNull(reached_user, true) AND outcome NOT IN ('blocked', 'filtered') AS served"
)
_NO_OUTPUT: Final = "'' AS guards, 0 AS severity, false AS served"
_ALONE: Final = (
    "'' AS guards, toUInt8(arrayMax(arrayMap("
    "(level, counts, stopped, code) ->"
    " if(counts AND NOT stopped AND code IN {unsafe:Array(String)}, ifNull(level, 0), 0),"
    " findings_severity, finding_counts, finding_stopped, findings_category))) AS severity, false AS served"
)
"""A verdict that travels alone says how severe its findings are, and is no output."""
_EVENTS: Final = " UNION ALL ".join(
    f"""
    SELECT time, tenant_id, service_name, counted_version, trials, flagged, {guards}, {tokens}, {call} AS call, {output}
    FROM {table} {{final}} WHERE {{where}} AND probe_id = '' {extra}"""
    for table, guards, tokens, call, output, extra in (
        (
            "inferences",
            "guard_ok, guard_not_ok",
            "usage_input_tokens AS input, usage_output_tokens AS output, duration_ms AS ms",
            "1",
            _OUTPUT,
            "",
        ),
        ("agent_steps", "guard_ok, guard_not_ok", "NULL, NULL, NULL", "0", _NO_OUTPUT, ""),
        ("retrievals", "guard_ok, guard_not_ok", "NULL, NULL, NULL", "0", _NO_OUTPUT, ""),
        (
            "guard_verdicts",
            "toUInt16(status = 'ok'), toUInt16(status != 'ok')",
            "NULL, NULL, NULL",
            "0",
            _ALONE,
            "AND event_kind = 'guard_verdict'",
        ),
    )
)
_WHERE: Final = (
    "kafka_partition = {partition:Int32} AND kafka_topic_id = {topic_id:String}"
    " AND toStartOfMinute(time) IN {minutes:Array(DateTime('UTC'))}"
)
_SERVICE: Final = f"""
INSERT INTO service_minutes (minute, {_KEYS}, {", ".join((*_SUMS, *_MAPS))}, {_INTO})
SELECT
    minute, tenant_id, service_name, counted_version, sum(n), sum(calls), {_RATES},
    sum(ok), sum(not_ok), sum(uncovered), sum(input), sum(output),
    CAST(sumMapIf([bin], [toUInt64(n)], bin >= 0), 'Map(Int32, UInt64)'),
    CAST(sumMapIf([guards], [toUInt64(outputs)], outputs > 0), 'Map(String, UInt64)'),
    CAST(sumMapIf([guards], [toUInt64(reached)], reached > 0), 'Map(String, UInt64)'),
    CAST(sumMapIf([severity], [toUInt64(f1)], f1 > 0), 'Map(UInt8, UInt64)'),
    {_ORIGIN}
FROM (
    SELECT
        toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, guards, severity,
        {_BIN} AS bin, count() AS n, sum(call) AS calls,
        {_COUNTED},
        sum(guard_ok) AS ok, sum(guard_not_ok) AS not_ok, countIf(bitTest(trials, 0) AND guard_ok = 0) AS uncovered,
        countIf(bitTest(trials, 0) AND call) AS outputs, countIf(bitTest(trials, 0) AND served) AS reached,
        sum(input) AS input, sum(output) AS output
    FROM ({_EVENTS.replace("{where}", _WHERE)})
    GROUP BY minute, tenant_id, service_name, counted_version, bin, guards, severity
)
GROUP BY minute, tenant_id, service_name, counted_version
"""
"""Grouped by what becomes a key first: a map is then built of a hundred bins instead of every event."""

_CATEGORY: Final = f"""
INSERT INTO category_minutes
SELECT
    toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, category, layer,
    sum(counts), sum(stopped), {_ORIGIN}
FROM guard_verdicts {{final}}
ARRAY JOIN findings_category AS category, finding_counts AS counts, finding_stopped AS stopped
WHERE {_WHERE} AND probe_id = '' AND notEmpty(findings_category)
GROUP BY minute, tenant_id, service_name, counted_version, category, layer
"""

_STAGED: Final = " UNION ALL ".join(
    f"""
        SELECT time, tenant_id, service_name, counted_version, '{stage}' AS stage,
            {ms} AS ms, {judged} AS judged, {failed} AS failed
        FROM {table} {{final}} WHERE {_WHERE} AND probe_id = '' AND ({only})"""
    for stage, table, ms, judged, failed, only in (
        *(
            (stage, "inferences", f"stage_latency_{stage}_ms", "0", "0", f"stage_latency_{stage}_ms IS NOT NULL")
            for stage in ("ingest", "retrieval", "approval", "action")
        ),
        ("inference", "inferences", "ifNull(stage_latency_inference_ms, duration_ms)", f"bitTest(trials, {_ERROR})",
         f"bitTest(flagged, {_ERROR})", "true"),
        ("retrieval", "retrievals", "duration_ms", "0", "0", "duration_ms IS NOT NULL"),
        ("action", "agent_steps", "duration_ms", "status IN ('ok', 'error') OR error_type != ''",
         "status = 'error' OR error_type != ''", "step_kind IN ('execute_tool', 'mcp')"),
        ("approval", "agent_steps", "ifNull(approval_wait_ms, duration_ms)", "status IN ('ok', 'error')",
         "status = 'error'", "step_kind = 'approval'"),
    )
)  # fmt: skip
_STAGE: Final = f"""
INSERT INTO stage_minutes
SELECT
    minute, tenant_id, service_name, counted_version, stage, sum(judges), sum(failures),
    CAST(sumMapIf([bin], [toUInt64(n)], bin >= 0), 'Map(Int32, UInt64)'), {_ORIGIN}
FROM (
    SELECT
        toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, stage,
        {_BIN} AS bin,
        count() AS n, countIf(judged) AS judges, countIf(judged AND failed) AS failures
    FROM ({_STAGED})
    GROUP BY minute, tenant_id, service_name, counted_version, stage, bin
)
GROUP BY minute, tenant_id, service_name, counted_version, stage
"""

_DETECTED: Final = (
    "status = 'ok' AND mode != 'shadow' AND verdict IN {flagging:Array(String)}"
    " AND hasAny(findings_category, {attacks:Array(String)})"
)
_PROBED: Final = " UNION ALL ".join(
    f"""
    SELECT time, tenant_id, service_name, counted_version, probe_id, {sent} AS sent, {detected} AS detected
    FROM {table} {{final}} WHERE {_WHERE} AND probe_id != ''"""
    for table, sent, detected in (
        ("inferences", "1", "0"),
        ("agent_steps", "1", "0"),
        ("retrievals", "1", "0"),
        ("guard_verdicts", "0", _DETECTED),
    )
)
_PROBE: Final = f"""
INSERT INTO probe_minutes
SELECT
    toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, probe_id, sum(sent), sum(detected),
    {_ORIGIN}
FROM ({_PROBED})
GROUP BY minute, tenant_id, service_name, counted_version, probe_id
"""


def _hours(unit: str, keys: str, sums: Iterable[str], maps: Iterable[str]) -> str:
    """Return what sums the minutes of a partition by the hour; the range comes first because the key begins with it."""
    names = ", ".join((*sums, *maps))
    summed = ", ".join((*(f"sum({name})" for name in sums), *(f"sumMap({name})" for name in maps)))
    return f"""
INSERT INTO {unit}_hours (hour, {keys}, {names}, {_INTO})
SELECT toStartOfHour(minute) AS hour, {keys}, {summed}, {_ORIGIN}
FROM {unit}_minutes FINAL
WHERE kafka_topic_id = {{topic_id:String}} AND kafka_partition = {{partition:Int32}}
    AND minute >= {{first:DateTime('UTC')}} AND minute < {{end:DateTime('UTC')}}
    AND toStartOfHour(minute) IN {{hours:Array(DateTime('UTC'))}}
GROUP BY hour, {keys}
"""


_RECOMPUTED: Final = (
    _SERVICE,
    _CATEGORY,
    _STAGE,
    _PROBE,
    _hours("service", _KEYS, _SUMS, _MAPS),
    _hours("stage", f"{_KEYS}, stage", ("judged", "failed"), ("bins",)),
)


def recompute(
    client: Client, topic_id: str, partition: int, minutes: Iterable[int], version: int, *, several_writers: bool
) -> None:
    """Compute minutes anew, and then their hours.

    Parameters
    ----------
    topic_id, partition
        Whose base rows to read, and which rows of the rollups to write.
    minutes
        Starts of the minutes, in Unix seconds.
    version
        The offset up to which the base rows are stored; the highest version of a row is the one that counts.
    several_writers
        Whether another process, thought dead, may have stored a row as well: reads then merge rows of one offset.
    """
    chosen = sorted(minutes)
    hours = sorted({minute - minute % HOUR for minute in chosen})
    parameters = {
        "topic_id": topic_id,
        "partition": partition,
        "version": version,
        "minutes": chosen,
        "hours": hours,
        "first": hours[0],
        "end": hours[-1] + HOUR,
        "flagging": sorted(FLAGGING_VERDICTS),
        "attacks": [code for code, family in FAMILIES.items() if family == "injection"],
        "unsafe": [code for code, family in FAMILIES.items() if family == "unsafe"],
    }
    for query in _RECOMPUTED:
        client.command(
            query.replace("{final}", "FINAL" if several_writers else ""), parameters=parameters, settings=WRITE
        )
