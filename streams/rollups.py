"""Minutes recomputed from the base rows of one Kafka partition: right whatever was killed, lost or repeated."""

from collections.abc import Iterable
from typing import Final

from clickhouse_connect.driver.client import Client

from schemas.metrics import RATES
from streams.storage import WRITE

_COUNTED: Final = ",\n        ".join(
    f"countIf(bitTest(trials, {bit})) AS t{bit}, countIf(bitTest(flagged, {bit}) AND bitTest(trials, {bit})) AS f{bit}"
    for bit in range(len(RATES))
)
_RATES: Final = ", ".join(f"sum(t{bit}), sum(f{bit})" for bit in range(len(RATES)))
_EVENTS: Final = " UNION ALL ".join(
    f"""
    SELECT time, tenant_id, service_name, counted_version, trials, flagged, {guards}, {tokens}, {call} AS call
    FROM {table} {{final}} WHERE {{where}} {extra}"""
    for table, guards, tokens, call, extra in (
        (
            "inferences",
            "guard_ok, guard_not_ok",
            "usage_input_tokens AS input, usage_output_tokens AS output, duration_ms AS ms",
            "1",
            "",
        ),
        ("agent_steps", "guard_ok, guard_not_ok", "NULL, NULL, NULL", "0", ""),
        ("retrievals", "guard_ok, guard_not_ok", "NULL, NULL, NULL", "0", ""),
        (
            "guard_verdicts",
            "toUInt16(status = 'ok'), toUInt16(status != 'ok')",
            "NULL, NULL, NULL",
            "0",
            "AND event_kind = 'guard_verdict'",
        ),
    )
)
_WHERE: Final = (
    "kafka_partition = {partition:Int32} AND kafka_topic_id = {topic_id:String}"
    " AND toStartOfMinute(time) IN {minutes:Array(DateTime('UTC'))}"
)
_SERVICE: Final = f"""
INSERT INTO service_minutes
SELECT
    minute, tenant_id, service_name, counted_version, sum(n), sum(calls), {_RATES},
    sum(ok), sum(not_ok), sum(uncovered), sum(input), sum(output),
    CAST(sumMapIf([bin], [toUInt64(n)], bin >= 0), 'Map(Int32, UInt64)'),
    {{topic_id:String}}, {{partition:Int32}}, {{version:Int64}}
FROM (
    SELECT
        toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version,
        ifNull(toInt32(floor(8 * log2(greatest(ms, 1)))), -1) AS bin, count() AS n, sum(call) AS calls,
        {_COUNTED},
        sum(guard_ok) AS ok, sum(guard_not_ok) AS not_ok, countIf(bitTest(trials, 0) AND guard_ok = 0) AS uncovered,
        sum(input) AS input, sum(output) AS output
    FROM ({_EVENTS.replace("{where}", _WHERE)})
    GROUP BY minute, tenant_id, service_name, counted_version, bin
)
GROUP BY minute, tenant_id, service_name, counted_version
"""
"""Grouped by latency bin first: a map is then built of a hundred bins instead of every event."""

_CATEGORY: Final = f"""
INSERT INTO category_minutes
SELECT
    toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, category, layer,
    sum(counts), sum(stopped), {{topic_id:String}}, {{partition:Int32}}, {{version:Int64}}
FROM guard_verdicts {{final}}
ARRAY JOIN findings_category AS category, finding_counts AS counts, finding_stopped AS stopped
WHERE {_WHERE} AND notEmpty(findings_category)
GROUP BY minute, tenant_id, service_name, counted_version, category, layer
"""


def recompute(
    client: Client, topic_id: str, partition: int, minutes: Iterable[int], version: int, *, several_writers: bool
) -> None:
    """Compute minutes anew.

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
    parameters = {"topic_id": topic_id, "partition": partition, "minutes": sorted(minutes), "version": version}
    for query in (_SERVICE, _CATEGORY):
        client.command(
            query.replace("{final}", "FINAL" if several_writers else ""), parameters=parameters, settings=WRITE
        )
