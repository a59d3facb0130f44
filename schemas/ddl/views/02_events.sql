CREATE OR REPLACE VIEW rated_events AS
SELECT
    time, service_name, tenant_id, counted_version AS model_version, deployment_variant, user_pseudo_id, event_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id) AS session, trials, flagged, probe_id
FROM inferences
UNION ALL
SELECT
    time, service_name, tenant_id, counted_version, deployment_variant, user_pseudo_id, event_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id), trials, flagged, probe_id
FROM agent_steps
UNION ALL
SELECT
    time, service_name, tenant_id, counted_version, deployment_variant, user_pseudo_id, event_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id), trials, flagged, probe_id
FROM retrievals
UNION ALL
SELECT
    time, service_name, tenant_id, counted_version, deployment_variant, user_pseudo_id, event_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id), trials, flagged, probe_id
FROM guard_verdicts WHERE event_kind = 'guard_verdict';
