SELECT
    time, service_name, tenant_id, counted_version AS model_version, user_pseudo_id, event_id, trace_id, '' AS agent_name,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id) AS session, 1 AS trial,
    arrayExists((category, counts) -> category = {metric:String} AND counts, findings_category, finding_counts) AS flag,
    arrayExists((category, counts, stopped) -> category = {metric:String} AND counts AND NOT stopped,
        findings_category, finding_counts, finding_stopped) AS arrived
FROM guard_verdicts
WHERE {% include "in_time.sql" %}
