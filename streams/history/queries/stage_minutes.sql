{#- Stage, duration, whether the event judges it, whether it failed, and which events have it. -#}
{% set stages = {
    "inferences": [
        ("ingest", "stage_latency_ingest_ms", "false", "false", "stage_latency_ingest_ms IS NOT NULL"),
        ("retrieval", "stage_latency_retrieval_ms", "false", "false", "stage_latency_retrieval_ms IS NOT NULL"),
        ("approval", "stage_latency_approval_ms", "false", "false", "stage_latency_approval_ms IS NOT NULL"),
        ("action", "stage_latency_action_ms", "false", "false", "stage_latency_action_ms IS NOT NULL"),
        ("inference", "ifNull(stage_latency_inference_ms, duration_ms)",
            "bitTest(trials, " ~ error_bit ~ ")", "bitTest(flagged, " ~ error_bit ~ ")", "true"),
    ],
    "retrievals": [("retrieval", "duration_ms", "false", "false", "duration_ms IS NOT NULL")],
    "agent_steps": [
        ("action", "duration_ms", "status IN ('ok', 'error') OR error_type != ''",
            "status = 'error' OR error_type != ''", "step_kind IN ('execute_tool', 'mcp')"),
        ("approval", "ifNull(approval_wait_ms, duration_ms)", "status IN ('ok', 'error')", "status = 'error'",
            "step_kind = 'approval'"),
    ],
    "guard_verdicts": [("guard", "latency_ms", "status != 'skipped'", "status IN ('error', 'timeout', 'partial')",
        "latency_ms IS NOT NULL AND mode != 'shadow'")],
} -%}
INSERT INTO stage_minutes
    (minute, tenant_id, service_name, model_version, stage, judged, failed, bins, total_ms, squared_ms, kafka_topic_id, kafka_partition, version)
SELECT
    minute, tenant_id, service_name, counted_version, stage, sum(judges), sum(failures),
    CAST(sumMapIf([bin], [toUInt64(n)], bin >= 0), 'Map(Int32, UInt64)'), sum(total), sum(squared),
    {% include "writer.sql" %}
FROM (
    SELECT
        kafka_partition, toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, stage,
        {% include "bin.sql" %} AS bin,
        count() AS n, countIf(judged) AS judges, countIf(judged AND failed) AS failures,
        ifNull(sum(ms), 0) AS total, ifNull(sum(ms * ms), 0) AS squared
    FROM (
        {% for table, of_table in stages.items() %}
        SELECT
            kafka_partition, time, tenant_id, service_name, counted_version,
            part.1 AS stage, part.2 AS ms, part.3 AS judged, part.4 AS failed
        FROM {{ table }} {{ final }}
        ARRAY JOIN arrayFilter(one -> one.5, [
            {% for stage, ms, judged, failed, only in of_table %}
            ('{{ stage }}', CAST({{ ms }}, 'Nullable(Float64)'), {{ judged }}, {{ failed }}, {{ only }}){{ "," if not loop.last }}
            {% endfor %}
        ]) AS part
        WHERE {% include "minutes.sql" %} AND probe_id = ''
        {{ "UNION ALL" if not loop.last }}
        {% endfor %}
    )
    GROUP BY kafka_partition, minute, tenant_id, service_name, counted_version, stage, bin
)
GROUP BY kafka_partition, minute, tenant_id, service_name, counted_version, stage
