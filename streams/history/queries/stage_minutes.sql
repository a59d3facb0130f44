{% set stages = [
    ("ingest", "inferences", "stage_latency_ingest_ms", "0", "0", "stage_latency_ingest_ms IS NOT NULL"),
    ("retrieval", "inferences", "stage_latency_retrieval_ms", "0", "0", "stage_latency_retrieval_ms IS NOT NULL"),
    ("approval", "inferences", "stage_latency_approval_ms", "0", "0", "stage_latency_approval_ms IS NOT NULL"),
    ("action", "inferences", "stage_latency_action_ms", "0", "0", "stage_latency_action_ms IS NOT NULL"),
    ("inference", "inferences", "ifNull(stage_latency_inference_ms, duration_ms)",
        "bitTest(trials, " ~ error_bit ~ ")", "bitTest(flagged, " ~ error_bit ~ ")", "true"),
    ("retrieval", "retrievals", "duration_ms", "0", "0", "duration_ms IS NOT NULL"),
    ("action", "agent_steps", "duration_ms", "status IN ('ok', 'error') OR error_type != ''",
        "status = 'error' OR error_type != ''", "step_kind IN ('execute_tool', 'mcp')"),
    ("approval", "agent_steps", "ifNull(approval_wait_ms, duration_ms)", "status IN ('ok', 'error')",
        "status = 'error'", "step_kind = 'approval'"),
] %}
INSERT INTO stage_minutes
    (minute, tenant_id, service_name, model_version, stage, judged, failed, bins, kafka_topic_id, kafka_partition, version)
SELECT
    minute, tenant_id, service_name, counted_version, stage, sum(judges), sum(failures),
    CAST(sumMapIf([bin], [toUInt64(n)], bin >= 0), 'Map(Int32, UInt64)'),
    {topic_id:String}, {partition:Int32}, {version:Int64}
FROM (
    SELECT
        toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, stage,
        {% include "bin.sql" %} AS bin,
        count() AS n, countIf(judged) AS judges, countIf(judged AND failed) AS failures
    FROM (
        {% for stage, table, ms, judged, failed, only in stages %}
        SELECT
            time, tenant_id, service_name, counted_version, '{{ stage }}' AS stage,
            {{ ms }} AS ms, {{ judged }} AS judged, {{ failed }} AS failed
        FROM {{ table }} {{ final }} WHERE {% include "minutes.sql" %} AND probe_id = '' AND ({{ only }})
        {{ "UNION ALL" if not loop.last }}
        {% endfor %}
    )
    GROUP BY minute, tenant_id, service_name, counted_version, stage, bin
)
GROUP BY minute, tenant_id, service_name, counted_version, stage
