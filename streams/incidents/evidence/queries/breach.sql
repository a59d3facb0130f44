SELECT
    time, service_name, tenant_id, counted_version AS model_version, user_pseudo_id, event_id, trace_id, agent_name,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id) AS session,
    1 AS trial, event_id IN (
        SELECT arrayJoin(event_ids) FROM findings
        WHERE kind = 'breach' AND metric = {metric:String} AND service_name IN {services:Array(String)}
    ) AS flag, CAST(NULL AS Nullable(Bool)) AS arrived
FROM agent_steps
WHERE {% include "in_time.sql" %}
