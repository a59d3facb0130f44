{# What happened in the traces of an incident, whoever did it: `harm` is what the incident is about, `start` where it may begin. -#}
SELECT *, event_id IN (SELECT event_id FROM harmed) AS harm,
    harm OR notEmpty(texts) OR bitAnd(flagged, {starts:UInt32}) > 0 AS start
FROM (
    SELECT
        trace_id, time, event_id, service_name, agent_name, step_kind AS what, tool_name AS name, tenant_id, user_pseudo_id,
        span_id, parent_span_id, depth, egress_host AS host, CAST(taint_sources AS Array(String)) AS texts,
        CAST(NULL AS Nullable(Float64)) AS cost_usd, flagged, true AS step
    FROM agent_steps WHERE {% include "around.sql" %}
    UNION ALL
    SELECT
        trace_id, time, event_id, service_name, agent_name, 'call' AS what, request_model AS name, tenant_id, user_pseudo_id,
        span_id, parent_span_id, CAST(NULL AS Nullable(Int64)) AS depth, '' AS host, CAST([] AS Array(String)) AS texts,
        cost_usd, flagged, false AS step
    FROM inferences WHERE {% include "around.sql" %}
    UNION ALL
    SELECT
        trace_id, time, event_id, service_name, '' AS agent_name, 'retrieval' AS what, data_source_id AS name, tenant_id,
        user_pseudo_id, span_id, parent_span_id, CAST(NULL AS Nullable(Int64)) AS depth, '' AS host,
        arrayFilter((id, trust) -> trust NOT IN ('trusted', 'internal', 'unknown', ''), documents_id, documents_trust) AS texts,
        CAST(NULL AS Nullable(Float64)) AS cost_usd, flagged, false AS step
    FROM retrievals WHERE {% include "around.sql" %}
) LIMIT 1 BY event_id
