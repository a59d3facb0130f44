SELECT
    time, service_name, tenant_id, counted_version AS model_version, user_pseudo_id, event_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id) AS session,
    1 AS trial, has(findings_category, {metric:String}) AS flag
FROM guard_verdicts
WHERE {% include "in_time.sql" %}
